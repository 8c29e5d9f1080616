"""``bench partition``: what models explain of a target, alone and together: table, JSON, CSV, figure."""

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
from benchmark.cli.tables import MARKS, between, number, write_csv
from benchmark.common.figures import require_format
from benchmark.results import finite_or_none
from benchmark.runner import Options, Session

if TYPE_CHECKING:
    from benchmark.partition import ModelPartition


def show_partition(
    models: Sequence[str], target: str, suite: str, options: Options, *, form: str, figure: Path | None
) -> None:
    """Partition the variance of a target between models, and print the parts.

    Parameters
    ----------
    models : sequence of str
        Names of two or three models.
    target : str
        Name of a binding or of a target.
    suite : str
        The suite.
    options : Options
        Registries, data root, layers, device and seed.
    form : {"table", "json", "csv"}
        How the parts are printed.
    figure : Path or None
        File for the figure; None: it is not drawn.

    Raises
    ------
    BenchError
        If a model, a layer or the target cannot be used, or the figure cannot be written.
    """
    if figure is not None:
        require_format(figure, "--figure")
    from benchmark.partition import model_partition

    with progress_bars() as bars:
        found = model_partition(
            Session(options), models, target, suite, options.layers, lambda label: WorkBar(bars, label)
        )
    rows = list(found.rows())
    if form == "json":
        about = {"layers": found.shares.layers, "counts": found.counts, "trained_on": found.trained_on}
        whole = {"concepts": found.concepts, **about, **found.provenance, "parts": rows}
        sys.stdout.write(json.dumps(whole, indent=1, allow_nan=False) + "\n")
    elif form == "csv":
        write_csv(rows)
    else:
        _print(found)
    if figure is not None:
        # matplotlib is slow to import
        from benchmark.partition.figure import save_figure

        save_figure(figure, found)
        say(f"figure: {figure.resolve()}", error=form != "table")


def _print(found: ModelPartition) -> None:
    """One line for each part; then what the numbers are."""
    out, about = console(), found.provenance
    if about["miniature"]:
        out.print("MINIATURE: networks made for drawn images; it says nothing about people", style="bold")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("part")
    table.add_column("of", overflow="fold")
    for heading in ("variance", "interval", "p", "ceiling"):
        table.add_column(heading, justify="right")
    for part in found.parts():
        estimate, ceiling = part.share.estimate, part.share.ceiling
        table.add_row(
            part.name,
            ", ".join(part.models),
            number(finite_or_none(estimate.score)),
            between(finite_or_none(estimate.low), finite_or_none(estimate.high)),
            number(part.share.p),
            "-" if ceiling is None else between(ceiling.lower, ceiling.upper),
        )
    out.print(table)
    dropped = sum(found.counts[reason] for reason in ("missing", "ambiguous", "uncovered"))
    say(
        f"{about['target']}, {len(found.concepts)} concepts of {about['stimuli']}, {dropped} dropped; "
        "by chance every part is 0"
    )
    several = any(len(entry) > 1 for entry in found.shares.candidates.values())
    say(f"layers of p and ceiling: {', '.join(f'{m} {layer}' for m, layer in found.shares.layers.items())}")
    if several:
        say("variance: of the layer that explains most on one half of the concepts, on the other half")
    for mark, marked in (("u", found.untrained), ("*", found.trained_on)):
        for model in marked:
            say(f"{model}: {MARKS[mark]}")
