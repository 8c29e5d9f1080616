"""Write the leaderboard page, and the same numbers for spreadsheets, programs and papers."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.common.errors import DataError
from benchmark.common.files import slug, write_atomic
from benchmark.common.pages import template, write_page
from benchmark.leaderboard.board import Board, boards
from benchmark.leaderboard.check import Metrics, faults
from benchmark.leaderboard.content import content, profiles
from benchmark.leaderboard.gallery import Gallery, gallery
from benchmark.leaderboard.latex import latex
from benchmark.leaderboard.markdown import markdown
from benchmark.leaderboard.rows import as_csv, as_json, tidy
from benchmark.registry import Registry, shipped_root
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
    "matrices.js",
    "arrays.js",
    "words.js",
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
#: Layers and arrays of results that are longer than this, together, are written beside the page
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
        If a file cannot be written; if there is no result and no page is asked for. The page would say how to
        make the first result.
    """
    store = ResultStore(results)
    stored, left_out = store.all()
    sound = []
    known: Metrics = {}
    for one in stored:
        wrong = faults(one.cell, registry, known)
        left_out += [f"{one.path}: {wrong[0]}"] if wrong else []
        sound += [] if wrong else [one]
    if not sound:
        return _first_page(results, page, forms, left_out)
    refused, unread = store.refusals()
    left_out += unread
    by_suite = boards([one.cell for one in sound], registry, [one.cell for one in refused])
    try:
        if "html" in forms:
            beside_scores = gallery(by_suite, sound, store, registry)
            left_out += beside_scores.unread
            write_atomic(page, _html(by_suite, beside_scores, page).encode())
        for form in (form for form in _FORMS if form in forms):
            write_atomic(page.with_suffix(f".{form}"), _FORMS[form](by_suite).encode())
    except OSError as error:
        raise DataError(f"cannot write {page}: {error.strerror or error}") from error
    first, *others = [form for form in ("html", *_FORMS) if form in forms]
    written = page if first == "html" else page.with_suffix(f".{first}")
    beside = f", and {' and '.join(f'.{form}' for form in others)} beside it" if others else ""
    lines = [f"{len(sound)} results -> {written.resolve()}{beside}"]
    return "\n".join([*lines, *(f"left out: {reason}" for reason in left_out)])


def page_folder() -> Path:
    """The folder of the templates, styles and scripts."""
    return shipped_root() / "leaderboard" / "page"


def _first_page(results: Path, page: Path, forms: Sequence[str], left_out: list[str]) -> str:
    """Write the page that says how to make the first result. The other forms would be empty."""
    if "html" not in forms:
        unread = f" ({left_out[0]})" if left_out else ""
        raise DataError(f"no result under {results}{unread}: bench run --output {results} writes them")
    style = (page_folder() / "style.css").read_text(encoding="utf-8")
    first = template(page_folder(), "first.html.j2")
    write_page(
        page, first.render(style=style, output=shlex.quote(str(results)), results=results, left_out=left_out)
    )
    said = f"no result under {results}: {page.resolve()} says how to make the first"
    return "\n".join([said, *(f"left out: {reason}" for reason in left_out)])


def _html(by_suite: list[Board], beside_scores: Gallery, page: Path) -> str:
    def text(name: str) -> str:
        return (page_folder() / name).read_text(encoding="utf-8")

    layers, room = _part("layers", profiles(by_suite), page, _INSIDE)
    arrays, _ = _part("arrays", beside_scores.arrays, page, room)
    return template(page_folder(), "page.html.j2").render(
        vendor_style=text("vendor/tabulator.min.css"),
        style=text("style.css"),
        scripts=[text(name) for name in _SCRIPTS],
        content=_json(content(by_suite, beside_scores)),
        layers=_json(layers),
        arrays=_json(arrays),
    )


def _part(kind: str, entries: Mapping[str, Any], page: Path, room: int) -> tuple[dict[str, Any], int]:
    """The entries if they fit into ``room``, else the names of their files; and what room is left."""
    written = {name: _json(entry) for name, entry in entries.items()}
    length = sum(map(len, written.values()))
    if length <= room:
        return {"here": entries}, room - length
    files = {name: f"{page.stem}-{kind}/{slug(name)}.js" for name in written}
    for name, file in files.items():
        script = f"receive({_json(kind)}, {_json(name)}, {written[name]});"
        write_atomic(page.parent / file, script.encode())
    return {"files": files}, room


def _json(value: Any) -> str:
    """``value`` as JSON that may stand inside an element of HTML."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
