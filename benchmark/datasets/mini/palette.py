"""Colours: random for every image, and only weakly tied to the concept.

A colour is red, green and blue, each from 0 to 1. ``draws``, wherever a function takes it, is the stream from
which the random numbers of an image are drawn.
"""

from __future__ import annotations

from typing import NamedTuple

from benchmark.datasets.mini.draws import Draws

Colour = tuple[float, float, float]

#: the hue (0 to 1) of about half of the images of a concept; the other half, and other concepts, have any hue
TYPICAL_HUES = {
    "apple": 0.0,
    "banana": 0.15,
    "pear": 0.22,
    "cherry": 0.97,
    "grape": 0.78,
    "pineapple": 0.11,
    "flamingo": 0.95,
    "goldfish": 0.07,
    "shark": 0.58,
    "penguin": 0.62,
    "duck": 0.14,
    "dog": 0.08,
    "cat": 0.08,
    "horse": 0.06,
    "giraffe": 0.1,
    "owl": 0.08,
    "violin": 0.05,
    "guitar": 0.08,
    "trumpet": 0.13,
    "harp": 0.12,
    "table": 0.07,
    "bookcase": 0.07,
}


class Palette(NamedTuple):
    """The colours of the object in one image.

    Attributes
    ----------
    main, accent : tuple of float
        Two colours of different hue.
    dark, pale : tuple of float
        Near black and near white.
    leaf : tuple of float
        A green, for stalks and leaves.
    """

    main: Colour
    accent: Colour
    dark: Colour
    pale: Colour
    leaf: Colour


def from_hsv(hue: float, saturation: float, value: float) -> Colour:
    """The colour of a ``hue``, a ``saturation`` and a ``value`` (brightness), each from 0 to 1."""
    sector = (hue % 1.0) * 6.0
    i = int(sector)
    f = sector - i
    low, falling = value * (1 - saturation), value * (1 - saturation * f)
    rising = value * (1 - saturation * (1 - f))
    return (
        (value, rising, low),
        (falling, value, low),
        (low, value, rising),
        (low, falling, value),
        (rising, low, value),
        (value, low, falling),
    )[i % 6]


def any_colour(draws: Draws, darkest: float = 0.15, brightest: float = 1.0) -> Colour:
    """A random colour whose brightness is between ``darkest`` and ``brightest`` (0 to 1)."""
    return from_hsv(draws.unit(), draws.between(0.05, 0.9), draws.between(darkest, brightest))


def palette(draws: Draws, concept: str) -> Palette:
    """The random colours of one image of ``concept`` (its id)."""
    hue = draws.unit()
    if concept in TYPICAL_HUES and draws.chance(0.5):
        hue = TYPICAL_HUES[concept] + draws.between(-0.04, 0.04)
    main = from_hsv(hue, draws.between(0.15, 0.9), draws.between(0.45, 1.0))
    accent_hue = hue + draws.between(0.2, 0.8)
    accent = from_hsv(accent_hue, draws.between(0.3, 0.9), draws.between(0.4, 0.95))
    dark = from_hsv(draws.unit(), draws.between(0.0, 0.5), draws.between(0.05, 0.22))
    pale = from_hsv(draws.unit(), draws.between(0.0, 0.2), draws.between(0.85, 1.0))
    leaf = from_hsv(draws.between(0.22, 0.42), draws.between(0.4, 0.9), draws.between(0.3, 0.7))
    return Palette(main, accent, dark, pale, leaf)


def shaded(colour: Colour, factor: float) -> Colour:
    """The ``colour`` made darker (``factor`` below 1) or lighter (above 1)."""
    return tuple(min(c * factor, 1.0) for c in colour)  # type: ignore[return-value]


def mixed(a: Colour, b: Colour, share: float) -> Colour:
    """A colour between ``a`` and ``b``, with a ``share`` (0 to 1) of ``b``."""
    return tuple(x + (y - x) * share for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


def contrast(a: Colour, b: Colour) -> float:
    """City-block distance between the colours ``a`` and ``b``, from 0 to 3."""
    return abs(a[0] - b[0]) + abs(a[1] - b[1]) + abs(a[2] - b[2])
