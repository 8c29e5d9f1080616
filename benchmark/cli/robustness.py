"""``bench robustness``: one binding under every recipe of an RDM, as tables or JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
from rich import box
from rich.table import Table

from benchmark.cli.console import console, progress_bars
from benchmark.cli.run import WorkBar
from benchmark.cli.tables import number
from benchmark.results import finite_or_none
from benchmark.robustness import Multiverse, multiverse
from benchmark.runner import Options, Session, plan


def show_robustness(
    models: list[str], binding: str, suite: str, options: Options, poolings: list[str], form: str
) -> int:
    """Score models under every recipe, and print scores, ranks and the orders that hold.

    Parameters
    ----------
    models : list of str
        Names, or "all".
    binding : str
        Name of a binding.
    suite : str
        The suite.
    options : Options
        Registries, data root, layers, device, seed and folder of the results.
    poolings : list of {"average", "max"}
        Further poolings of every network that are tried.
    form : {"table", "json"}
        How the answer is printed.

    Returns
    -------
    int
        Exit status: 0 if every model has a score under every recipe, else 1.
    """
    session = Session(options)
    session.registry.binding(suite, binding)
    names = list(dict.fromkeys(cell.model for cell in plan(session.registry, models, [binding], suite)))
    with progress_bars() as bars:
        found = multiverse(session, binding, suite, names, lambda label: WorkBar(bars, label), poolings)
    if form == "json":
        sys.stdout.write(json.dumps(_as_json(found), indent=1, allow_nan=False) + "\n")
    else:
        _print(found)
    return 1 if found.missing else 0


def _as_json(found: Multiverse) -> dict[str, Any]:
    """The scores by model and recipe, and the orders, as JSON can hold them."""
    return {
        "suite": found.suite,
        "binding": found.binding,
        "metric": found.metric,
        "miniature": found.miniature,
        "scores": [
            {
                "model": model,
                **recipe._asdict(),
                "score": finite_or_none(found.scores[m, r]),
                "ci_low": finite_or_none(found.low[m, r]),
                "ci_high": finite_or_none(found.high[m, r]),
                "rank": finite_or_none(found.ranks[m, r]),
            }
            for m, model in enumerate(found.models)
            for r, recipe in enumerate(found.recipes)
        ],
        "recipes": len(found.recipes),
        "orders": [vars(order) for order in found.orders],
        "not_scored": found.missing,
    }


def _print(found: Multiverse) -> None:
    out = console()
    note = " - MINIATURE: it says nothing about people" if found.miniature else ""
    out.print(f"{found.binding}, {found.metric}, suite {found.suite}{note}", style="bold")
    out.print(_scores(found))
    out.print("score (rank); the first recipe is that of the binding; --format json has the intervals")
    out.print(_orders(found))
    out.print(
        f"of {len(found.recipes)} recipes; significant: adjusted p < .05 over all pairs of models of a recipe"
    )
    for model, reason in found.missing.items():
        out.print(f"{model}: not scored under some recipe: {reason}", soft_wrap=True)


def _scores(found: Multiverse) -> Table:
    """A row for each recipe and a column for each model, or the other way round if there are more models."""
    corner, lines, columns = "model", list(found.models), list(map(str, found.recipes))
    scores, ranks = found.scores, found.ranks
    if len(lines) <= len(columns):
        corner, lines, columns, scores, ranks = "recipe", columns, lines, scores.T, ranks.T
    table = Table(corner, box=box.SIMPLE)
    for column in columns:
        table.add_column(column, justify="right", overflow="fold")
    for r, line in enumerate(lines):
        table.add_row(line, *map(_cell, scores[r], ranks[r]))
    return table


def _cell(score: float, rank: float) -> str:
    return number(finite_or_none(score)) + ("" if np.isnan(rank) else f" ({rank:.0f})")


def _orders(found: Multiverse) -> Table:
    table = Table("higher", "lower", box=box.SIMPLE)
    for column in ("under", "significant", "reversed, significant"):
        table.add_column(column, justify="right")
    for order in found.orders:
        table.add_row(order.first, order.second, *map(str, (order.holds, order.decided, order.reversed)))
    return table
