"""Execute a plan: one cell at a time or several at once; what is finished stays when something fails."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from benchmark.common.errors import BenchError, UsageError
from benchmark.results import CellResult
from benchmark.runner import score as scoring
from benchmark.runner.key import unchanged
from benchmark.runner.plan import Cell
from benchmark.runner.session import Options, Session

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of a cell.

    Attributes
    ----------
    cell : CellResult
        Scored, failed or not possible.
    path : Path or None
        The result file; None if it is not scored.
    cached : bool
        Found in the store: nothing was computed.
    """

    cell: CellResult
    path: Path | None
    cached: bool


def execute(
    cells: Sequence[Cell],
    session: Session,
    jobs: int = 1,
    bars: scoring.Bars | None = None,
) -> Iterator[Outcome]:
    """Score every cell, yielding each as it is done.

    A result is written as soon as its cell is scored, and the seeds of a cell depend on its binding alone:
    neither the order nor the number of jobs changes a number.

    Parameters
    ----------
    cells : sequence of Cell
    session : Session
        With several jobs each process opens one of its own, with the same options.
    jobs : int
        Processes; each takes all cells of one model, so that features are computed once.
    bars : callable, optional
        ``bars("features of alexnet")`` gives what is called as that goes on; with one job only.
    """
    if jobs < 1:
        raise UsageError(f"--jobs {jobs}: give a whole number of processes, at least 1")
    if jobs == 1:
        for cell in cells:
            yield execute_cell(session, cell, bars)
        return
    from joblib import Parallel, delayed  # one job, and a photo's associates, must not wait for it

    batches = [list(group) for _, group in groupby(cells, key=lambda cell: cell.model)]
    workers = Parallel(n_jobs=jobs, backend="loky", return_as="generator_unordered")
    for outcomes in workers(delayed(_execute_batch)(batch, session.options) for batch in batches):
        yield from outcomes


def execute_cell(session: Session, cell: Cell, bars: scoring.Bars | None = None) -> Outcome:
    """Score one cell; whatever goes wrong in it is its own outcome."""
    try:
        stored = unchanged(session, cell)
        if stored is not None:
            return Outcome(stored.cell, stored.path, cached=True)
        parts = scoring.assemble(session, cell)
        stored = scoring.look_up(session, parts)
        if stored is not None:
            return Outcome(stored.cell, stored.path, cached=True)
        stored = scoring.score(session, parts, bars)
        return Outcome(stored.cell, stored.path, cached=False)
    except BenchError as error:
        _log.debug("cell %s", cell, exc_info=True)
        return Outcome(scoring.describe(session, cell, "not_possible", str(error)), None, cached=False)
    except Exception as error:  # a plug-in may raise anything; the other cells still run
        _log.debug("cell %s", cell, exc_info=True)
        return Outcome(scoring.describe(session, cell, "failed", _where(error)), None, cached=False)


def _execute_batch(cells: Sequence[Cell], options: Options) -> list[Outcome]:
    session = Session(options)
    return [execute_cell(session, cell) for cell in cells]


def _where(error: Exception) -> str:
    """One line: the error, and the last place it passed through."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({last.filename}:{last.lineno}; --debug shows the traceback)"
