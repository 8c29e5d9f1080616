"""Execute a plan: one cell at a time or several at once. A failure does not touch finished results."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import groupby
from pathlib import Path

from benchmark.common.errors import BenchError, NotPossible, UsageError, error_report, plugin_border
from benchmark.results import CellResult, Stored
from benchmark.runner import score as scoring
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
    is_fault : bool
        Whether an argument, a file or a plug-in is at fault. False for a cell that is not possible since its
        model, task and data do not go together, or are not here.
    """

    cell: CellResult
    path: Path | None
    cached: bool
    is_fault: bool = False


def execute(
    cells: Sequence[Cell],
    session: Session,
    jobs: int = 1,
    bars: scoring.Bars | None = None,
    scheduler: str | None = None,
    time_limit: float | None = None,
) -> Iterator[Outcome]:
    """Score every cell, and yield each outcome as soon as it is there.

    The result of a cell is written as soon as the cell is scored. The seed of a cell depends only on its
    binding. So neither the order of the cells nor the number of jobs changes a number. Cells that another run
    is scoring into the same folder come last: they are waited for, and their results are used.

    Parameters
    ----------
    cells : sequence of Cell
    session : Session
        With several jobs each process opens its own session with the same options.
    jobs : int
        Number of processes. A process takes the cells of a model, so that its features are computed once; one
        with nothing left takes cells of another. If a process is killed, the cell that it was scoring is
        failed, and the others go on.
    bars : callable, optional
        Makes progress bars: ``bars("features of alexnet")`` gives the function that is called as that work
        goes on. Used with one job only.
    scheduler : str, optional
        Score on the workers of this dask cluster (:mod:`benchmark.runner.cluster`), or of one with ``jobs``
        workers that is started here ("local"). One worker takes all cells of a model.
    time_limit : float, optional
        Most seconds for a cell, with what it loads and with the start of its process. A cell that takes
        longer is failed. Not for a dask cluster, whose tasks cannot be stopped.

    Yields
    ------
    Outcome
    """
    if jobs < 1:
        raise UsageError(f"--jobs {jobs}: give a whole number of processes, at least 1")
    claimed = []
    if time_limit is not None and scheduler is not None:
        raise UsageError(
            "--time-limit cannot stop a task of a dask cluster; limit the time of the jobs of its workers"
        )
    outcomes = partial(
        _outcomes, session=session, jobs=jobs, bars=bars, scheduler=scheduler, time_limit=time_limit
    )
    for cell, outcome in outcomes(cells, wait=False):
        if outcome is None:
            claimed.append(cell)
        else:
            yield outcome
    for _, outcome in outcomes(claimed, wait=True):
        if outcome is not None:
            yield outcome


def _outcomes(
    cells: Sequence[Cell],
    wait: bool,
    *,
    session: Session,
    jobs: int,
    bars: scoring.Bars | None,
    scheduler: str | None,
    time_limit: float | None,
) -> Iterator[tuple[Cell, Outcome | None]]:
    """Each cell with its outcome; None: another run is scoring it, and ``wait`` is off."""
    if not cells:
        return
    if jobs == 1 and scheduler is None and time_limit is None:
        for cell in cells:
            yield cell, execute_cell(session, cell, bars, wait)
        return
    from benchmark.common.processes import ProcessEnded, in_processes  # slow to import
    from benchmark.runner.cluster import on_cluster

    batches = [list(group) for _, group in groupby(cells, key=lambda cell: cell.model)]
    if scheduler is None:
        work = partial(_execute_in_process, options=session.options, wait=wait)
        answers = in_processes(work, batches, jobs, time_limit)
    else:
        waiting = partial(_execute_in_process, wait=wait)
        answers = on_cluster(waiting, batches, session.options, scheduler, jobs)
    for cell, answer in answers:
        if isinstance(answer, ProcessEnded):
            described = scoring.describe(session, cell, "failed", str(answer))
            yield cell, Outcome(described, None, cached=False, is_fault=True)
        else:
            yield cell, answer


def execute_cell(
    session: Session, cell: Cell, bars: scoring.Bars | None = None, wait: bool = True
) -> Outcome | None:
    """Score one cell; an error in it becomes its outcome.

    Parameters
    ----------
    session : Session
    cell : Cell
    bars : callable, optional
        As for :func:`execute`.
    wait : bool
        Whether to wait for another run that is scoring the cell.

    Returns
    -------
    Outcome or None
        None: another run is scoring the cell.
    """
    try:
        with plugin_border():
            return _execute(session, cell, bars, wait)
    except Exception as error:  # a plug-in may raise anything; the other cells still run
        status = "not_possible" if isinstance(error, BenchError) else "failed"
        reason = error_report(error)
        is_fault = not isinstance(error, NotPossible)
    _log.debug("cell %s", cell, exc_info=True)
    described = scoring.describe(session, cell, status, reason)
    if not is_fault:  # a fault is mended and says nothing about the model
        session.results.refuse(described)
    return Outcome(described, None, cached=False, is_fault=is_fault)


def _execute(session: Session, cell: Cell, bars: scoring.Bars | None, wait: bool) -> Outcome | None:
    found = scoring.stored_or_parts(session, cell)
    if isinstance(found, Stored):
        return Outcome(found.cell, found.path, cached=True)
    waiting = f"another run scores {cell.binding} of {cell.model}: waiting for it" if wait else None
    with session.results.claim(cell.suite, cell.binding, cell.model, waiting) as is_ours:
        if not is_ours:
            return None
        stored = scoring.look_up(session, found)  # another run may have finished it
        if stored is not None:
            return Outcome(stored.cell, stored.path, cached=True)
        stored = scoring.score(session, found, bars)
        return Outcome(stored.cell, stored.path, cached=False)


def _execute_in_process(cell: Cell, options: Options, wait: bool) -> Outcome | None:
    return execute_cell(_session_for(cell.model, options), cell, wait=wait)


@lru_cache(maxsize=1)
def _session_for(model: str, options: Options) -> Session:  # noqa: ARG001 - one model in memory at a time
    return Session(options)
