"""The interactive profile: one self-contained HTML page that needs no network and no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.association.photos import Photo
from benchmark.association.profile import Profiles
from benchmark.common.pages import data_uri, template, write_page

#: Number of colours in the style sheet
COLOURS = 8
#: SVG paths of the marks. An image has a colour and a mark, so that it is recognised without its colour
MARKS = (
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
    "M-3.6-3.6h7.2v7.2h-7.2z",
    "M0-5l5 5l-5 5l-5-5z",
    "M0-4.8l4.6 8.2h-9.2z",
    "M0 4.8l4.6-8.2h-9.2z",
)

# Sizes in pixels: column of the words, whole figure, a row, margin at the top
_WORDS = 128
_WIDTH = 760
_ROW = 21
_TOP = 26


@dataclass(frozen=True)
class PageImage:
    """What the page shows of an image.

    Attributes
    ----------
    name : str
        Name of the image.
    picture : str
        The image as a data URI.
    colour : int
        Number of its colour.
    mark : str
        SVG path of its mark, around the origin.
    strongest : list of (str, float)
        Its strongest words with their strengths.
    points : tuple of (float, float)
        Place of its strength for each chosen word, in pixels.
    strengths : tuple of float
        Its strength for each chosen word.
    """

    name: str
    picture: str
    colour: int
    mark: str
    strongest: list[tuple[str, float]]
    points: tuple[tuple[float, float], ...]
    strengths: tuple[float, ...]


@dataclass(frozen=True)
class PageWord:
    """A chosen word, its vertical place on the page, and the colour of the image where it is strongest."""

    word: str
    y: float
    colour: int


def save_page(
    path: Path, photos: Sequence[Photo], profiles: Profiles, k: int, weights: Sequence[str], miniature: bool
) -> None:
    """Write the page. It compares the images, one by one or all together, on a few chosen words.

    Parameters
    ----------
    path : Path
        The HTML file to write.
    photos : sequence of Photo, length n
        The photos.
    profiles : Profiles
        Profiles of the same photos, in the same order.
    k : int
        Number of strongest words in the list of each image.
    weights : sequence of str
        Lines that say which weights the words come from.
    miniature : bool
        Whether the network is one of the miniature, made for drawn images.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    folder = Path(__file__).parent / "page"
    chosen = profiles.compact()
    longest = float(profiles.strengths[:, chosen].max())
    page = template(folder, "profile.html.j2").render(
        style=(folder / "style.css").read_text(encoding="utf-8"),
        images=[_page_image(i, photo, profiles, chosen, k, longest) for i, photo in enumerate(photos)],
        rows=_page_words(profiles, chosen),
        ticks=[(_x(tick, longest), f"{tick:g}") for tick in _ticks(longest)],
        size=(_WIDTH, _TOP + len(chosen) * _ROW + 8),
        start=_WORDS,
        top=_TOP,
        vocabulary=len(profiles.vocabulary),
        weights=weights,
        miniature=miniature,
    )
    write_page(path, page)


def _page_image(
    i: int, photo: Photo, profiles: Profiles, chosen: Sequence[int], k: int, longest: float
) -> PageImage:
    strengths = tuple(float(profiles.strengths[i, column]) for column in chosen)
    return PageImage(
        name=photo.name,
        picture=data_uri(photo.thumbnail),
        colour=i % COLOURS,
        mark=MARKS[i % len(MARKS)],
        strongest=profiles.strongest(i, k),
        points=tuple((_x(strength, longest), _y(place)) for place, strength in enumerate(strengths)),
        strengths=strengths,
    )


def _page_words(profiles: Profiles, chosen: Sequence[int]) -> list[PageWord]:
    owner = profiles.strengths.argmax(axis=0)
    return [
        PageWord(profiles.vocabulary[column], _y(place), int(owner[column]) % COLOURS)
        for place, column in enumerate(chosen)
    ]


def _x(strength: float, longest: float) -> float:
    return round(_WORDS + strength / longest * (_WIDTH - _WORDS - 24), 1)


def _y(place: int) -> float:
    return _TOP + (place + 0.5) * _ROW


def _ticks(longest: float) -> list[float]:
    """Zero and two to six round values up to ``longest``."""
    step = next(s * 10.0**e for e in range(-9, 1) for s in (1, 2, 5) if longest / (s * 10.0**e) <= 6)
    return [i * step for i in range(7) if i * step <= longest * (1 + 1e-9)]
