"""Look ahead at a run: which cells are missing, and what they will cost."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmark.common.cost import Cost
from benchmark.common.errors import BenchError, error_report, plugin_border
from benchmark.results import Stored, canonical
from benchmark.runner import score as scoring
from benchmark.runner.plan import Cell
from benchmark.runner.session import Session

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prospect:
    """What a run would do with a cell.

    Attributes
    ----------
    cell : Cell
    state : "scored already", "to score", "not possible" or "failed"
    layers : int
        Number of layers to extract for the cell.
    cost : Cost or None
        Cost of these layers. None: it is not known, it is close to nothing, or an earlier cell has it.
    work : Cost or None
        Cost of the task once the features are there. None: close to nothing.
    why : str or None
        Why a cell is not possible, or failed.
    """

    cell: Cell
    state: str
    layers: int = 0
    cost: Cost | None = None
    work: Cost | None = None
    why: str | None = None


def prospects(session: Session, cells: Sequence[Cell]) -> Iterator[Prospect]:
    """Look at every cell, and score none.

    If features of a network are missing, one batch of it is timed.

    Parameters
    ----------
    session : Session
    cells : sequence of Cell

    Yields
    ------
    Prospect
        One for each cell, in order.
    """
    planned: set[str] = set()
    for cell in cells:
        try:
            with plugin_border():
                prospect = _prospect(session, cell, planned)
        except Exception as error:  # a plug-in may raise anything; the other cells are still looked at
            state = "not possible" if isinstance(error, BenchError) else "failed"
            prospect = Prospect(cell, state, why=error_report(error))
            _log.debug("cell %s", cell, exc_info=True)
        yield prospect


def _prospect(session: Session, cell: Cell, planned: set[str]) -> Prospect:
    found = scoring.stored_or_parts(session, cell)
    if isinstance(found, Stored):
        return Prospect(cell, "scored already")
    joined = scoring.require(session, found)
    view = scoring.view(session, found)
    key = repr(canonical(found.feature_key))
    # the first cell that needs these features extracts them for all cells
    layers = [] if key in planned else view.missing()
    planned.add(key)
    work = found.task.cost(joined, len(view.layers), session.params(found.binding))
    return Prospect(cell, "to score", len(layers), view.cost(layers) if layers else None, work)
