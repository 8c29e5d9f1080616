"""A report on one model for the supplement of a paper: one self-contained HTML page, or a PDF of it."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from benchmark.common.errors import BenchError, UsageError
from benchmark.common.pages import template, write_page
from benchmark.leaderboard.board import Column, boards
from benchmark.leaderboard.build import page_folder
from benchmark.leaderboard.check import faults
from benchmark.leaderboard.figures import profiles
from benchmark.leaderboard.figures.style import p_text, style
from benchmark.leaderboard.markdown import number
from benchmark.leaderboard.pdf import print_pdf
from benchmark.registry import Registry
from benchmark.results import VARIANT, CellResult, LayerScore, ResultStore

#: How a report is written, by the ending of its name
_FORMS: dict[str, Callable[[str, Path], None]] = {
    ".html": lambda text, path: write_page(path, text),
    ".pdf": print_pdf,
}


@dataclass(frozen=True)
class _Row:
    """A binding with the cell of the model."""

    column: Column
    cell: CellResult

    @property
    def best(self) -> LayerScore | None:
        """The best layer on all concepts."""
        return next((layer for layer in self.cell.layers if layer.name == self.cell.best_layer), None)


def write_report(results: Path, model: str, suite: str, page: Path, registry: Registry) -> int:
    """Write the report on a model: its scores, layer curves, methods, references and provenance.

    Parameters
    ----------
    results : Path
        Folder that ``bench run --output`` wrote.
    model, suite : str
        Names.
    page : Path
        The file to write, .html or .pdf. Chromium or Chrome prints a PDF.
    registry : Registry
        Describes the tasks and their references.

    Returns
    -------
    int
        Number of bindings in the report.

    Raises
    ------
    BenchError
        If the model has no score in the suite, or the file cannot be written or has another ending.
    """
    write = _FORMS.get(page.suffix.lower())
    if write is None:
        raise UsageError(f"--page {page}: unknown format; end the name in {' or '.join(_FORMS)}")
    stored, _ = ResultStore(results).all()
    cells = [
        one.cell
        for one in stored
        if one.cell.model == model and one.cell.suite == suite and VARIANT not in one.cell.binding
    ]
    sound = [cell for cell in cells if not faults(cell, registry)]
    columns = [column for board in boards(sound, registry) for column in board.columns]
    if not columns:
        raise UsageError(
            f"no score of model {model!r} in suite {suite!r} under {results}: "
            f"bench run --suite {suite} --model {model} --task all --output {results}"
        )
    rows = [_Row(column, column.cells[0]) for column in columns]
    text = template(page_folder(), "report.html.j2").render(
        model=model,
        suite=suite,
        miniature=any(row.cell.miniature for row in rows),
        rows=rows,
        made=rows[0].cell.provenance,
        figure=_figure([row.cell for row in rows]),
        references=_references(rows, registry),
        number=number,
        p=_p,
    )
    write(text, page)
    return len(rows)


def _p(p: float | None) -> str:
    """A p-value in a column of its own: the sign stands where it is no equality."""
    return "-" if p is None else p_text(p).removeprefix("p ").removeprefix("= ")


def _figure(cells: Sequence[CellResult]) -> Markup:
    """Layer curves as SVG that stands inside HTML; matplotlib escapes the names in it."""
    out = io.StringIO()
    with style():
        profiles(cells).savefig(out, format="svg")
    text = out.getvalue()
    return Markup(text[text.index("<svg") :])  # noqa: S704 - see above


def _references(rows: Sequence[_Row], registry: Registry) -> list[str]:
    """BibTeX of the tasks and of the model, each once."""
    of_tasks = [_reference(task, registry) for task in dict.fromkeys(row.cell.task for row in rows)]
    made = rows[0].cell.provenance
    of_model = made.registry_entry.get("citation") if made else None
    return list(dict.fromkeys(str(text).strip() for text in (*of_tasks, of_model) if text))


def _reference(task: str, registry: Registry) -> str:
    try:
        return str(registry.task(task).load().reference)
    except BenchError:  # a task that is not in this registry has no reference here
        return ""
