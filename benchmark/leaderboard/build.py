"""Write the leaderboard page, and the same numbers for spreadsheets, programs and papers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmark.common.errors import DataError
from benchmark.common.files import slug, write_atomic
from benchmark.leaderboard.board import Board, boards
from benchmark.leaderboard.check import Metrics, faults
from benchmark.leaderboard.content import content, profiles
from benchmark.leaderboard.latex import latex
from benchmark.leaderboard.markdown import markdown
from benchmark.leaderboard.rows import as_csv, as_json, tidy
from benchmark.leaderboard.templates import page_folder, template
from benchmark.registry import Registry
from benchmark.results import ResultStore

#: The scripts of the page, in the order in which they need one another
_SCRIPTS = (
    "vendor/tabulator.min.js",
    "vendor/d3.min.js",
    "vendor/plot.min.js",
    "vendor/jstat.min.js",
    "table.js",
    "charts.js",
    "paired.js",
    "choices.js",
    "views.js",
    "page.js",
)
#: The forms of the numbers: how each is made. The name of the form is the ending of its file
_FORMS: dict[str, Callable[[list[Board]], str]] = {
    "csv": lambda by_suite: as_csv(tidy(by_suite)),
    "json": lambda by_suite: as_json(tidy(by_suite)),
    "md": lambda by_suite: "\n".join(map(markdown, by_suite)),
    "tex": lambda by_suite: "\n".join(map(latex, by_suite)),
}
#: Layers of all cells that are longer than this are written beside the page
_INSIDE = 1_500_000


def build_page(
    results: Path, page: Path, registry: Registry, forms: Sequence[str] = ("html", "csv", "md")
) -> str:
    """Write the page from all results in a folder, and beside it the same numbers in other forms.

    Parameters
    ----------
    results : Path
        Folder that ``bench run --output`` wrote.
    page : Path
        The HTML file to write. The other files have the same name with another ending.
    registry : Registry
        Describes the suites, bindings and metrics.
    forms : sequence of {"html", "csv", "json", "md", "tex"}
        What is written.

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
        if "html" in forms:
            write_atomic(page, _html(by_suite, page).encode())
        for form in (form for form in _FORMS if form in forms):
            write_atomic(page.with_suffix(f".{form}"), _FORMS[form](by_suite).encode())
    except OSError as error:
        raise DataError(f"cannot write {page}: {error.strerror or error}") from error
    first, *others = [form for form in ("html", *_FORMS) if form in forms]
    written = page if first == "html" else page.with_suffix(f".{first}")
    beside = f", and {' and '.join(f'.{form}' for form in others)} beside it" if others else ""
    lines = [f"{len(cells)} results -> {written.resolve()}{beside}"]
    return "\n".join([*lines, *(f"left out: {reason}" for reason in left_out)])


def _html(by_suite: list[Board], page: Path) -> str:
    def text(name: str) -> str:
        return (page_folder() / name).read_text(encoding="utf-8")

    return template("page.html.j2").render(
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
