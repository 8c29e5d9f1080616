"""``bench associate``: the words that photos bring to mind, as a table, a figure and a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageOps
from rich import box
from rich.columns import Columns
from rich.table import Table

from benchmark.association.photos import Photo, associate
from benchmark.association.profile import Profiles
from benchmark.cli.console import console, say
from benchmark.common.figures import require_format
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
    """Run a model on every photo and show the words that it gives.

    Parameters
    ----------
    paths : sequence of Path
        The photos.
    model : str
        Name of a model with an association head.
    suite : str
        Suite whose weights of the model are used.
    options : Options
        Registries, data root and device.
    k : int
        Number of words to show for each photo.
    plot, html : Path or None
        Files for the figure and for the interactive page; None: they are not written.

    Returns
    -------
    int
        Exit status: 1 if a photo has no words, else 0.
    """
    if plot is not None:
        require_format(plot, "--plot")
    session = Session(options)
    loaded = session.model(model, suite)
    miniature = session.registry.suite(suite).miniature
    answer = associate(loaded.model, paths, device=session.device, fit=_as_drawn if miniature else None)
    weights = _weights(loaded, suite, miniature)
    if answer.profiles is not None:
        _print(answer.photos, answer.profiles, k, weights, miniature)
    for problem in answer.problems:
        say(f"error: {' '.join(problem.split())}", error=True)
    if answer.profiles is not None:
        _write(answer.photos, answer.profiles, k, weights, plot, html, miniature)
    return 1 if answer.problems else 0


def _as_drawn(image: Image.Image) -> Image.Image:
    """Middle square of an image, at the size of the drawings: the networks of the miniature take no other."""
    from benchmark.datasets.mini.drawing import SIZE

    return ImageOps.fit(image, (SIZE, SIZE), Image.Resampling.BICUBIC)


def _weights(loaded: LoadedModel, suite: str, miniature: bool) -> list[str]:
    """Lines that say which weights the words come from."""
    checkpoint = loaded.checkpoint
    digest = f", sha256 {checkpoint.sha256[:12]}" if checkpoint.sha256 else ""
    entry = loaded.placed.entry
    lines = [f"{loaded.placed.name} of suite {suite}: {checkpoint.label}{digest}", entry.description]
    if loaded.is_untrained:
        lines.append("UNTRAINED: random weights; the words mean nothing")
    elif entry.trained_on:
        lines.append(f"trained on {', '.join(entry.trained_on)}")
    if miniature:
        lines.append(
            "each photo is cut to its middle square and reduced to the size of the drawings of the miniature"
        )
    return lines


def _print(photos: Sequence[Photo], profiles: Profiles, k: int, weights: list[str], miniature: bool) -> None:
    out = console()
    say(*weights)
    if miniature:
        out.print("MINIATURE: a network made for drawn images; it says nothing about people", style="bold")
    tables = [_table(photo.name, profiles.strongest(i, k)) for i, photo in enumerate(photos)]
    out.print(Columns(tables, padding=(1, 4)))
    out.print(f"the strengths of all {len(profiles.vocabulary)} words sum to 1", style="dim")


def _table(name: str, strongest: Sequence[tuple[str, float]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(name, overflow="fold", max_width=40)
    table.add_column("strength", justify="right")
    for word, strength in strongest:
        table.add_row(word, f"{strength:.3f}")
    return table


def _write(
    photos: Sequence[Photo],
    profiles: Profiles,
    k: int,
    weights: list[str],
    plot: Path | None,
    html: Path | None,
    miniature: bool,
) -> None:
    # to import matplotlib or jinja2 takes longer than to score a photo: imported only if they are needed
    if plot is not None:
        from benchmark.association.figure import save_figure

        note = "; miniature: says nothing about people" if miniature else ""
        save_figure(plot, photos, profiles, k, weights[0] + note)
        say(f"figure: {plot.resolve()}")
    if html is not None:
        from benchmark.association.profile_page import save_page

        save_page(html, photos, profiles, k, weights, miniature)
        say(f"page: {html.resolve()}")
