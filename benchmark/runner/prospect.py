"""Look ahead at a run: which cells are missing, and what their features will cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmark.common.cost import Cost
from benchmark.common.errors import BenchError
from benchmark.results import canonical
from benchmark.runner import score as scoring
from benchmark.runner.key import unchanged
from benchmark.runner.plan import Cell
from benchmark.runner.session import Session


@dataclass(frozen=True)
class Prospect:
    """What a run would do with a cell.

    Attributes
    ----------
    cell : Cell
    state : "scored already", "to score" or "not possible"
    layers : int
        Number of layers to extract for the cell.
    cost : Cost or None
        Cost of these layers. None: it is not known, it is close to nothing, or an earlier cell has it.
    why : str or None
        Why a cell is not possible.
    """

    cell: Cell
    state: str
    layers: int = 0
    cost: Cost | None = None
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
            if unchanged(session, cell) is not None:
                yield Prospect(cell, "scored already")
                continue
            parts = scoring.assemble(session, cell)
            if scoring.look_up(session, parts) is not None:
                yield Prospect(cell, "scored already")
                continue
            view = scoring.view(session, parts)
            key = repr(canonical(parts.feature_key))
            # the first cell that needs these features extracts them for all cells
            layers = [] if key in planned else view.missing()
            planned.add(key)
            yield Prospect(cell, "to score", len(layers), view.cost(layers) if layers else None)
        except BenchError as error:
            yield Prospect(cell, "not possible", why=str(error))
