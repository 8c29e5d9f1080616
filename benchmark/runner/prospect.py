"""What a run would do: which cells are missing, and what their features will cost."""

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
    """What would become of a cell.

    Attributes
    ----------
    cell : Cell
    state : "scored already", "to score" or "not possible"
    layers : int
        Layers to extract for it.
    cost : Cost or None
        Of these; None where it is not known, next to nothing, or stands at an earlier cell.
    why : str or None
        Of a cell that is not possible.
    """

    cell: Cell
    state: str
    layers: int = 0
    cost: Cost | None = None
    why: str | None = None


def prospects(session: Session, cells: Sequence[Cell]) -> Iterator[Prospect]:
    """Look at every cell and score none; one batch of a network whose features are missing is timed."""
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
            # the first cell that needs them extracts them for all
            layers = [] if key in planned else view.missing()
            planned.add(key)
            yield Prospect(cell, "to score", len(layers), view.cost(layers) if layers else None)
        except BenchError as error:
            yield Prospect(cell, "not possible", why=str(error))
