"""Results of a run and of a check in Python: sequences that a notebook shows as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmark.checks import Check, Status
from benchmark.results import CellResult, row
from benchmark.runner import Outcome

if TYPE_CHECKING:
    import pandas as pd

#: Columns that a notebook shows
_SHOWN = ["model", "binding", "metric", "score", "ci_low", "ci_high", "chance", "best_layer", "reason"]


@dataclass(frozen=True)
class Results(Sequence[CellResult]):
    """The cells of a run, in the order of the plan. A notebook shows them as a table.

    A cell is one model scored on one binding.

    Attributes
    ----------
    outcomes : tuple of Outcome
        For each cell its result, the file of the result, and whether the result was already stored.
    """

    outcomes: tuple[Outcome, ...]

    def __len__(self) -> int:
        return len(self.outcomes)

    def __getitem__(self, index: Any) -> Any:
        selection = self.outcomes[index]
        return [outcome.cell for outcome in selection] if isinstance(selection, tuple) else selection.cell

    def to_frame(self) -> pd.DataFrame:
        """Data frame with one row for each cell; the columns are those of ``bench run --format json``."""
        import pandas as pd

        return pd.DataFrame([row(o.cell, cached=o.cached, path=o.path) for o in self.outcomes])

    def _repr_html_(self) -> str:
        return str(self.to_frame()[_SHOWN].to_html(index=False))


@dataclass(frozen=True)
class Checks(Sequence[Check]):
    """The checks of a model. A notebook shows them as a table.

    Attributes
    ----------
    checks : tuple of Check
        For each check its name, its status and a text.
    """

    checks: tuple[Check, ...]

    def __len__(self) -> int:
        return len(self.checks)

    def __getitem__(self, index: Any) -> Any:
        return self.checks[index]

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return all(check.status is not Status.failed for check in self.checks)

    def to_frame(self) -> pd.DataFrame:
        """Data frame with one row for each check."""
        import pandas as pd

        rows = [{"check": c.name, "result": c.status.value, "detail": c.detail} for c in self.checks]
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False))
