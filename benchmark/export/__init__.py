"""Write RDMs and features of a model, and RDMs of a target, to files that other programs read."""

from benchmark.export.files import FORMATS, write, write_features, write_target
from benchmark.export.rdm import (
    BY,
    ModelFeatures,
    ModelRDMs,
    TargetRDMs,
    model_features,
    model_rdms,
    target_rdms,
)

__all__ = [
    "BY",
    "FORMATS",
    "ModelFeatures",
    "ModelRDMs",
    "TargetRDMs",
    "model_features",
    "model_rdms",
    "target_rdms",
    "write",
    "write_features",
    "write_target",
]
