"""A page with the pictures of the pairs that moved: one self-contained HTML file without a script."""

from __future__ import annotations

from functools import cache
from itertools import groupby
from pathlib import Path

from benchmark.common.pages import data_uri, template, write_page
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
        return data_uri(image)

    by_group = groupby(found.most(k), key=lambda pair: (pair.group, pair.change < 0))
    page = template(Path(__file__).parent / "page", "moved.html.j2").render(
        found=found,
        sections=[(group, closer, list(pairs)) for (group, closer), pairs in by_group],
        picture=picture,
        miniature=found.provenance["miniature"],
    )
    write_page(path, page)
