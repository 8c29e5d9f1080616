"""Publish why cells have no result: ``python leaderboard/reasons.py``.

Looks at every cell that the tables of the published results leave empty, and scores none. Where a model
cannot take part, ``leaderboard/results`` keeps the reason and the page shows it. A cell that could be scored
gets none: the page says that it was not run. If weights or data are missing on this machine, the reason says
which of the two, and names no file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmark.common.errors import BenchError
from benchmark.leaderboard.board import boards
from benchmark.registry import Registry
from benchmark.results import TWIN, ResultStore
from benchmark.runner import Cell, Options, Session
from benchmark.runner import score as scoring

PUBLISHED = Path(__file__).parent / "results"


def empty_cells(store: ResultStore, registry: Registry) -> list[Cell]:
    """The cells of the tables without a result and without a reason. Of several untrained seeds, the first.

    Parameters
    ----------
    store : ResultStore
    registry : Registry

    Returns
    -------
    list of Cell
        In the order of the rows.
    """
    results = [one.cell for one in store.all()[0]]
    refused = [one.cell for one in store.refusals()[0]]
    return [
        Cell(_first_seed(model), column.binding, board.suite)
        for board in boards(results, registry, refused)
        for model in board.models
        for column in board.columns
        if model not in column.by_model and model not in column.refused
    ]


def _first_seed(row: str) -> str:
    """The model of a row; of ``NAME@untrained:0-9`` or ``NAME@untrained:1,4``, that of the first seed."""
    name, twin, seeds = row.partition(TWIN)
    return name + twin + re.split("[-,]", seeds)[0]


def reasons(session: Session, cells: Iterable[Cell]) -> Iterator[tuple[Cell, str | None]]:
    """Why each cell is not possible; None: nothing speaks against it before it is scored.

    Parameters
    ----------
    session : Session
    cells : iterable of Cell

    Yields
    ------
    (Cell, str or None)
        The reason has no path of this machine.
    """
    for cell in cells:
        yield cell, _reason(session, cell)


def _reason(session: Session, cell: Cell) -> str | None:
    try:
        scoring.require(session, scoring.assemble(session, cell))
    except BenchError as error:
        return _said_anywhere(session, cell, str(error))
    return None


def _said_anywhere(session: Session, cell: Cell, reason: str) -> str:
    """The reason. If files are missing on this machine, it says only whether weights or data are missing."""
    try:
        session.model(cell.model, cell.suite)
    except BenchError:
        return "not run: the weights could not be had"
    return "not run: the data could not be had" if "/" in reason else reason


def publish_reasons(session: Session) -> list[str]:
    """Keep the reason of every empty cell that is not possible, in the results of ``session``.

    Parameters
    ----------
    session : Session

    Returns
    -------
    list of str
        How many cells each suite leaves without a result, with a reason and without one.
    """
    counts: Counter[tuple[str, bool]] = Counter()
    for cell, reason in reasons(session, empty_cells(session.results, session.registry)):
        counts[cell.suite, reason is None] += 1
        if reason is not None:
            session.results.refuse(scoring.describe(session, cell, "not_possible", reason))
    return [
        f"{suite}: {counts[suite, False]} cells not possible, {counts[suite, True]} not run"
        for suite in dict.fromkeys(suite for suite, _ in counts)
    ]


if __name__ == "__main__":
    print("\n".join(publish_reasons(Session(Options(output=PUBLISHED)))))
