"""``bench interpret``: the properties that layers of a model predict for photos."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from benchmark.cli.console import coloured, console, say
from benchmark.cli.tables import write_csv
from benchmark.common.figures import require_format
from benchmark.interpretation.colours import colours_of
from benchmark.interpretation.properties import Interpretation, PhotoProperties, interpret
from benchmark.runner import Options, Session


def interpret_photos(
    paths: Sequence[Path],
    model: str,
    suite: str,
    options: Options,
    *,
    k: int,
    form: str,
    plot: Path | None,
    html: Path | None,
) -> int:
    """Show the strongest predicted properties of every photo in every layer that was asked for.

    Parameters
    ----------
    paths : sequence of Path
        The photos.
    model, suite : str
        Names of a model and of a suite.
    options : Options
        Registries, data root, layers and device.
    k : int
        Number of properties to show for each layer.
    form : str
        "table", "json" or "csv".
    plot, html : Path or None
        Files for the figure and for the page; None: they are not written.

    Returns
    -------
    int
        Exit status: 1 if a photo cannot be read, else 0.
    """
    if plot is not None:
        require_format(plot, "--plot")
    found = interpret(Session(options), model, suite, paths, k)
    about = form != "table"
    say(*found.about, error=about)
    if found.miniature:
        console(error=about).print("MINIATURE: drawn images; it says nothing about people", style="bold")
    if form == "json":
        sys.stdout.write(json.dumps(_rows(found), indent=1) + "\n")
    elif form == "csv" and found.photos:
        write_csv(_rows(found))
    elif form == "table":
        _print(found)
    for problem in found.problems:
        say(f"error: {' '.join(problem.split())}", error=True)
    _write(found, plot, html, error=about)
    return 1 if found.problems else 0


def _rows(found: Interpretation) -> list[dict[str, Any]]:
    return [
        {
            "photo": str(photo.path),
            "layer": layer,
            "rank": rank,
            "property": prediction.name,
            "type": prediction.kind,
            "probability": prediction.probability,
        }
        for photo in found.photos
        for layer, predictions in photo.layers.items()
        for rank, prediction in enumerate(predictions, 1)
    ]


def _print(found: Interpretation) -> None:
    out = console()
    colours = colours_of(found.kinds)
    for photo in found.photos:
        out.print(_table(photo, colours))
    if not found.photos:
        return
    out.print(coloured([(kind, f"bold {colour}") for kind, colour in colours.items()], between="  "))
    out.print("probability of a property where both classes have the same weight", style="dim")


def _table(photo: PhotoProperties, colours: dict[str, str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=photo.path.name, title_justify="left")
    for layer in photo.layers:
        table.add_column(layer, overflow="fold")
    for row in zip(*photo.layers.values(), strict=True):
        table.add_row(*(coloured([(f"{p.probability:.2f} ", ""), (p.name, colours[p.kind])]) for p in row))
    return table


def _write(found: Interpretation, plot: Path | None, html: Path | None, *, error: bool) -> None:
    if not found.photos:
        return
    # matplotlib and jinja2 are imported only if they are needed
    if plot is not None:
        from benchmark.interpretation.figure import save_figure

        save_figure(plot, found)
        say(f"figure: {plot.resolve()}", error=error)
    if html is not None:
        from benchmark.interpretation.page import save_page

        save_page(html, found)
        say(f"page: {html.resolve()}", error=error)
