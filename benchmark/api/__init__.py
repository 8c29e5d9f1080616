"""The suite from Python: ``benchmark.run(model=MyModel(), tasks="all")``, ``benchmark.check(MyModel())``."""

from benchmark.api.run import check, run
from benchmark.api.similarity import SimilarityTables, similarity
from benchmark.api.tables import Checks, Results

__all__ = ["Checks", "Results", "SimilarityTables", "check", "run", "similarity"]
