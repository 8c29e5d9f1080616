"""Stimuli and targets: their types, the join on ids, and the readers of each real format."""

from benchmark.datasets.join import Join, join
from benchmark.datasets.norms import AssociationTarget, PropertyTarget
from benchmark.datasets.rdm_series import Axis, RDMSeriesTarget
from benchmark.datasets.responses import ResponseTarget
from benchmark.datasets.root import DataRoot, hash_files, hashed_by
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import RDMTarget, Target, TripletTarget, VectorTarget, WordPairTarget

__all__ = [
    "AssociationTarget",
    "Axis",
    "DataRoot",
    "Join",
    "PropertyTarget",
    "RDMSeriesTarget",
    "RDMTarget",
    "ResponseTarget",
    "Stimuli",
    "Target",
    "TripletTarget",
    "VectorTarget",
    "WordPairTarget",
    "hash_files",
    "hashed_by",
    "join",
]
