"""The page of the properties that layers predict for photos: one file, without a script."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from benchmark.common.errors import DataError
from benchmark.common.files import write_atomic
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
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    page = environment.get_template("properties.html.j2").render(
        found=found,
        colours=colours_of(found.kinds),
        pictures=[_data_uri(photo.thumbnail) for photo in found.photos],
        zip=zip,
    )
    try:
        write_atomic(path, page.encode())
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error


def _data_uri(image: Image.Image) -> str:
    stream = io.BytesIO()
    image.save(stream, format="JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()
