"""Results of a run and of a check in Python: sequences that a notebook shows as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from benchmark.checks import Check, Status
from benchmark.leaderboard.compare import compare as paired
from benchmark.leaderboard.figures import profiles
from benchmark.results import CellResult, row
from benchmark.runner import Outcome, Prospect

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: Columns that a notebook shows
_SHOWN = ["model", "binding", "metric", "score", "ci_low", "ci_high", "chance", "best_layer", "reason"]


@dataclass(frozen=True, repr=False)
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

    def to_layers(self) -> pd.DataFrame:
        """Data frame with one row for each layer and metric of each cell.

        ``depth`` goes from 0, the first layer, to 1, the last. ``p`` and ``p_fdr`` are those of the first
        metric of the task, the second corrected over layers.
        """
        import pandas as pd

        return pd.DataFrame([row for cell in self for row in _layer_rows(cell)])

    def compare(self, other: Results | None = None) -> pd.DataFrame:
        """Paired differences of every two models, on every binding on which both have a score.

        Parameters
        ----------
        other : Results, optional
            Results of other models.

        Returns
        -------
        DataFrame
            One row for each binding and pair, with the columns of
            :class:`benchmark.leaderboard.compare.Difference`.
        """
        cells = [*self, *(other or ())]
        return differences(cells, list(dict.fromkeys(cell.model for cell in cells)))

    def plot(self) -> Figure:
        """Figure with the score of each layer, one panel for each binding."""
        return profiles(list(self))

    def __repr__(self) -> str:
        return str(self.to_frame()[_SHOWN].to_string(index=False, na_rep="-", float_format="%.3f"))

    def _repr_html_(self) -> str:
        return str(self.to_frame()[_SHOWN].to_html(index=False, na_rep="-", float_format="%.3f"))


def differences(cells: Sequence[CellResult], models: Sequence[str]) -> pd.DataFrame:
    """Data frame with one row for each paired difference of two ``models`` on a binding of ``cells``."""
    import pandas as pd

    return pd.DataFrame([asdict(one) for one in paired(cells, models)])


def _layer_rows(cell: CellResult) -> list[dict[str, Any]]:
    last = max(1, len(cell.layers) - 1)
    return [
        {
            "model": cell.model,
            "binding": cell.binding,
            "layer": layer.name,
            "depth": number / last if len(cell.layers) > 1 else 1.0,
            "metric": metric,
            **estimate.model_dump(),
            "p": layer.p if metric == cell.metric else None,
            "p_fdr": layer.p_fdr if metric == cell.metric else None,
        }
        for number, layer in enumerate(cell.layers)
        for metric, estimate in layer.metrics.items()
    ]


@dataclass(frozen=True, repr=False)
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

    def __repr__(self) -> str:
        return str(self.to_frame().to_string(index=False, justify="left"))

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False))


@dataclass(frozen=True, repr=False)
class Plan(Sequence[Prospect]):
    """The cells of a run that was not made (``dry_run``). A notebook shows them as a table.

    Attributes
    ----------
    cells : tuple of Prospect
        For each cell its state, and the cost of its features and of its task.
    """

    cells: tuple[Prospect, ...]

    def __len__(self) -> int:
        return len(self.cells)

    def __getitem__(self, index: Any) -> Any:
        return self.cells[index]

    def to_frame(self) -> pd.DataFrame:
        """Data frame with one row for each cell."""
        import pandas as pd

        rows = [
            {
                "model": one.cell.model,
                "binding": one.cell.binding,
                "state": one.state,
                "layers to extract": one.layers,
                "cost of the features": str(one.cost or ""),
                "cost of the task": str(one.work or ""),
                "why": one.why or "",
            }
            for one in self.cells
        ]
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        return str(self.to_frame().to_string(index=False))

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False))
