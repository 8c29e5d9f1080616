"""Plan the cells, then score them: continue a run, run in parallel, keep every finished result.

A cell is one model scored on one binding. A binding is a task with its stimuli, target and parameters.
"""

from benchmark.runner.execute import Outcome, execute
from benchmark.runner.plan import ALL, Cell, plan, shard, suite_of_target
from benchmark.runner.prospect import Prospect, prospects
from benchmark.runner.session import Options, Session

__all__ = [
    "ALL",
    "Cell",
    "Options",
    "Outcome",
    "Prospect",
    "Session",
    "execute",
    "plan",
    "prospects",
    "shard",
    "suite_of_target",
]
