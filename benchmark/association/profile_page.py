"""The interactive profile: one HTML page, with everything in it, that needs no network and no script."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from benchmark.association.photos import Photo
from benchmark.association.profile import Profiles
from benchmark.common.errors import DataError
from benchmark.common.files import write_atomic

#: Colours of the style sheet, and marks; an image is told by the pair, not by its colour alone
COLOURS = 8
MARKS = (
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
    "M-3.6-3.6h7.2v7.2h-7.2z",
    "M0-5l5 5l-5 5l-5-5z",
    "M0-4.8l4.6 8.2h-9.2z",
    "M0 4.8l4.6-8.2h-9.2z",
)

# pixels
_WORDS = 128
_WIDTH = 760
_ROW = 21
_TOP = 26


@dataclass(frozen=True)
class Drawn:
    """An image as it stands on the page.

    Attributes
    ----------
    name, picture : str
        The picture is a data URI.
    colour : int
    mark : str
        SVG path round the origin.
    strongest : list of (str, float)
    points : tuple of (float, float)
        Pixels of its strength at each word of the compact vocabulary.
    strengths : tuple of float
        The same as numbers.
    """

    name: str
    picture: str
    colour: int
    mark: str
    strongest: list[tuple[str, float]]
    points: tuple[tuple[float, float], ...]
    strengths: tuple[float, ...]


@dataclass(frozen=True)
class Row:
    """A word of the compact vocabulary, its height on the page, and the image it stands out for."""

    word: str
    y: float
    colour: int


def save_page(
    path: Path, photos: Sequence[Photo], found: Profiles, k: int, weights: Sequence[str], miniature: bool
) -> None:
    """Write the page: one image at a time or all overlaid, over the compact vocabulary.

    Parameters
    ----------
    path : Path
    photos : sequence of Photo, length n
    found : Profiles
        Of the same photos, in the same order.
    k : int
        Strongest associates listed of each image.
    weights : sequence of str
        Which weights spoke, line by line.
    miniature : bool
        Whether they are of the drawn world.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    folder = Path(__file__).parent / "page"
    environment = Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    chosen = found.compact()
    longest = float(found.strengths[:, chosen].max())
    page = environment.get_template("profile.html.j2").render(
        style=(folder / "style.css").read_text(encoding="utf-8"),
        images=[_drawn(i, photo, found, chosen, k, longest) for i, photo in enumerate(photos)],
        rows=_rows(found, chosen),
        ticks=[(_x(t, longest), f"{t:g}") for t in _ticks(longest)],
        size=(_WIDTH, _TOP + len(chosen) * _ROW + 8),
        start=_WORDS,
        top=_TOP,
        vocabulary=len(found.vocabulary),
        weights=weights,
        miniature=miniature,
    )
    try:
        write_atomic(path, page.encode())
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error


def _drawn(i: int, photo: Photo, found: Profiles, chosen: Sequence[int], k: int, longest: float) -> Drawn:
    strengths = tuple(float(found.strengths[i, column]) for column in chosen)
    return Drawn(
        name=photo.name,
        picture=_data_uri(photo.thumbnail),
        colour=i % COLOURS,
        mark=MARKS[i % len(MARKS)],
        strongest=found.strongest(i, k),
        points=tuple((_x(s, longest), _y(place)) for place, s in enumerate(strengths)),
        strengths=strengths,
    )


def _rows(found: Profiles, chosen: Sequence[int]) -> list[Row]:
    owner = found.strengths.argmax(axis=0)
    return [
        Row(found.vocabulary[column], _y(place), int(owner[column]) % COLOURS)
        for place, column in enumerate(chosen)
    ]


def _x(strength: float, longest: float) -> float:
    return round(_WORDS + strength / longest * (_WIDTH - _WORDS - 24), 1)


def _y(place: int) -> float:
    return _TOP + (place + 0.5) * _ROW


def _ticks(longest: float) -> list[float]:
    """Nought and two to six round values up to the longest."""
    step = next(s * 10.0**e for e in range(-9, 1) for s in (1, 2, 5) if longest / (s * 10.0**e) <= 6)
    return [i * step for i in range(7) if i * step <= longest * (1 + 1e-9)]


def _data_uri(image: Image.Image) -> str:
    stream = io.BytesIO()
    image.save(stream, format="JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()
