"""Compare the layers of models with one another: similarity matrices, with intervals and a figure."""

from benchmark.model_similarity.compare import LayerOf, Similarities, model_similarity
from benchmark.model_similarity.measures import MEASURES, Matrix

__all__ = ["MEASURES", "LayerOf", "Matrix", "Similarities", "model_similarity"]
