"""What every page of HTML needs: its template, and pictures that are part of the file."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from PIL import Image

from benchmark.common.errors import DataError
from benchmark.common.files import write_atomic


def template(folder: Path, name: str) -> Template:
    """The template ``name`` in a ``folder``. What it is given is escaped; what is missing is an error."""
    environment = Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template(name)


def data_uri(image: Image.Image) -> str:
    """The ``image`` as a JPEG inside an address, so that a page needs no other file."""
    stream = io.BytesIO()
    image.convert("RGB").save(stream, format="JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()


def write_page(path: Path, text: str) -> None:
    """Write ``text``, a page, to ``path``, completely or not at all.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    try:
        write_atomic(path, text.encode())
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error
