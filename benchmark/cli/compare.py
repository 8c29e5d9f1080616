"""``bench compare``: paired differences of models, from results alone."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from rich import box
from rich.table import Table

from benchmark.cli.console import console
from benchmark.cli.tables import between, number, write_csv
from benchmark.leaderboard.compare import Difference, cells_to_compare, compare
from benchmark.results import CellResult, finite_or_none


def show_comparison(models: list[str], suite: str, results: Path, form: str) -> int:
    """Print the paired difference of every two models on every binding.

    Parameters
    ----------
    models : list of str
        Two or more names.
    suite : str
        The suite.
    results : Path
        Folder that ``bench run --output`` wrote.
    form : {"table", "json", "csv"}
        How the answer is printed.

    Returns
    -------
    int
        Exit status: 0.

    Raises
    ------
    UsageError
        If fewer than two models are named, one has no result, or no two share a binding.
    """
    named = list(dict.fromkeys(models))
    cells = cells_to_compare(results, named, suite)
    found = compare(cells, named)
    if form == "table":
        _print(found, suite, cells)
    else:
        _write(found, form)
    return 0


def _write(found: list[Difference], form: str) -> None:
    rows = [{name: _plain(value) for name, value in asdict(one).items()} for one in found]
    if form == "json":
        sys.stdout.write(json.dumps(rows, indent=1, allow_nan=False) + "\n")
        return
    write_csv(rows)


def _plain(value: object) -> object:
    return finite_or_none(value) if isinstance(value, float) else value


def _print(found: list[Difference], suite: str, cells: list[CellResult]) -> None:
    out = console()
    note = " - MINIATURE: it says nothing about people" if any(cell.miniature for cell in cells) else ""
    out.print(f"paired differences, suite {suite}{note}", style="bold")
    table = Table("binding", box=box.SIMPLE)
    for name in ("first", "second"):
        table.add_column(name, overflow="fold")
    for name in ("scores", "difference", "95 % interval", "p", "p, corrected", "n"):
        table.add_column(name, justify="right")
    for one in (one for one in found if not one.why):
        scores = f"{number(one.first_score)} {number(one.second_score)}"
        values = (number(one.difference), between(one.low, one.high), f"{one.p:.2g}", f"{one.p_fdr:.2g}")
        table.add_row(one.binding, one.first, one.second, scores, *values, str(one.n))
    out.print(table)
    for one in found:
        if one.why:
            out.print(f"{one.binding}, {one.first} and {one.second}: {one.why}", soft_wrap=True)
    out.print(
        "difference: first less second, each with its best layer on all concepts; corrected: false discovery "
        "rate over all rows"
    )
