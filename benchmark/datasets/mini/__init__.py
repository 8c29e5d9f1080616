"""The miniature: a drawn world of 48 concepts, authored norms and simulated people. Nothing is measured."""

from benchmark.datasets.mini.drawing import draw
from benchmark.datasets.mini.images import images

__all__ = ["draw", "images"]
