"""The miniature: a drawn world of 48 concepts, authored norms and simulated people. Nothing was measured."""

from benchmark.datasets.mini.areas import area_early, area_late
from benchmark.datasets.mini.drawing import draw
from benchmark.datasets.mini.images import images
from benchmark.datasets.mini.meg import meg
from benchmark.datasets.mini.norms import associations, properties
from benchmark.datasets.mini.people import people
from benchmark.datasets.mini.ratings import word_pairs
from benchmark.datasets.mini.responses import responses_early, responses_late
from benchmark.datasets.mini.structure import form_ratings
from benchmark.datasets.mini.triplets import triplets
from benchmark.datasets.mini.vectors import word_vectors

__all__ = [
    "area_early",
    "area_late",
    "associations",
    "draw",
    "form_ratings",
    "images",
    "meg",
    "people",
    "properties",
    "responses_early",
    "responses_late",
    "triplets",
    "word_pairs",
    "word_vectors",
]
