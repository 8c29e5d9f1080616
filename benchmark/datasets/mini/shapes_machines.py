"""Drawings of vehicles and of musical instruments.

Vehicles share wheels, windows and a hull. Instruments have a body, strings, keys or tubes.

Each public function draws the object that its name says, and has two parameters: ``draws``, the stream of
random numbers of the image, and ``c``, the colours of the object. It gives the parts of the object, the
rearmost first. The object is about two units wide. Its docstring says what is drawn.
"""

from __future__ import annotations

from benchmark.datasets.mini.canvas import Part
from benchmark.datasets.mini.draws import Draws
from benchmark.datasets.mini.palette import Palette, shaded
from benchmark.datasets.mini.sdf import (
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

GLASS = (0.72, 0.86, 0.93)


def _wheel(x: float, y: float, radius: float, c: Palette) -> list[Part]:
    return [Part(circle(x, y, radius), c.dark), Part(circle(x, y, radius * 0.5), shaded(c.pale, 0.8))]


def car(draws: Draws, c: Palette) -> list[Part]:
    """A low body with a rounded cabin on two wheels."""
    roof = draws.between(-0.5, -0.38)
    cabin = convex((-0.52, 0.0), (-0.3, roof), (0.25, roof), (0.52, 0.0), rounding=0.06)
    panes = [
        Part(convex((-0.4, -0.02), (-0.24, roof + 0.08), (-0.05, roof + 0.08), (-0.05, -0.02)), GLASS),
        Part(convex((0.05, -0.02), (0.05, roof + 0.08), (0.2, roof + 0.08), (0.4, -0.02)), GLASS),
    ]
    return [
        Part(cabin, c.main),
        *panes,
        Part(union(rectangle(0.0, 0.2, 0.95, 0.2, 0.14), rectangle(-0.2, 0.25, 0.72, 0.2, 0.05)), c.main),
        Part(circle(0.87, 0.16, 0.07), c.pale),
        *_wheel(-0.52, 0.42, 0.23, c),
        *_wheel(0.52, 0.42, 0.23, c),
    ]


def bus(draws: Draws, c: Palette) -> list[Part]:
    """A long tall box with a row of windows on two wheels."""
    height = draws.between(0.42, 0.52)
    panes = [Part(rectangle(-0.74 + i * 0.34, -0.2, 0.13, 0.16, 0.03), GLASS) for i in range(4)]
    return [
        Part(rectangle(0.0, 0.45 - height, 0.98, height, 0.1), c.main),
        Part(rectangle(0.0, 0.17, 0.97, 0.05), c.accent),
        *panes,
        Part(rectangle(0.66, 0.05, 0.13, 0.38, 0.03), GLASS),
        Part(bar((0.66, -0.3), (0.66, 0.4), 0.02), c.dark),
        *_wheel(-0.58, 0.48, 0.19, c),
        *_wheel(0.4, 0.48, 0.19, c),
    ]


def bicycle(draws: Draws, c: Palette) -> list[Part]:
    """Two thin wheels, a frame of tubes, a saddle and a handlebar."""
    r = draws.between(0.38, 0.44)
    back, front, crank = (-0.55, 0.35), (0.55, 0.35), (-0.08, 0.35)
    seat, head = (-0.22, -0.22), (0.36, -0.22)
    frame = [(back, seat), (seat, crank), (crank, head), (head, seat), (back, crank), (head, front)]
    tubes = union(*(bar(a, b, 0.045) for a, b in frame))
    rims = union(outline(circle(*back, r), 0.045), outline(circle(*front, r), 0.045))
    return [
        Part(rims, c.dark),
        Part(tubes, c.main),
        Part(union(bar(seat, (-0.27, -0.42), 0.035), bar(head, (0.3, -0.5), 0.035)), c.dark),
        Part(bar((-0.42, -0.43), (-0.14, -0.43), 0.07, 0.04), c.dark),
        Part(stroke([(0.28, -0.5), (0.48, -0.52), (0.52, -0.4)], 0.045), c.dark),
        Part(circle(*crank, 0.08), c.accent),
    ]


def boat(draws: Draws, c: Palette) -> list[Part]:
    """A hull under a mast with two sails."""
    tip = draws.between(-1.0, -0.85)
    return [
        Part(bar((0.0, 0.4), (0.0, tip), 0.04), c.dark),
        Part(convex((0.08, tip + 0.05), (0.08, 0.28), (0.72, 0.28)), c.pale),
        Part(convex((-0.08, tip + 0.25), (-0.08, 0.28), (-0.55, 0.28)), shaded(c.accent, 1.1)),
        Part(convex((-0.9, 0.38), (0.95, 0.38), (0.6, 0.8), (-0.62, 0.8)), c.main),
        Part(bar((-0.85, 0.42), (0.88, 0.42), 0.05), shaded(c.main, 0.6)),
    ]


def airplane(draws: Draws, c: Palette) -> list[Part]:
    """A tube with swept wings and a tail fin."""
    sweep = draws.between(0.0, 0.15)
    panes = [Part(circle(-0.4 + i * 0.2, -0.06, 0.045), c.dark) for i in range(5)]
    return [
        Part(
            convex((0.1, -0.1), (0.3, -0.1), (-0.12 - sweep, -0.62), (-0.26 - sweep, -0.62)),
            shaded(c.main, 0.65),
        ),
        Part(convex((-0.88, -0.05), (-0.6, -0.1), (-0.82, -0.62), (-1.0, -0.62)), c.accent),
        Part(
            union(bar((-0.6, 0.0), (0.75, 0.0), 0.2, 0.2), bar((-0.6, -0.02), (-0.98, -0.1), 0.18, 0.07)),
            c.main,
        ),
        Part(convex((0.72, -0.14), (0.88, -0.1), (0.92, -0.02), (0.72, -0.02)), GLASS),
        *panes,
        Part(convex((0.0, 0.05), (0.32, 0.05), (-0.2 - sweep, 0.7), (-0.42 - sweep, 0.7)), c.accent),
        Part(convex((-0.85, 0.0), (-0.66, 0.0), (-0.95, 0.28), (-1.08, 0.28)), c.accent),
    ]


def train(draws: Draws, c: Palette) -> list[Part]:
    """A steam engine: boiler, chimney, cab, a row of wheels."""
    puff = draws.between(-0.1, 0.1)
    wheels = [
        p
        for x, r in ((-0.62, 0.22), (-0.12, 0.22), (0.3, 0.16), (0.66, 0.16))
        for p in _wheel(x, 0.68 - r, r, c)
    ]
    return [
        Part(union(circle(0.5 + puff, -0.85, 0.14), circle(0.28 + puff, -0.92, 0.18)), c.pale),
        Part(convex((0.46, -0.2), (0.66, -0.2), (0.72, -0.66), (0.4, -0.66)), c.dark),
        Part(circle(0.08, -0.24, 0.15), c.accent),
        Part(rectangle(0.2, 0.0, 0.68, 0.28, 0.1), c.main),
        Part(rectangle(-0.6, -0.12, 0.32, 0.5, 0.03), shaded(c.main, 0.85)),
        Part(rectangle(-0.6, -0.62, 0.4, 0.07, 0.03), c.dark),
        Part(rectangle(-0.6, -0.25, 0.17, 0.17, 0.02), GLASS),
        Part(rectangle(-0.04, 0.34, 0.9, 0.08), c.accent),
        Part(convex((0.82, 0.3), (0.82, 0.66), (1.05, 0.66)), c.dark),
        *wheels,
    ]


def guitar(draws: Draws, c: Palette) -> list[Part]:
    """A waisted body with a round hole, a long fretted neck."""
    wide = draws.between(0.92, 1.08)
    body = blend(circle(0.0, 0.5, 0.46 * wide), circle(0.0, 0.0, 0.32 * wide), 0.16)
    return [
        Part(body, c.main),
        Part(circle(0.0, 0.2, 0.15), c.dark),
        Part(rectangle(0.0, -0.42, 0.07, 0.55), shaded(c.main, 0.5)),
        Part(rectangle(0.0, -0.98, 0.12, 0.14, 0.04), shaded(c.main, 0.4)),
        Part(rectangle(0.0, 0.6, 0.2, 0.05), c.dark),
        Part(bar((0.0, -0.85), (0.0, 0.58), 0.018), c.pale),
    ]


def drum(draws: Draws, c: Palette) -> list[Part]:
    """A cylinder with hoops and lacing, and two sticks."""
    tilt = draws.between(-0.1, 0.1)
    shell = union(rectangle(0.0, 0.28, 0.7, 0.4), ellipse(0.0, 0.66, 0.7, 0.22))
    zigzag = [(-0.68, 0.02), (-0.45, 0.8), (-0.15, 0.12), (0.15, 0.85), (0.45, 0.12), (0.68, 0.7)]
    return [
        Part(shell, c.main),
        Part(both(shell, stroke(zigzag, 0.03)), c.pale),
        Part(both(shell, outline(ellipse(0.0, 0.6, 0.74, 0.24), 0.06)), c.accent),
        Part(ellipse(0.0, -0.1, 0.74, 0.26), c.accent),
        Part(ellipse(0.0, -0.12, 0.64, 0.19), c.pale),
        Part(bar((-0.1, -0.12), (-0.75 + tilt, -0.85), 0.05, 0.035), c.dark),
        Part(bar((0.15, -0.12), (0.72 + tilt, -0.88), 0.05, 0.035), c.dark),
    ]


def piano(draws: Draws, c: Palette) -> list[Part]:
    """An upright case with a row of keys that stands out."""
    top = draws.between(-0.8, -0.65)
    wood = shaded(c.main, 0.6)
    blacks = [
        Part(rectangle(-0.64 + i * 0.21, 0.03, 0.05, 0.09), c.dark) for i in range(7) if i not in (2, 6)
    ]
    lines = union(*(bar((-0.74 + i * 0.21, -0.05), (-0.74 + i * 0.21, 0.2), 0.014) for i in range(8)))
    return [
        Part(rectangle(0.0, (top + 0.85) / 2, 0.8, (0.85 - top) / 2, 0.03), wood),
        Part(rectangle(0.0, top, 0.86, 0.06, 0.03), shaded(wood, 0.7)),
        Part(rectangle(0.0, -0.36, 0.4, 0.16, 0.02), c.pale),
        Part(rectangle(0.0, 0.12, 0.92, 0.2, 0.03), shaded(wood, 0.7)),
        Part(rectangle(0.0, 0.07, 0.84, 0.13), c.pale),
        Part(lines, c.dark),
        *blacks,
        Part(
            union(bar((-0.78, 0.3), (-0.78, 0.88), 0.07), bar((0.78, 0.3), (0.78, 0.88), 0.07)),
            shaded(wood, 0.7),
        ),
        Part(union(bar((-0.12, 0.78), (-0.12, 0.88), 0.05), bar((0.12, 0.78), (0.12, 0.88), 0.05)), c.accent),
    ]


def trumpet(draws: Draws, c: Palette) -> list[Part]:
    """A long tube with a bell, a loop and three valves."""
    press = draws.between(-0.06, 0.06)
    loop = outline(rectangle(-0.02, 0.16, 0.52, 0.2, 0.19), 0.05)
    bell = union(
        bar((0.3, -0.04), (0.72, -0.04), 0.06, 0.16),
        convex((0.68, -0.18), (0.96, -0.42), (0.96, 0.34), (0.68, 0.1)),
    )
    valves = [rectangle(-0.2 + i * 0.19, 0.1, 0.07, 0.28, 0.02) for i in range(3)]
    pistons = [
        Part(bar((-0.2 + i * 0.19, -0.2), (-0.2 + i * 0.19, -0.34 + press * (i - 1)), 0.045), c.dark)
        for i in range(3)
    ]
    return [
        Part(loop, shaded(c.main, 0.75)),
        *pistons,
        Part(union(*valves), shaded(c.main, 0.9)),
        Part(bar((-0.85, -0.04), (0.35, -0.04), 0.055), c.main),
        Part(bell, c.main),
        Part(ellipse(0.96, -0.04, 0.07, 0.38), shaded(c.main, 0.6)),
        Part(convex((-0.98, -0.14), (-0.82, -0.07), (-0.82, -0.01), (-0.98, 0.06)), c.dark),
    ]


def violin(draws: Draws, c: Palette) -> list[Part]:
    """A body cut in at the waist with two sound holes, a scroll, and a bow beside it."""
    bow = draws.between(-0.06, 0.06)
    bouts = blend(ellipse(0.0, 0.56, 0.42, 0.34), ellipse(0.0, -0.02, 0.34, 0.28), 0.25)
    body = minus(bouts, circle(-0.47, 0.26, 0.2), circle(0.47, 0.26, 0.2))
    holes = union(*(stroke([(s * 0.17, 0.14), (s * 0.13, 0.28), (s * 0.19, 0.42)], 0.026) for s in (-1, 1)))
    return [
        Part(body, c.main),
        Part(holes, c.dark),
        Part(convex((-0.05, -0.75), (0.05, -0.75), (0.08, 0.2), (-0.08, 0.2)), c.dark),
        Part(union(bar((0.0, -0.75), (0.0, -0.95), 0.06), circle(0.04, -0.97, 0.09)), shaded(c.main, 0.6)),
        Part(convex((-0.1, 0.5), (0.1, 0.5), (0.05, 0.8), (-0.05, 0.8)), c.dark),
        Part(bar((-0.13, 0.38), (0.13, 0.38), 0.025), c.pale),
        Part(bar((0.66 + bow, -0.85), (0.62 - bow, 0.9), 0.03), shaded(c.main, 0.5)),
        Part(bar((0.72 + bow, -0.8), (0.71 - bow, 0.82), 0.016), c.pale),
    ]


def harp(draws: Draws, c: Palette) -> list[Part]:
    """A pillar, a curved neck, a slanting sound box, and strings between."""
    dip = draws.between(-0.62, -0.5)
    strings = [
        bar((-0.4 + i * 0.2, -0.62 + 0.04 * i), (-0.4 + i * 0.2, 0.66 - i * 0.27), 0.018) for i in range(5)
    ]
    return [
        Part(union(*strings), c.pale),
        Part(bar((-0.5, 0.88), (0.7, -0.72), 0.14, 0.06), c.main),
        Part(bar((-0.62, 0.85), (-0.62, -0.85), 0.08), c.main),
        Part(
            stroke(
                [
                    *bend((-0.62, -0.85), (-0.2, -0.95), (-0.05, dip), 4),
                    *bend((-0.05, dip), (0.3, dip + 0.1), (0.7, -0.75), 4)[1:],
                ],
                0.09,
                0.06,
            ),
            shaded(c.main, 0.85),
        ),
        Part(rectangle(-0.56, 0.92, 0.3, 0.08, 0.03), shaded(c.main, 0.65)),
        Part(circle(-0.62, -0.88, 0.12), shaded(c.main, 0.75)),
    ]


MACHINES = {
    shape.__name__: shape
    for shape in (car, bus, bicycle, boat, airplane, train, guitar, drum, piano, trumpet, violin, harp)
}
