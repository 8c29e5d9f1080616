"""``bench associate``: what photos bring to mind, as a table, a figure and a page."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageOps
from rich import box
from rich.columns import Columns
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmark.association.photos import Photo, associate
from benchmark.association.profile import Profiles
from benchmark.cli.tables import WIDTH
from benchmark.common.errors import UsageError
from benchmark.runner import Options, Session
from benchmark.runner.loaded import LoadedModel


def associate_photos(
    paths: Sequence[Path],
    model: str,
    suite: str,
    options: Options,
    *,
    k: int,
    plot: Path | None,
    html: Path | None,
) -> int:
    """Ask ``model`` about every photo, show what it says, and give the exit status."""
    if plot is not None:
        _require_format(plot)
    session = Session(options)
    loaded = session.model(model, suite)
    miniature = session.registry.suite(suite).miniature
    done = associate(loaded.model, paths, device=session.device, fit=_as_drawn if miniature else None)
    said = _weights(loaded, suite, miniature)
    if done.profiles is not None:
        _print(done.photos, done.profiles, k, said, miniature)
    for problem in done.problems:
        sys.stderr.write(f"error: {' '.join(problem.split())}\n")
    if done.profiles is not None:
        _write(done.photos, done.profiles, k, said, plot, html, miniature)
    return 1 if done.problems else 0


def _as_drawn(image: Image.Image) -> Image.Image:
    """The middle square of an image, at the size of the drawn world, which its networks take alone."""
    from benchmark.datasets.mini.drawing import SIZE

    return ImageOps.fit(image, (SIZE, SIZE), Image.Resampling.BICUBIC)


def _weights(loaded: LoadedModel, suite: str, miniature: bool) -> list[str]:
    """Which weights speak, in lines."""
    checkpoint = loaded.checkpoint
    digest = f", sha256 {checkpoint.sha256[:12]}" if checkpoint.sha256 else ""
    entry = loaded.placed.entry
    lines = [f"{loaded.placed.name} of suite {suite}: {checkpoint.label}{digest}", entry.description]
    if loaded.placed.untrained is not None or checkpoint.untrained is not None:
        lines.append("UNTRAINED: random weights; what it says means nothing")
    elif entry.trained_on:
        lines.append(f"trained on {', '.join(entry.trained_on)}")
    if miniature:
        lines.append("photos are cut to their middle square and made as small as the drawings it knows")
    return lines


def _print(photos: Sequence[Photo], found: Profiles, k: int, weights: list[str], miniature: bool) -> None:
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    for line in weights:
        console.print(Text(line), soft_wrap=True)
    if miniature:
        console.print(Text("MINIATURE: a network of a drawn world; it says nothing about people", "bold"))
    tables = [_table(photo.name, found.strongest(i, k)) for i, photo in enumerate(photos)]
    console.print(Columns(tables, padding=(1, 4)))
    console.print(f"strengths sum to 1 over {len(found.vocabulary)} words", style="dim", highlight=False)


def _table(name: str, strongest: Sequence[tuple[str, float]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(Text(name), overflow="fold", max_width=40)
    table.add_column("strength", justify="right")
    for word, strength in strongest:
        table.add_row(Text(word), f"{strength:.3f}")
    return table


def _write(
    photos: Sequence[Photo],
    found: Profiles,
    k: int,
    weights: list[str],
    plot: Path | None,
    html: Path | None,
    miniature: bool,
) -> None:
    # matplotlib and jinja2 take longer to import than a photo takes: only those who ask wait for them
    if plot is not None:
        from benchmark.association.figure import save_figure

        says_nothing = "; miniature: says nothing about people" if miniature else ""
        save_figure(plot, photos, found, k, weights[0] + says_nothing)
        print(f"figure: {plot.resolve()}")
    if html is not None:
        from benchmark.association.profile_page import save_page

        save_page(html, photos, found, k, weights, miniature)
        print(f"page: {html.resolve()}")


def _require_format(plot: Path) -> None:
    from benchmark.association.figure import FORMATS

    if plot.suffix.lower() not in FORMATS:
        raise UsageError(f"--plot {plot}: end the name in {', '.join(FORMATS)}")
