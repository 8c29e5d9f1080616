"""Opening image files of any mode as RGB images, with a clear error for those that cannot be opened."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from benchmark.common.errors import DataError

#: The colour that shows where an image is transparent.
GROUND = "white"

#: The EXIF tag of the orientation: 1 is upright, 2 to 8 are turned or mirrored
_ORIENTATION = 0x0112

_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)


def open_rgb(path: Path) -> Image.Image:
    """Decode an image file.

    The image is turned as its EXIF orientation says, as viewers do: people see it upright. Greyscale (8 or
    16 bit), palette and CMYK images are converted to RGB. Transparent parts are put on white.

    Parameters
    ----------
    path : Path
        The image file.

    Returns
    -------
    Image
        Mode RGB, loaded. The file is closed.

    Raises
    ------
    DataError
        If the file is missing, empty, truncated or not an image, or if its pixels are floats or 32-bit
        integers beyond 65535. The message names the file.
    """
    try:
        return _decoded(path, str(path))
    except _UNREADABLE as error:
        if isinstance(error, FileNotFoundError):
            raise DataError(f"{path}: there is no such file") from error
        empty = path.is_file() and path.stat().st_size == 0
        reason = "the file is empty" if empty else str(error)
        raise DataError(f"{path}: cannot be decoded as an image ({reason})") from error


def decode_rgb(content: bytes, where: str) -> Image.Image:
    """Decode the bytes of an image file, as :func:`open_rgb` does.

    Parameters
    ----------
    content : bytes
        The bytes of the file.
    where : str
        Where they are from, for the error message.

    Raises
    ------
    DataError
        As :func:`open_rgb`.
    """
    try:
        return _decoded(BytesIO(content), where)
    except _UNREADABLE as error:
        raise DataError(f"{where}: cannot be decoded as an image ({error})") from error


def _decoded(file: Path | BytesIO, where: str) -> Image.Image:
    with Image.open(file) as image:
        image.load()
        return _to_rgb(ImageOps.exif_transpose(image), where)


@lru_cache(maxsize=2**20)
def is_turned(path: Path) -> bool:
    """Whether the image file ``path`` is stored turned, so that :func:`open_rgb` turns it upright."""
    try:
        with Image.open(path) as image:
            return image.getexif().get(_ORIENTATION, 1) in range(2, 9)
    except _UNREADABLE:
        return False


def _to_rgb(image: Image.Image, where: str) -> Image.Image:
    if image.mode.startswith("I"):
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 65535:
            raise DataError(f"{where}: 32-bit integers have no defined brightness; save it with 8 bits")
        # A plain conversion would turn everything above 255 into white.
        image = Image.fromarray((values / 257).round().astype(np.uint8))
    elif image.mode == "F":
        raise DataError(f"{where}: floating-point pixels have no defined brightness; save it with 8 bits")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, GROUND)
        image = Image.alpha_composite(ground, image)
    return image.convert("RGB")
