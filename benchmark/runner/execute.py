"""Execute a plan: one cell at a time or several at once. A failure does not touch finished results."""

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
    """The result of executing one cell.

    Attributes
    ----------
    cell : CellResult
        Scored, failed or not possible.
    path : Path or None
        The result file; None: the cell is not scored.
    cached : bool
        Whether the result was in the store already, so that nothing was computed.
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
    """Score every cell, and yield each outcome as soon as it is there.

    The result of a cell is written as soon as the cell is scored. The seed of a cell depends only on its
    binding. So neither the order of the cells nor the number of jobs changes a number.

    Parameters
    ----------
    cells : sequence of Cell
    session : Session
        With several jobs each process opens its own session with the same options.
    jobs : int
        Number of processes. One process takes all cells of a model, so that its features are computed once.
    bars : callable, optional
        Makes progress bars: ``bars("features of alexnet")`` gives the function that is called as that work
        goes on. Used with one job only.

    Yields
    ------
    Outcome
    """
    if jobs < 1:
        raise UsageError(f"--jobs {jobs}: give a whole number of processes, at least 1")
    if jobs == 1:
        for cell in cells:
            yield execute_cell(session, cell, bars)
        return
    from joblib import Parallel, delayed  # slow to import: one job does not need it

    batches = [list(group) for _, group in groupby(cells, key=lambda cell: cell.model)]
    workers = Parallel(n_jobs=jobs, backend="loky", return_as="generator_unordered")
    for outcomes in workers(delayed(_execute_batch)(batch, session.options) for batch in batches):
        yield from outcomes


def execute_cell(session: Session, cell: Cell, bars: scoring.Bars | None = None) -> Outcome:
    """Score one cell; an error in it becomes its outcome.

    Parameters
    ----------
    session : Session
    cell : Cell
    bars : callable, optional
        As for :func:`execute`.

    Returns
    -------
    Outcome
    """
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
    """One line: the error, and the place where it was raised."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({last.filename}:{last.lineno}; --debug shows the traceback)"
