"""Compare the layers of models: similarity matrices with intervals and a figure, and pairs that moved."""

from benchmark.model_similarity.compare import LayerOf, Similarities, model_similarity
from benchmark.model_similarity.measures import MEASURES, Matrix
from benchmark.model_similarity.moved import Moved, MovedPair, moved_pairs

__all__ = [
    "MEASURES",
    "LayerOf",
    "Matrix",
    "Moved",
    "MovedPair",
    "Similarities",
    "model_similarity",
    "moved_pairs",
]
