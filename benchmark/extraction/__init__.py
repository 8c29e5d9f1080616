"""From images to features: one forward pass for all layers.

A plug-in derives from :class:`NetworkModel` (for any torch module) or from :class:`LibraryNetwork` (for a
network that a library builds by name).
"""

from benchmark.extraction.blocks import blocks
from benchmark.extraction.hub import fetching, hugging_face_folder, torch_hub_checkpoint, torch_hub_file
from benchmark.extraction.library import LibraryNetwork, Transform
from benchmark.extraction.network import NetworkModel
from benchmark.extraction.pooling import POOLINGS, pool
from benchmark.extraction.preprocess import Preprocessing
from benchmark.extraction.weights import load_strictly, read_state_dict, seeded

__all__ = [
    "POOLINGS",
    "LibraryNetwork",
    "NetworkModel",
    "Preprocessing",
    "Transform",
    "blocks",
    "fetching",
    "hugging_face_folder",
    "load_strictly",
    "pool",
    "read_state_dict",
    "seeded",
    "torch_hub_checkpoint",
    "torch_hub_file",
]
