"""A page with the pictures of the pairs that moved: one self-contained HTML file without a script."""

from __future__ import annotations

import base64
import io
from functools import cache
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmark.common.errors import DataError
from benchmark.common.files import write_atomic
from benchmark.model_similarity.moved import Moved
from benchmark.representation.concepts import concept_images

#: Longest side of a picture, in pixels
_SIDE = 112


def save_moved_page(path: Path, found: Moved, k: int) -> None:
    """Write the page.

    Parameters
    ----------
    path : Path
        The HTML file to write.
    found : Moved
    k : int
        Number of pairs of each group in each direction.

    Raises
    ------
    DataError
        If the file cannot be written.
    """

    @cache
    def picture(concept: str) -> str:
        """The first image of the concept as a data URI; empty where the stimuli have no images."""
        if found.stimuli.open_image is None:
            return ""
        ((first, *_),) = concept_images(found.stimuli, [concept])
        image = found.stimuli.open_image(int(first)).convert("RGB")
        image.thumbnail((_SIDE, _SIDE))
        stream = io.BytesIO()
        image.save(stream, format="JPEG", quality=85)
        return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    by_group = groupby(found.most(k), key=lambda pair: (pair.group, pair.change < 0))
    page = environment.get_template("moved.html.j2").render(
        found=found,
        sections=[(group, closer, list(pairs)) for (group, closer), pairs in by_group],
        picture=picture,
        miniature=found.provenance["miniature"],
    )
    try:
        write_atomic(path, page.encode())
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error
