"""Plan which cells there are, then score them: resume, run in parallel, never lose what is finished."""

from benchmark.runner.execute import Outcome, execute
from benchmark.runner.plan import Cell, plan
from benchmark.runner.prospect import Prospect, prospects
from benchmark.runner.session import Options, Session

__all__ = ["Cell", "Options", "Outcome", "Prospect", "Session", "execute", "plan", "prospects"]
