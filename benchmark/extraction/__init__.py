"""From images to features: one forward pass for all layers.

A plug-in derives from :class:`NetworkModel` (for any torch module) or from :class:`LibraryNetwork` (for a
network that a library builds by name). What is named here is imported when it is first used, because torch
takes longer to import than most commands take to answer.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmark.extraction.hub import fetching, hugging_face_folder, torch_hub_checkpoint, torch_hub_file
    from benchmark.extraction.library import LibraryNetwork, Transform
    from benchmark.extraction.network import NetworkModel
    from benchmark.extraction.pooling import POOLINGS, pool
    from benchmark.extraction.preprocess import Preprocessing
    from benchmark.extraction.structure import blocks
    from benchmark.extraction.weights import (
        as_state_dict,
        load_strictly,
        read_part,
        read_state_dict,
        seeded,
        without_prefix,
    )

_MODULES = {
    "POOLINGS": "pooling",
    "blocks": "structure",
    "LibraryNetwork": "library",
    "NetworkModel": "network",
    "Preprocessing": "preprocess",
    "Transform": "library",
    "as_state_dict": "weights",
    "fetching": "hub",
    "hugging_face_folder": "hub",
    "load_strictly": "weights",
    "pool": "pooling",
    "read_part": "weights",
    "read_state_dict": "weights",
    "seeded": "weights",
    "torch_hub_checkpoint": "hub",
    "torch_hub_file": "hub",
    "without_prefix": "weights",
}

__all__ = [
    "POOLINGS",
    "LibraryNetwork",
    "NetworkModel",
    "Preprocessing",
    "Transform",
    "as_state_dict",
    "blocks",
    "fetching",
    "hugging_face_folder",
    "load_strictly",
    "pool",
    "read_part",
    "read_state_dict",
    "seeded",
    "torch_hub_checkpoint",
    "torch_hub_file",
    "without_prefix",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
