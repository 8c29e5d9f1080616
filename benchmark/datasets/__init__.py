"""Stimuli and targets: their types, the join on ids, and the readers of each real format."""

from benchmark.datasets.join import Join, join
from benchmark.datasets.root import DataRoot, hash_files, hashed_by
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import (
    AssociationTarget,
    PropertyTarget,
    RDMTarget,
    Target,
    TripletTarget,
    VectorTarget,
)

__all__ = [
    "AssociationTarget",
    "DataRoot",
    "Join",
    "PropertyTarget",
    "RDMTarget",
    "Stimuli",
    "Target",
    "TripletTarget",
    "VectorTarget",
    "hash_files",
    "hashed_by",
    "join",
]
