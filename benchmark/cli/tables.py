"""Results as tables for a terminal."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from benchmark.cli.console import console
from benchmark.common.text import spreadsheet
from benchmark.results import average_seeds
from benchmark.runner import Outcome, Prospect

MARKS = {
    "*": "the model was trained with this target",
    "u": "untrained: random weights",
    "s": "mean over the seeds; the interval column shows the range from their 5th to their 95th percentile",
}


def number(value: float | None, digits: int = 3) -> str:
    """``value`` as text with ``digits`` decimals; a dash where it is undefined or does not apply."""
    return "-" if value is None else f"{value:.{digits}f}"


def write_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    """Write ``rows``, at least one, all of the same names, as CSV to standard output."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(rows[0])
    writer.writerows(map(spreadsheet, row.values()) for row in rows)


def between(low: float | None, high: float | None) -> str:
    """The interval from ``low`` to ``high`` as text."""
    return "-" if low is None or high is None else f"{number(low)} to {number(high)}"


def print_outcomes(outcomes: Sequence[Outcome], miniature: bool, suite: str, output: Path) -> None:
    """Print the results of a run, the reasons why cells have no score, and the folder of the results.

    Parameters
    ----------
    outcomes : sequence of Outcome
        The cells of the run.
    miniature : bool
        Whether the suite is a miniature: drawn images and simulated people.
    suite : str
        Name of the suite.
    output : Path
        Folder of the results.
    """
    out = console()
    title = f"suite {suite}"
    if miniature:
        title += (
            " - MINIATURE: drawn images, simulated people; it tests the tasks, it says nothing about people"
        )
    out.print(title, style="bold")
    scored = [o for o in outcomes if o.cell.status == "scored"]
    if scored:
        rows = _one_row_for_seeds(scored)
        out.print(_table(rows))
        for key in dict.fromkeys(key for o in rows for key in _marks(o)):
            out.print(f"{key} {MARKS[key]}")
    without = [o.cell for o in outcomes if o.cell.status != "scored"]
    for line in _reasons([(c.model, c.binding, c.status.replace("_", " "), c.reason) for c in without]):
        out.print(line, style="red", soft_wrap=True)
    cached = sum(o.cached for o in outcomes)
    note = f"; {cached} stored already: nothing was recomputed for stored cells" if cached else ""
    out.print(f"{len(scored)} of {len(outcomes)} cells scored{note}")
    if scored:
        out.print(f"results: {output.resolve() / suite}", soft_wrap=True)


def _reasons(cells: Sequence[tuple[str, str, str, str | None]]) -> list[str]:
    """A line for each reason: all its cells, given as model, binding, state and reason."""
    alike: dict[tuple[str, str | None], list[tuple[str, str]]] = {}
    for model, binding, state, reason in cells:
        alike.setdefault((state, reason), []).append((model, binding))
    lines = []
    for (state, reason), names in alike.items():
        models, bindings = (", ".join(dict.fromkeys(column)) for column in zip(*names, strict=True))
        count = f" ({len(names)} cells)" if len(names) > 1 else ""
        lines.append(f"{models}, {bindings}{count}: {state}: {reason}")
    return lines


def _one_row_for_seeds(scored: Sequence[Outcome]) -> list[Outcome]:
    """Outcomes in which the twins of one model, with several seeds, share a row at the place of the first."""
    by_cell = {(o.cell.model, o.cell.binding): o for o in scored}
    rows: list[Outcome] = []
    for cell in average_seeds([o.cell for o in scored]):
        outcome = by_cell.get((cell.model, cell.binding))
        if outcome is None:
            seeds = [o for o in scored if _base_name(o.cell.model) == _base_name(cell.model)]
            cached = all(o.cached for o in seeds if o.cell.binding == cell.binding)
            outcome = Outcome(cell, None, cached=cached)
        rows.append(replace(outcome, cell=cell))
    return rows


def _base_name(model: str) -> str:
    return model.partition("@untrained:")[0]


def _table(outcomes: Sequence[Outcome]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("model", "binding", "metric"):
        table.add_column(column, overflow="fold")
    for column in ("score", "95 % interval", "chance", "ceiling"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("best layer", overflow="fold")
    for column in ("n", "time"):
        table.add_column(column, justify="right", no_wrap=True)
    previous = None
    for outcome in outcomes:
        cell = outcome.cell
        provenance = cell.provenance
        time = "cached" if outcome.cached else f"{provenance.seconds:.1f} s" if provenance else "-"
        table.add_row(
            cell.model if cell.model != previous else "",
            " ".join([cell.binding, *_marks(outcome)]),
            cell.metric or "-",
            number(cell.score),
            between(cell.ci_low, cell.ci_high),
            number(cell.chance),
            between(cell.ceiling_low, cell.ceiling_high),
            cell.best_layer or "-",
            str(cell.n),
            time,
        )
        previous = cell.model
    return table


def _marks(outcome: Outcome) -> list[str]:
    cell = outcome.cell
    applies = {"*": cell.trained_on, "u": cell.untrained, "s": cell.averaged}
    return [mark for mark, is_marked in applies.items() if is_marked]


def print_prospects(planned: Sequence[Prospect]) -> None:
    """Print what a run would do with the ``planned`` cells: a row for each, then how many would be scored."""
    out = console()
    table = Table(box=box.SIMPLE)
    for column in (
        "model",
        "binding",
        "state",
        "layers to extract",
        "cost of the features",
        "cost of the task",
    ):
        table.add_column(column)
    for prospect in planned:
        costs = ["" if cost is None else str(cost) for cost in (prospect.cost, prospect.work)]
        layers = str(prospect.layers) if prospect.layers else ""
        table.add_row(prospect.cell.model, prospect.cell.binding, prospect.state, layers, *costs)
    out.print(table)
    for line in _reasons([(p.cell.model, p.cell.binding, p.state, p.why) for p in planned if p.why]):
        out.print(line, style="red", soft_wrap=True)
    missing = sum(prospect.state == "to score" for prospect in planned)
    out.print(f"{missing} of {len(planned)} cells would be scored")
