"""Write model RDMs to files that other programs read."""

from benchmark.export.files import FORMATS, write
from benchmark.export.rdm import BY, ModelRDMs, model_rdms

__all__ = ["BY", "FORMATS", "ModelRDMs", "model_rdms", "write"]
