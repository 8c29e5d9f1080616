"""From images to features: one forward pass for all layers."""

from benchmark.extraction.network import NetworkModel
from benchmark.extraction.pooling import POOLINGS, pool
from benchmark.extraction.weights import load_strictly, read_state_dict, seeded

__all__ = ["POOLINGS", "NetworkModel", "load_strictly", "pool", "read_state_dict", "seeded"]
