"""The files of the data root: how they get here, and whether they are what they should be."""

from benchmark.datasets.catalogue.bring import Brought, bring
from benchmark.datasets.catalogue.collection import Collection, File
from benchmark.datasets.catalogue.overlap import Overlap, overlap
from benchmark.datasets.catalogue.pull import pull
from benchmark.datasets.catalogue.states import FileState, state_of

__all__ = [
    "Brought",
    "Collection",
    "File",
    "FileState",
    "Overlap",
    "bring",
    "overlap",
    "pull",
    "state_of",
]
