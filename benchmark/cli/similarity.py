"""``bench similarity``: layers of models compared with one another, as table, JSON, CSV and figure."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from benchmark.cli.console import console, progress_bars, say
from benchmark.cli.run import WorkBar
from benchmark.cli.tables import between, number, write_csv
from benchmark.common.figures import require_format
from benchmark.results import finite_or_none
from benchmark.runner import Options, Session
from benchmark.runner.plan import chosen_models

if TYPE_CHECKING:
    from benchmark.model_similarity import Matrix, Similarities


def show_similarity(
    models: Sequence[str],
    suite: str,
    options: Options,
    *,
    stimuli: str | None,
    measures: Sequence[str],
    metric: str,
    form: str,
    figure: Path | None,
) -> None:
    """Compare layers of models and print the similarities.

    Parameters
    ----------
    models : sequence of str
        Names of models, or "all".
    suite : str
        Suite whose weights of the models are used.
    options : Options
        Registries, data root, layers, device and seed.
    stimuli : str or None
        Name of a stimulus set, or a folder of images; None: the stimuli of the suite's first binding.
    measures : sequence of str
        Names of measures, or "all".
    metric : str
        Dissimilarity of the RDMs.
    form : {"table", "json", "csv"}
        How the similarities are printed.
    figure : Path or None
        File for the figure; None: it is not drawn.

    Raises
    ------
    BenchError
        If a model, a layer or the stimuli cannot be used, or the figure cannot be written.
    """
    if figure is not None:
        require_format(figure, "--figure")
    session = Session(options)
    chosen_models(session.registry, models, suite)  # an unknown name is refused before anything is imported
    from benchmark.model_similarity import model_similarity

    with progress_bars() as bars:
        found = model_similarity(
            session,
            models,
            suite,
            options.layers,
            stimuli,
            measures=measures,
            metric=metric,
            bars=lambda label: WorkBar(bars, label),
        )
    rows = list(found.rows())
    if form == "json":
        whole = {"concepts": found.concepts, "dropped": found.dropped, **found.provenance, "pairs": rows}
        sys.stdout.write(json.dumps(whole, indent=1, allow_nan=False) + "\n")
    elif form == "csv":
        write_csv(rows)
    else:
        _print(found)
    if figure is not None:
        # matplotlib is slow to import
        from benchmark.model_similarity.figure import save_figure

        save_figure(figure, found)
        say(f"figure: {figure.resolve()}", error=form != "table")


def _print(found: Similarities) -> None:
    """One line for each two layers, with a column for each measure; then what the numbers are."""
    from benchmark.model_similarity import MEASURES

    out = console()
    if found.provenance["miniature"]:
        out.print("MINIATURE: networks made for drawn images; it says nothing about people", style="bold")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("layer", "layer"):
        table.add_column(heading, overflow="fold")
    for matrix in found.matrices:
        table.add_column(MEASURES[matrix.measure].label, justify="right")
    m = len(found.layers)
    for i in range(m):
        for j in range(i + 1, m):
            cells = [_cell(matrix, i, j) for matrix in found.matrices]
            table.add_row(str(found.layers[i]), str(found.layers[j]), *cells)
    out.print(table)
    say(f"{len(found.concepts)} concepts of {found.provenance['stimuli']}, {found.dropped} dropped")
    for matrix in found.matrices:
        measure = MEASURES[matrix.measure]
        say(f"{measure.label}: interval by {measure.interval}")
        if matrix.undefined:
            (i, j), reason = next(iter(matrix.undefined.items()))
            first = f"{found.layers[i]} with {found.layers[j]}: {reason}"
            say(f"{measure.label}: undefined for {len(matrix.undefined)} of the pairs, first {first}")


def _cell(matrix: Matrix, i: int, j: int) -> str:
    values = (matrix.similarity, matrix.low, matrix.high, matrix.chance)
    score, low, high, chance = (finite_or_none(array[i, j]) for array in values)
    if score is None:
        return "-"
    by_chance = "" if chance == 0 else f", chance {number(chance)}"
    return f"{number(score)} ({between(low, high)}{by_chance})"
