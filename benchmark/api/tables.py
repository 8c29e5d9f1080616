"""What a run and a check give in Python: sequences that a notebook shows as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmark.checks import Check, Status
from benchmark.results import CellResult, row
from benchmark.runner import Outcome

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = ["model", "binding", "metric", "score", "ci_low", "ci_high", "chance", "best_layer", "reason"]


@dataclass(frozen=True)
class Results(Sequence[CellResult]):
    """Cells in the order of the plan; a notebook shows them as a table.

    Attributes
    ----------
    outcomes : tuple of Outcome
        Each with its cell, the file it stands in, and whether it was there already.
    """

    outcomes: tuple[Outcome, ...]

    def __len__(self) -> int:
        return len(self.outcomes)

    def __getitem__(self, index: Any) -> Any:
        found = self.outcomes[index]
        return [outcome.cell for outcome in found] if isinstance(found, tuple) else found.cell

    def to_frame(self) -> pd.DataFrame:
        """One row a cell: the columns of ``bench run --format json``."""
        import pandas as pd

        return pd.DataFrame([row(o.cell, cached=o.cached, path=o.path) for o in self.outcomes])

    def _repr_html_(self) -> str:
        return str(self.to_frame()[_SHOWN].to_html(index=False))


@dataclass(frozen=True)
class Checks(Sequence[Check]):
    """What the checks of a model found; a notebook shows them as a table."""

    found: tuple[Check, ...]

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, index: Any) -> Any:
        return self.found[index]

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return all(check.status is not Status.failed for check in self.found)

    def to_frame(self) -> pd.DataFrame:
        """One row a check."""
        import pandas as pd

        rows = [{"check": c.name, "result": c.status.value, "detail": c.detail} for c in self.found]
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False))
