"""``bench associate``: the words that photos bring to mind, as a table, a figure and a page."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps
from rich import box
from rich.columns import Columns
from rich.table import Table

from benchmark.association.photos import Photo, associate
from benchmark.association.profile import Profiles
from benchmark.cli.console import console, say
from benchmark.cli.tables import write_csv
from benchmark.common.errors import NotPossible
from benchmark.common.figures import require_format
from benchmark.runner import Options, Session
from benchmark.runner.loaded import LoadedModel

#: Columns of the CSV
_COLUMNS = ("photo", "file", "rank", "word", "strength")


def associate_photos(
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
    form : str
        "table", "json" or "csv". Beside JSON and CSV everything else goes to standard error.
    plot, html : Path or None
        Files for the figure and for the interactive page; None: they are not written.

    Returns
    -------
    int
        Exit status: 1 if a photo has no words, 2 if nobody has trained the network yet, else 0.
    """
    if plot is not None:
        require_format(plot, "--plot")
    session = Session(options)
    try:
        loaded = session.model(model, suite)
    except NotPossible:
        if not _can_be_trained(session, model, suite):
            raise
        return 2
    miniature = session.registry.suite(suite).miniature
    answer = associate(loaded.model, paths, device=session.device, fit=_as_drawn if miniature else None)
    weights = _weights(loaded, suite, miniature)
    if answer.profiles is not None:
        _print(answer.photos, answer.profiles, k, form, weights, miniature)
    for problem in answer.problems:
        say(f"error: {' '.join(problem.split())}", error=True)
    if answer.profiles is not None:
        _write(answer.photos, answer.profiles, k, form, weights, plot, html, miniature)
    return 1 if answer.problems else 0


def _can_be_trained(session: Session, model: str, suite: str) -> bool:
    """Whether the model is the network that a training on the data root makes; then say how to train it."""
    from benchmark.association.pipeline import CHECKPOINT  # slow to import; a photo is answered without it
    from benchmark.association.recommended import OUTPUT, training_command

    checkpoint = session.registry.model(model, suite).entry.checkpoint
    if checkpoint is None or checkpoint.file != f"{OUTPUT}/{CHECKPOINT}":
        return False
    data = session.data.path
    say(
        f"error: there is no trained network {data / OUTPUT / CHECKPOINT}: train it once, with the command "
        "below; or, for a network that knows drawings only, add --suite mini",
        error=True,
    )
    say(training_command(data))
    return True


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


def _print(
    photos: Sequence[Photo], profiles: Profiles, k: int, form: str, weights: list[str], miniature: bool
) -> None:
    about = form != "table"
    out = console(error=about)
    say(*weights, error=about)
    if miniature:
        out.print("MINIATURE: a network made for drawn images; it says nothing about people", style="bold")
    if form == "table":
        out.print(Columns([_table(rows) for rows in _rows(photos, profiles, k)], padding=(1, 4)))
        out.print(f"the strengths of all {len(profiles.vocabulary)} words sum to 1", style="dim")
        return
    rows = [row for of_photo in _rows(photos, profiles, k) for row in of_photo]
    if form == "json":
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
    else:
        write_csv(rows)


def _rows(photos: Sequence[Photo], profiles: Profiles, k: int) -> list[list[dict[str, Any]]]:
    """For each photo a row for each of its strongest words, by rank."""
    return [
        [
            dict(zip(_COLUMNS, (photo.name, str(photo.path), rank, word, strength), strict=True))
            for rank, (word, strength) in enumerate(profiles.strongest(i, k), 1)
        ]
        for i, photo in enumerate(photos)
    ]


def _table(rows: Sequence[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("rank", justify="right")
    table.add_column(rows[0]["photo"], overflow="fold", max_width=40)
    table.add_column("strength", justify="right")
    for row in rows:
        table.add_row(str(row["rank"]), row["word"], f"{row['strength']:.3f}")
    return table


def _write(
    photos: Sequence[Photo],
    profiles: Profiles,
    k: int,
    form: str,
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
        say(f"figure: {plot.resolve()}", error=form != "table")
    if html is not None:
        from benchmark.association.profile_page import save_page

        save_page(html, photos, profiles, k, weights, miniature)
        say(f"page: {html.resolve()}", error=form != "table")
