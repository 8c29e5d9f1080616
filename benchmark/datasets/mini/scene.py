"""What is around the object: ground, clutter, pose, light and grain.

Parameters that many functions share: ``draws`` is the stream from which the random numbers of an image are
drawn; ``canvas`` is the image that is being painted; ``size`` is its width and height in pixels.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmark.datasets.mini.canvas import Canvas, Light, Part, Pose
from benchmark.datasets.mini.draws import Draws
from benchmark.datasets.mini.palette import Colour, Palette, any_colour, contrast, mixed
from benchmark.datasets.mini.sdf import (
    Shape,
    bar,
    bend,
    circle,
    convex,
    ellipse,
    outline,
    rectangle,
    stroke,
    turn,
)

#: least city-block distance between the colour of the ground and the main colour of the object
_LEAST_CONTRAST = 0.45


def any_light(draws: Draws) -> Light:
    """A random direction and strength of light."""
    c, s = turn(draws.between(0.0, 360.0))
    strength = draws.between(0.0, 0.6)
    return Light(c * strength, s * strength, draws.between(0.1, 0.6), draws.between(1.2, 3.5))


def any_pose(draws: Draws, size: int, spin: float) -> Pose:
    """A random place, size, turn and direction for an object that is about two units wide.

    The object is turned by up to ``spin`` degrees either way.
    """
    scale = draws.between(0.25, 0.42) * size
    room = 0.4 * size - 0.66 * scale
    return Pose(
        0.5 * size + draws.between(-room, room),
        0.5 * size + draws.between(-room, room),
        scale,
        draws.between(-spin, spin),
        draws.chance(0.5),
        draws.between(0.88, 1.14),
        draws.between(-0.15, 0.15),
    )


def ground(canvas: Canvas, draws: Draws, avoid: Colour) -> None:
    """Fill the canvas: plain, a gradient, stripes, a checkerboard or blotches.

    The two colours of the ground differ from ``avoid``, the main colour of the object.
    """
    first = _ground_colour(avoid, draws)
    second = _ground_colour(avoid, draws)
    kind = draws.choice(("plain", "gradient", "stripes", "checks", "blotches"))
    mix = np.zeros((canvas.size, canvas.size), dtype=np.float32)
    if kind in ("gradient", "stripes", "checks"):
        c, s = turn(draws.between(0.0, 180.0))
        centres = (np.arange(canvas.size, dtype=np.float32) + np.float32(0.5)) / np.float32(canvas.size)
        along = (centres * c)[None, :] + (centres * s)[:, None]
        across = (centres * c)[:, None] - (centres * s)[None, :]
        if kind == "gradient":
            mix = np.minimum(np.maximum(along * 0.8 + 0.2, 0.0), 1.0)
        else:
            period = draws.between(0.12, 0.5)
            mix = _wave(along, period, draws.unit())
            if kind == "checks":
                crossing = _wave(across, period, draws.unit())
                mix = mix + crossing - mix * crossing * 2.0
    elif kind == "blotches":
        mix = _blotches(draws, canvas.size)
    strength = draws.between(0.3, 1.0)
    for channel, a, b in zip(canvas.pixels, first, second, strict=True):
        channel[:] = mix * ((b - a) * strength) + a


def clutter(canvas: Canvas, draws: Draws, pieces: int, reach: float, piece: Callable[[], list[Part]]) -> None:
    """Paint a number of small things at random places.

    Parameters
    ----------
    canvas, draws
        See the module.
    pieces : int
        How many things are painted.
    reach : float
        Their size, as a multiple of the size of an object.
    piece : callable
        Gives the parts of one thing; called once for each.
    """
    for _ in range(pieces):
        pose = any_pose(draws, canvas.size, 180.0)
        place = pose._replace(
            x=draws.between(0.0, canvas.size), y=draws.between(0.0, canvas.size), scale=pose.scale * reach
        )
        canvas.paint(piece(), place)


def scrap(draws: Draws) -> list[Part]:
    """A random simple shape of a random colour, in a list of one part."""
    return [Part(_any_shape(draws), any_colour(draws))]


def restyle(parts: list[Part], colours: Palette, draws: Draws) -> list[Part]:
    """The ``parts`` unchanged, or in one case of four with nearly the same colour.

    Then only the outline shows which object it is. The colour is one of ``colours``, those of the object.
    """
    if not draws.chance(0.25):
        return parts
    tone = draws.choice((colours.main, colours.dark, colours.pale))
    keep = draws.between(0.15, 0.4)
    return [Part(part.shape, mixed(tone, part.colour, keep)) for part in parts]


def grain(canvas: Canvas, draws: Draws) -> np.ndarray:
    """The finished image, uint8, shape (size, size, 3): the canvas with light, gain and grain."""
    size = canvas.size
    c, s = turn(draws.between(0.0, 360.0))
    fall = draws.between(0.0, 0.5)
    gain = draws.between(0.7, 1.15)
    offset = draws.between(0.0, 0.12)
    amplitude = draws.between(0.0, 0.14)
    centres = (np.arange(size, dtype=np.float32) + np.float32(0.5)) / np.float32(size) - np.float32(0.5)
    field = (centres * (c * fall * gain))[None, :] + (centres * (s * fall * gain))[:, None] + gain
    noise = (draws.octets((3, size, size)) / np.float32(255.0) - np.float32(0.5)) * amplitude
    levels = (canvas.pixels * field + noise + offset) * 255.0 + 0.5
    return np.ascontiguousarray(
        np.minimum(np.maximum(levels, 0.0), 255.0).astype(np.uint8).transpose(1, 2, 0)
    )


def _ground_colour(avoid: Colour, draws: Draws) -> Colour:
    """A colour that differs from ``avoid``.

    It is mostly darker than an object. This is the one thing that pixels alone may show.
    """
    colour = any_colour(draws, 0.1, 0.8)
    for _ in range(4):
        if contrast(colour, avoid) >= _LEAST_CONTRAST:
            break
        colour = any_colour(draws, 0.1, 0.8)
    return colour


def _wave(position: np.ndarray, period: float, phase: float) -> np.ndarray:
    """Stripes with soft edges: values of 0 and 1 in turn along ``position``."""
    p = position / period + (phase + 8.0)
    saw = abs(p - p.astype(np.int32).astype(np.float32) - 0.5)
    return np.minimum(np.maximum((saw - 0.25) * (period * 64.0) + 0.5, 0.0), 1.0)


def _blotches(draws: Draws, size: int) -> np.ndarray:
    """Random levels on a coarse grid, with linear interpolation between its points."""
    cells = draws.choice((4, 8, 16))
    coarse = draws.octets((cells + 1, cells + 1)) / np.float32(255.0)
    at = (np.arange(size, dtype=np.float32) + np.float32(0.5)) * np.float32(cells / size)
    low = at.astype(np.intp)
    part = at - low.astype(np.float32)
    rows = coarse[low] + (coarse[low + 1] - coarse[low]) * part[:, None]
    return rows[:, low] + (rows[:, low + 1] - rows[:, low]) * part[None, :]


def _any_shape(draws: Draws) -> Shape:
    kind = draws.choice(("disc", "oval", "block", "stick", "wedge", "ring", "curl"))
    a, b = draws.between(0.1, 0.45), draws.between(0.1, 0.45)
    if kind == "disc":
        return circle(0.0, 0.0, a)
    if kind == "oval":
        return ellipse(0.0, 0.0, a, b)
    if kind == "block":
        return rectangle(0.0, 0.0, a, b, min(a, b) * draws.unit())
    if kind == "stick":
        return bar((-a - 0.3, 0.0), (b + 0.3, 0.0), draws.between(0.03, 0.09))
    if kind == "wedge":
        return convex((-a, b), (a, b), (draws.between(-0.4, 0.4), -b))
    if kind == "ring":
        return outline(circle(0.0, 0.0, a), draws.between(0.03, 0.09))
    return stroke(bend((-a - 0.2, 0.0), (0.0, b * 2.0), (a + 0.2, 0.0)), draws.between(0.03, 0.08))
