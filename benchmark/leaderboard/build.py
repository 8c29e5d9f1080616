"""Write the leaderboard page, and the same numbers as CSV and Markdown."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmark.common.errors import DataError
from benchmark.common.files import slug, write_atomic
from benchmark.leaderboard.board import Board, boards
from benchmark.leaderboard.check import Metrics, faults
from benchmark.leaderboard.content import content, profiles
from benchmark.leaderboard.markdown import markdown
from benchmark.registry import Registry, shipped_root
from benchmark.results import LEVELS, ResultStore

#: The scripts of the page, in the order in which they need one another
_SCRIPTS = (
    "vendor/tabulator.min.js",
    "vendor/d3.min.js",
    "vendor/plot.min.js",
    "table.js",
    "charts.js",
    "views.js",
    "page.js",
)
#: Layers of all cells that are longer than this are written beside the page
_INSIDE = 1_500_000


def build_page(results: Path, page: Path, registry: Registry) -> str:
    """Write the page from all results in a folder, and beside it a CSV and a Markdown file.

    Parameters
    ----------
    results : Path
        Folder that ``bench run --output`` wrote.
    page : Path
        The HTML file to write. The other two files have the same name with another ending.
    registry : Registry
        Describes the suites, bindings and metrics.

    Returns
    -------
    str
        A message for the user: what was written.

    Raises
    ------
    DataError
        If there is no result, or a file cannot be written.
    """
    stored, left_out = ResultStore(results).all()
    cells = []
    known: Metrics = {}
    for one in stored:
        wrong = faults(one.cell, registry, known)
        left_out += [f"{one.path}: {wrong[0]}"] if wrong else []
        cells += [] if wrong else [one.cell]
    if not cells:
        unread = f" ({left_out[0]})" if left_out else ""
        raise DataError(f"no result under {results}{unread}: bench run --output {results} writes them")
    by_suite = boards(cells, registry)
    try:
        write_atomic(page, _html(by_suite, page).encode())
        write_atomic(page.with_suffix(".csv"), _csv(by_suite).encode())
        write_atomic(page.with_suffix(".md"), "\n".join(map(markdown, by_suite)).encode())
    except OSError as error:
        raise DataError(f"cannot write {page}: {error.strerror or error}") from error
    lines = [f"{len(cells)} results -> {page.resolve()}, and .csv and .md beside it"]
    return "\n".join([*lines, *(f"left out: {reason}" for reason in left_out)])


def _html(by_suite: list[Board], page: Path) -> str:
    folder = shipped_root() / "leaderboard" / "page"
    environment = Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )

    def text(name: str) -> str:
        return (folder / name).read_text(encoding="utf-8")

    return environment.get_template("page.html.j2").render(
        vendor_style=text("vendor/tabulator.min.css"),
        style=text("style.css"),
        scripts=[text(name) for name in _SCRIPTS],
        content=_json(content(by_suite)),
        profiles=_json(_profiles(by_suite, page)),
    )


def _profiles(by_suite: list[Board], page: Path) -> dict[str, Any]:
    """The layers of all cells where they are few, else the names of files that hold them."""
    of_suites = profiles(by_suite)
    written = {suite: _json(of_suite) for suite, of_suite in of_suites.items()}
    if sum(map(len, written.values())) <= _INSIDE:
        return {"here": of_suites}
    files = {suite: f"{page.stem}-layers/{slug(suite)}.js" for suite in written}
    for suite, name in files.items():
        write_atomic(page.parent / name, f"receive({_json(suite)}, {written[suite]});".encode())
    return {"files": files}


def _json(value: Any) -> str:
    """``value`` as JSON that may stand inside an element of HTML."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _csv(by_suite: list[Board]) -> str:
    """One line for each cell (its layer is empty), and one for each of its layers and metrics."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    numbers = ("score", "ci_low", "ci_high", *LEVELS)
    marked = ("n", "trained_on", "untrained", "interval")
    write(("suite", "binding", "task", "model", "layer", "metric", *numbers, *marked))
    for board in by_suite:
        for column in board.columns:
            for c in column.cells:
                interval = "5-95 % of seeds" if c.averaged else "95 % over concepts"
                marks = (c.n, c.trained_on, c.untrained, interval)
                head = tuple(map(_no_formula, (c.suite, c.binding, c.task, c.model)))
                write((*head, "", _no_formula(c.metric or ""), *(getattr(c, key) for key in numbers), *marks))
                for layer in c.layers:
                    for metric, estimate in layer.metrics.items():
                        values = (getattr(estimate, key) for key in numbers)
                        write((*head, _no_formula(layer.name), _no_formula(metric), *values, *marks))
    return out.getvalue()


def _no_formula(name: str) -> str:
    """``name`` as it is, unless a spreadsheet would run it as a formula: then after an apostrophe."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) and not _is_number(name) else name


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
