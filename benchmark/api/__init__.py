"""The suite from Python: ``benchmark.run(model=MyModel())``, ``benchmark.score(features, ids)``."""

from benchmark.api.arrays import score
from benchmark.api.compare import compare
from benchmark.api.partition import PartitionTable, partition
from benchmark.api.run import check, run
from benchmark.api.similarity import SimilarityTables, similarity
from benchmark.api.tables import Checks, Plan, Results

__all__ = [
    "Checks",
    "PartitionTable",
    "Plan",
    "Results",
    "SimilarityTables",
    "check",
    "compare",
    "partition",
    "run",
    "score",
    "similarity",
]
