"""Drawings of fruit and of tools.

A fruit is round, with a stalk and a leaf. A tool has a handle and a head.

Each public function draws the object that its name says, and has two parameters: ``draws``, the stream of
random numbers of the image, and ``c``, the colours of the object. It gives the parts of the object, the
rearmost first. The object is about two units wide. Its docstring says what is drawn.
"""

from __future__ import annotations

from benchmark.datasets.mini.canvas import Part
from benchmark.datasets.mini.draws import Draws
from benchmark.datasets.mini.palette import Palette, shaded
from benchmark.datasets.mini.sdf import (
    Point,
    bar,
    bend,
    blend,
    both,
    circle,
    convex,
    ellipse,
    minus,
    outline,
    rectangle,
    stroke,
    union,
)

METAL = (0.72, 0.74, 0.78)


def _stalk(foot: Point, tip: Point) -> Part:
    return Part(bar(foot, tip, 0.05, 0.04), (0.32, 0.22, 0.12))


def _leaf(x: float, y: float, angle: float, c: Palette) -> Part:
    lens = both(ellipse(x, y, 0.28, 0.15, angle), ellipse(x, y, 0.24, 0.18, angle))
    return Part(lens, c.leaf)


def apple(draws: Draws, c: Palette) -> list[Part]:
    """Two lobes with a notch above."""
    wide = draws.between(0.92, 1.08)
    lobes = blend(
        ellipse(-0.27 * wide, 0.1, 0.5 * wide, 0.62), ellipse(0.27 * wide, 0.1, 0.5 * wide, 0.62), 0.12
    )
    return [
        Part(lobes, c.main),
        Part(ellipse(0.0, -0.38, 0.2, 0.08), shaded(c.main, 0.55)),
        _stalk((0.0, -0.36), (draws.between(-0.1, 0.1), -0.8)),
        _leaf(0.27, -0.68, -25 + draws.between(-15, 15), c),
        Part(ellipse(-0.4, -0.12, 0.09, 0.18, 20), shaded(c.main, 1.35)),
    ]


def banana(draws: Draws, c: Palette) -> list[Part]:
    """A thick crescent with dark ends."""
    sag = draws.between(0.75, 1.1)
    spine = bend((-0.85, -0.4), (-0.1, sag), (0.85, -0.35), 7)
    half = len(spine) // 2
    return [
        Part(bar((0.8, -0.32), (0.95, -0.62), 0.08, 0.06), shaded(c.main, 0.55)),
        Part(union(stroke(spine[: half + 1], 0.08, 0.25), stroke(spine[half:], 0.25, 0.1)), c.main),
        Part(circle(-0.88, -0.44, 0.08), c.dark),
        Part(stroke(bend((-0.72, -0.3), (-0.1, sag - 0.12), (0.75, -0.28), 6), 0.025), shaded(c.main, 0.7)),
    ]


def pear(draws: Draws, c: Palette) -> list[Part]:
    """A small round above a big one."""
    lean = draws.between(-0.1, 0.1)
    return [
        _stalk((lean, -0.6), (lean + draws.between(-0.1, 0.12), -0.95)),
        Part(blend(circle(0.0, 0.32, 0.56), ellipse(lean, -0.38, 0.28, 0.34), 0.45), c.main),
        _leaf(lean + 0.27, -0.82, -20 + draws.between(-15, 15), c),
        Part(ellipse(-0.27, 0.15, 0.09, 0.2, 15), shaded(c.main, 1.35)),
    ]


def cherry(draws: Draws, c: Palette) -> list[Part]:
    """Two balls on long stalks that meet."""
    drop = draws.between(-0.1, 0.1)
    top = (0.1, -0.85)
    parts = []
    for x, y in ((-0.45, 0.45 + drop), (0.42, 0.5 - drop)):
        parts += [
            Part(stroke(bend((x, y - 0.28), (x * 0.7, -0.3), top), 0.035), shaded(c.leaf, 0.75)),
            Part(circle(x, y, 0.36), c.main),
            Part(ellipse(x, y - 0.27, 0.1, 0.045), shaded(c.main, 0.5)),
            Part(circle(x - 0.14, y - 0.1, 0.07), shaded(c.main, 1.5)),
        ]
    return [*parts, _leaf(0.4, -0.82, 15 + draws.between(-15, 15), c)]


def grape(draws: Draws, c: Palette) -> list[Part]:
    """A hanging bunch of many small balls."""
    parts = [_stalk((0.0, -0.5), (0.05, -0.95))]
    for row, count in enumerate((4, 4, 3, 2, 1)):
        for i in range(count):
            x = (i - (count - 1) / 2) * 0.37 + draws.between(-0.04, 0.04)
            if row == 1:
                x *= 0.92
            y = -0.42 + row * 0.3 + draws.between(-0.03, 0.03)
            parts += [Part(circle(x, y, 0.215), shaded(c.main, draws.between(0.75, 1.05)))]
    return [*parts, _leaf(-0.28, -0.74, 25 + draws.between(-15, 15), c), _leaf(0.3, -0.74, -25, c)]


def pineapple(draws: Draws, c: Palette) -> list[Part]:
    """An oval with a lattice under a crown of spikes."""
    body = ellipse(0.0, 0.36, 0.46, 0.6)
    crown = [
        Part(
            convex((x * 0.25 - 0.1, -0.15), (x * 0.25 + 0.1, -0.15), (x * draws.between(0.9, 1.1), y)),
            shaded(c.leaf, s),
        )
        for x, y, s in (
            (-0.55, -0.62, 0.8),
            (0.55, -0.62, 0.8),
            (-0.3, -0.88, 1.0),
            (0.3, -0.88, 1.0),
            (0.0, -1.02, 1.15),
        )
    ]
    lines = [
        bar((-0.6 + k * 0.3, 0.36 - side * 0.6), (-0.6 + k * 0.3 + 0.9, 0.36 + side * 0.6), 0.025)
        for side in (-1, 1)
        for k in (-1.0, 0.0, 1.0, 2.0)
    ]
    lattice = both(body, union(*lines))
    return [*crown, Part(body, c.main), Part(lattice, shaded(c.main, 0.5))]


def hammer(draws: Draws, c: Palette) -> list[Part]:
    """A straight handle with a head across it, a claw on one side."""
    end = draws.between(0.85, 1.0)
    claw = minus(circle(-0.25, -0.48, 0.42), circle(-0.3, -0.3, 0.42), rectangle(0.3, -0.6, 0.35, 0.6))
    return [
        Part(bar((0.05, -0.6), (0.05, end), 0.08, 0.11), c.main),
        Part(claw, METAL),
        Part(union(rectangle(0.12, -0.68, 0.34, 0.13, 0.03), rectangle(0.5, -0.68, 0.12, 0.2, 0.04)), METAL),
    ]


def saw(draws: Draws, c: Palette) -> list[Part]:
    """A long toothed blade and a handle with a hole."""
    tip = draws.between(0.85, 1.0)
    teeth = [
        convex(
            (-0.3 + i * 0.2, 0.2 - i * 0.018),
            (-0.1 + i * 0.2, 0.182 - i * 0.018),
            (-0.22 + i * 0.2, 0.38 - i * 0.018),
        )
        for i in range(6)
    ]
    blade = convex((-0.35, -0.24), (tip, -0.02), (tip, 0.12), (-0.35, 0.24))
    grip = minus(rectangle(-0.62, 0.02, 0.34, 0.36, 0.14), rectangle(-0.66, 0.04, 0.15, 0.16, 0.08))
    return [Part(union(blade, *teeth), METAL), Part(grip, c.main)]


def screwdriver(draws: Draws, c: Palette) -> list[Part]:
    """A thick ribbed handle and a thin shaft with a flat tip."""
    tip = draws.between(0.85, 1.0)
    ribs = [Part(bar((-0.82, y), (-0.22, y), 0.025), shaded(c.main, 0.55)) for y in (-0.09, 0.09)]
    return [
        Part(bar((-0.15, 0.0), (tip - 0.1, 0.0), 0.055), METAL),
        Part(
            convex(
                (tip - 0.14, -0.05),
                (tip - 0.02, -0.11),
                (tip + 0.05, -0.1),
                (tip + 0.05, 0.1),
                (tip - 0.02, 0.11),
                (tip - 0.14, 0.05),
            ),
            METAL,
        ),
        Part(rectangle(-0.52, 0.0, 0.42, 0.2, 0.14), c.main),
        *ribs,
        Part(rectangle(-0.12, 0.0, 0.07, 0.14, 0.04), c.dark),
    ]


def wrench(draws: Draws, c: Palette) -> list[Part]:
    """A flat shaft with an open jaw at one end and a ring at the other."""
    jaw = minus(circle(0.66, 0.0, 0.32), rectangle(0.9, 0.0, 0.34, draws.between(0.11, 0.15), 0.0))
    ring = minus(circle(-0.72, 0.0, 0.25), circle(-0.72, 0.0, 0.12))
    tone = shaded(METAL, draws.between(0.75, 1.1))
    return [
        Part(union(rectangle(0.0, 0.0, 0.52, 0.12), jaw, ring), tone),
        Part(bar((-0.35, 0.0), (0.25, 0.0), 0.045), c.main),
    ]


def axe(draws: Draws, c: Palette) -> list[Part]:
    """A long handle and a broad curved blade."""
    flare = draws.between(0.38, 0.48)
    blade = both(
        convex((0.0, -0.74), (0.0, -0.4), (0.75, -0.57 + flare), (0.75, -0.57 - flare)),
        circle(0.12, -0.57, 0.58),
    )
    return [
        Part(bar((0.0, -0.85), (-0.04, 0.95), 0.08, 0.1), c.main),
        Part(union(blade, rectangle(-0.08, -0.57, 0.14, 0.17, 0.03)), METAL),
        Part(minus(blade, circle(0.02, -0.57, 0.56)), c.pale),
    ]


def scissors(draws: Draws, c: Palette) -> list[Part]:
    """Two crossed blades and two finger rings."""
    open_ = draws.between(0.2, 0.42)
    parts = []
    for side in (-1, 1):
        parts += [
            Part(
                bar((-side * 0.18, 0.3), (side * open_, -0.92), 0.11, 0.02), shaded(METAL, 1.0 - 0.15 * side)
            ),
            Part(outline(ellipse(-side * (0.22 + open_ * 0.45), 0.6, 0.22, 0.3, side * 18), 0.075), c.main),
        ]
    return [*parts, Part(circle(0.0, 0.08, 0.05), c.dark)]


FRUIT_AND_TOOLS = {
    shape.__name__: shape
    for shape in (
        apple,
        banana,
        pear,
        cherry,
        grape,
        pineapple,
        hammer,
        saw,
        screwdriver,
        wrench,
        axe,
        scissors,
    )
}
