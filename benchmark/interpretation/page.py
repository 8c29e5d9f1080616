"""The page of the properties that layers predict for photos: one file, without a script."""

from __future__ import annotations

from pathlib import Path

from benchmark.common.pages import data_uri, template, write_page
from benchmark.interpretation.colours import colours_of
from benchmark.interpretation.properties import Interpretation


def save_page(path: Path, found: Interpretation) -> None:
    """Write the page.

    Parameters
    ----------
    path : Path
        The HTML file to write.
    found : Interpretation
        The photos with their properties.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    page = template(Path(__file__).parent / "page", "properties.html.j2").render(
        found=found,
        colours=colours_of(found.kinds),
        pictures=[data_uri(photo.thumbnail) for photo in found.photos],
        zip=zip,
    )
    write_page(path, page)
