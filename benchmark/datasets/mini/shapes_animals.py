"""Drawings of animals.

Mammals share a trunk, legs and a head. Birds and fish share an oval body, an eye, and a beak or fins.

Each public function draws the object that its name says, and has two parameters: ``draws``, the stream of
random numbers of the image, and ``c``, the colours of the object. It gives the parts of the object, the
rearmost first. The object is about two units wide. Its docstring says what is drawn.
"""

from __future__ import annotations

from benchmark.datasets.mini.canvas import Part
from benchmark.datasets.mini.draws import Draws
from benchmark.datasets.mini.palette import Colour, Palette, shaded
from benchmark.datasets.mini.sdf import (
    bar,
    bend,
    blend,
    both,
    circle,
    convex,
    ellipse,
    stroke,
    union,
)


def _legs(
    draws: Draws, colour: Colour, hips: tuple[float, float], top: float, foot: float, width: float
) -> list[Part]:
    """Four legs under a trunk. The far pair is darker, and every leg is moved a little."""
    parts = []
    for shade, shift in ((0.7, 0.1), (1.0, 0.0)):
        for hip in hips:
            swing = draws.between(-0.12, 0.12)
            limb = bar((hip + shift, top), (hip + shift + swing, foot), width, width * 0.75)
            parts.append(Part(limb, shaded(colour, shade)))
    return parts


def _eye(x: float, y: float, colours: Palette, radius: float = 0.045) -> Part:
    return Part(circle(x, y, radius), colours.dark)


def dog(draws: Draws, c: Palette) -> list[Part]:
    """Trunk, raised tail, hanging ear, long muzzle."""
    ear = draws.between(-12, 12)
    tail = draws.between(-0.75, -0.45)
    return [
        *_legs(draws, c.main, (-0.5, 0.2), 0.15, 0.78, 0.12),
        Part(stroke(bend((-0.55, 0.0), (-0.85, -0.1), (-0.9, tail)), 0.1, 0.05), c.main),
        Part(bar((-0.45, 0.08), (0.3, 0.02), 0.25, 0.27), c.main),
        Part(bar((0.3, -0.05), (0.5, -0.38), 0.2, 0.19), c.main),
        Part(blend(circle(0.5, -0.45, 0.25), bar((0.6, -0.38), (0.92, -0.33), 0.14, 0.11), 0.1), c.main),
        Part(circle(1.0, -0.37, 0.07), c.dark),
        Part(ellipse(0.38, -0.36, 0.13, 0.28, 12 + ear), shaded(c.main, 0.5)),
        _eye(0.62, -0.52, c),
    ]


def cat(draws: Draws, c: Palette) -> list[Part]:
    """Slim trunk, long thin tail, round face with pointed ears and whiskers."""
    tip = draws.between(-0.2, 0.2)
    head_x, head_y = 0.55, -0.35
    ears = [
        convex((head_x + s * 0.3, head_y - 0.42), (head_x + s * 0.28, head_y), (head_x, head_y - 0.18))
        for s in (-1, 1)
    ]
    whiskers = [
        Part(bar((head_x + s * 0.1, head_y + 0.1), (head_x + s * 0.46, head_y + 0.05 + dy), 0.015), c.pale)
        for s in (-1, 1)
        for dy in (0.0, 0.12)
    ]
    return [
        Part(
            stroke([*bend((-0.5, 0.1), (-0.95, 0.1), (-0.85, -0.4)), (-0.7 + tip, -0.8)], 0.08, 0.06), c.main
        ),
        *_legs(draws, c.main, (-0.42, 0.28), 0.2, 0.75, 0.09),
        Part(bar((-0.4, 0.12), (0.35, 0.08), 0.23, 0.21), c.main),
        Part(union(*ears), shaded(c.main, 0.8)),
        Part(ellipse(head_x, head_y, 0.33, 0.28), c.main),
        *whiskers,
        _eye(head_x - 0.12, head_y - 0.05, c, 0.055),
        _eye(head_x + 0.12, head_y - 0.05, c, 0.055),
        Part(
            convex((head_x - 0.05, head_y + 0.07), (head_x + 0.05, head_y + 0.07), (head_x, head_y + 0.13)),
            c.accent,
        ),
    ]


def horse(draws: Draws, c: Palette) -> list[Part]:
    """Long legs, arched neck with a mane, long head, hanging tail."""
    nod = draws.between(-0.08, 0.1)
    return [
        Part(stroke(bend((-0.6, -0.15), (-0.95, -0.1), (-0.85, 0.5)), 0.07, 0.12), c.accent),
        *_legs(draws, c.main, (-0.48, 0.22), 0.05, 0.92, 0.1),
        Part(bar((-0.42, -0.05), (0.25, -0.05), 0.25, 0.22), c.main),
        Part(stroke(bend((0.15, -0.2), (0.28, -0.6), (0.55, -0.85)), 0.16, 0.08), c.accent),
        Part(stroke([(0.28, -0.1), (0.6, -0.72)], 0.2, 0.12), c.main),
        Part(bar((0.6, -0.74), (0.92, -0.45 + nod), 0.15, 0.09), c.main),
        Part(convex((0.5, -0.8), (0.62, -0.82), (0.56, -1.02)), c.main),
        _eye(0.66, -0.74, c),
    ]


def elephant(draws: Draws, c: Palette) -> list[Part]:
    """Heavy trunk and legs, great ear, long nose, tusk."""
    reach = draws.between(-0.12, 0.12)
    return [
        Part(bar((-0.8, -0.2), (-0.92, 0.25), 0.04), c.main),
        *_legs(draws, c.main, (-0.52, 0.12), 0.2, 0.78, 0.19),
        Part(ellipse(-0.22, -0.1, 0.68, 0.48), c.main),
        Part(stroke(bend((0.62, -0.25), (0.98, 0.0), (0.85 + reach, 0.72), 6), 0.18, 0.08), c.main),
        Part(circle(0.5, -0.3, 0.33), c.main),
        Part(stroke(bend((0.66, 0.0), (0.85, 0.25), (1.05, 0.12)), 0.05, 0.02), c.pale),
        Part(ellipse(0.27, -0.25, 0.25, 0.36, 10), shaded(c.main, 0.72)),
        _eye(0.64, -0.36, c),
    ]


def rabbit(draws: Draws, c: Palette) -> list[Part]:
    """Hunched body, round tail, two long upright ears."""
    lean = draws.between(-0.12, 0.12)
    ears = [
        Part(ellipse(0.36 + lean + dx, -0.72, 0.1, 0.36, angle), shaded(c.main, shade))
        for dx, angle, shade in ((-0.1, -16 + 60 * lean, 0.75), (0.06, 6 + 60 * lean, 1.0))
    ]
    return [
        Part(circle(-0.78, 0.38, 0.17), c.pale),
        Part(ellipse(-0.25, 0.25, 0.55, 0.46), c.main),
        Part(ellipse(-0.35, 0.4, 0.3, 0.3), shaded(c.main, 0.88)),
        Part(bar((-0.4, 0.7), (-0.05, 0.72), 0.1), c.main),
        Part(bar((0.2, 0.45), (0.3, 0.72), 0.12, 0.09), c.main),
        *ears,
        Part(ellipse(0.4, -0.18, 0.32, 0.26, 12), c.main),
        Part(ellipse(0.42, -0.68, 0.04, 0.22, 6 + 60 * lean), c.accent),
        _eye(0.48, -0.24, c, 0.06),
        Part(circle(0.7, -0.14, 0.045), c.accent),
    ]


def giraffe(draws: Draws, c: Palette) -> list[Part]:
    """Very long neck, small horned head, spots, long legs."""
    neck = bar((0.2, -0.05), (0.52, -0.82), 0.15, 0.08)
    trunk = bar((-0.35, 0.12), (0.18, 0.02), 0.2, 0.23)
    spots = [
        Part(ellipse(x + draws.between(-0.04, 0.04), y, 0.085, 0.075), shaded(c.accent, 0.8))
        for x, y in ((-0.38, 0.1), (-0.18, 0.0), (-0.12, 0.18), (0.06, -0.02), (0.12, 0.17), (0.27, -0.22))
    ]
    spots += [
        Part(circle(0.36, -0.42, 0.06), shaded(c.accent, 0.8)),
        Part(circle(0.45, -0.64, 0.045), shaded(c.accent, 0.8)),
    ]
    return [
        Part(stroke([(-0.52, 0.05), (-0.66, 0.3), (-0.64, 0.5)], 0.03, 0.05), c.main),
        *_legs(draws, c.main, (-0.4, 0.14), 0.15, 0.98, 0.075),
        Part(trunk, c.main),
        Part(neck, c.main),
        *spots,
        Part(union(bar((0.5, -0.9), (0.47, -1.08), 0.03), bar((0.57, -0.9), (0.57, -1.08), 0.03)), c.dark),
        Part(bar((0.54, -0.88), (0.84, -0.76), 0.12, 0.08), c.main),
        _eye(0.6, -0.9, c, 0.04),
    ]


def duck(draws: Draws, c: Palette) -> list[Part]:
    """Boat-like body with a raised tail, round head, flat bill."""
    wing = draws.between(-8, 8)
    body = blend(ellipse(-0.1, 0.32, 0.68, 0.36), convex((-0.95, -0.12), (-0.55, 0.1), (-0.5, 0.4)), 0.2)
    bill = union(bar((0.75, -0.36), (1.02, -0.33), 0.09, 0.06), bar((0.75, -0.3), (0.98, -0.26), 0.06, 0.04))
    return [
        Part(bill, c.accent),
        Part(body, c.main),
        Part(bar((0.38, 0.15), (0.5, -0.3), 0.2, 0.17), c.main),
        Part(circle(0.53, -0.42, 0.27), shaded(c.main, 0.9)),
        Part(ellipse(-0.2, 0.25, 0.4, 0.2, -10 + wing), shaded(c.main, 0.62)),
        _eye(0.6, -0.5, c, 0.055),
    ]


def owl(draws: Draws, c: Palette) -> list[Part]:
    """Upright body, folded wings, ear tufts, two great eyes."""
    gaze = draws.between(-0.06, 0.06)
    eyes = []
    for side in (-1, 1):
        eyes += [
            Part(circle(side * 0.24, -0.38, 0.23), c.pale),
            Part(circle(side * 0.24 + gaze, -0.38, 0.11), c.dark),
        ]
    wings = [Part(ellipse(s * 0.52, 0.25, 0.18, 0.5, s * -10), shaded(c.main, 0.6)) for s in (-1, 1)]
    feet = union(*(bar((s * 0.18, 0.8), (s * 0.2, 0.92), 0.08) for s in (-1, 1)))
    return [
        Part(feet, c.accent),
        Part(union(*(convex((s * 0.52, -0.92), (s * 0.5, -0.35), (0.0, -0.6)) for s in (-1, 1))), c.main),
        Part(ellipse(0, 0.2, 0.56, 0.68), c.main),
        Part(ellipse(0, -0.38, 0.52, 0.4), c.main),
        Part(ellipse(0, 0.4, 0.32, 0.4), shaded(c.pale, 0.85)),
        *wings,
        *eyes,
        Part(convex((-0.09, -0.28), (0.09, -0.28), (0, -0.04)), c.accent),
    ]


def penguin(draws: Draws, c: Palette) -> list[Part]:
    """Upright body with a pale belly, flippers, webbed feet, side-turned beak."""
    lift = draws.between(0, 25)
    coat = shaded(c.main, 0.45)
    flippers = [
        Part(ellipse(s * 0.5, 0.15, 0.12, 0.45, s * (-12 - lift)), shaded(coat, 0.8)) for s in (-1, 1)
    ]
    feet = union(*(ellipse(s * 0.22, 0.92, 0.2, 0.08) for s in (-1, 1)))
    return [
        Part(feet, c.accent),
        *flippers,
        Part(ellipse(0, 0.25, 0.48, 0.66), coat),
        Part(circle(0.0, -0.55, 0.32), coat),
        Part(ellipse(0.03, 0.33, 0.34, 0.54), c.pale),
        Part(ellipse(0.1, -0.52, 0.17, 0.18), c.pale),
        Part(convex((0.22, -0.6), (0.22, -0.44), (0.55, -0.5)), c.accent),
        _eye(0.13, -0.58, c, 0.055),
    ]


def goldfish(draws: Draws, c: Palette) -> list[Part]:
    """Round body, flowing two-lobed tail, fins."""
    sway = draws.between(-12, 12)
    fin = shaded(c.main, 0.75)
    tail = union(ellipse(-0.72, -0.26, 0.36, 0.17, 40 + sway), ellipse(-0.72, 0.26, 0.36, 0.17, -40 + sway))
    return [
        Part(tail, fin),
        Part(convex((-0.3, -0.3), (0.3, -0.35), (-0.05, -0.72), (-0.3, -0.66)), fin),
        Part(convex((0.05, 0.3), (0.25, 0.35), (-0.05, 0.66)), fin),
        Part(blend(ellipse(0.18, 0.0, 0.58, 0.42), ellipse(-0.35, 0.0, 0.2, 0.12), 0.2), c.main),
        Part(ellipse(0.08, 0.1, 0.2, 0.1, 30 + sway), fin),
        Part(circle(0.48, -0.12, 0.12), c.pale),
        _eye(0.5, -0.12, c, 0.06),
        Part(bar((0.7, 0.1), (0.62, 0.15), 0.025), c.dark),
    ]


def shark(draws: Draws, c: Palette) -> list[Part]:
    """Long pointed body, tall back fin, upright forked tail, gills."""
    sway = draws.between(-0.08, 0.08)
    body = union(bar((0.15, 0.0), (0.85, -0.02), 0.26, 0.08), bar((0.15, 0.0), (-0.8, sway), 0.26, 0.05))
    gills = [Part(bar((0.36 + i * 0.08, -0.08), (0.33 + i * 0.08, 0.1), 0.016), c.dark) for i in range(3)]
    return [
        Part(convex((-0.72, sway), (-0.8, sway + 0.06), (-1.08, sway - 0.5), (-0.98, sway - 0.5)), c.main),
        Part(convex((-0.72, sway), (-0.78, sway - 0.06), (-1.02, sway + 0.36), (-0.95, sway + 0.38)), c.main),
        Part(convex((-0.15, -0.2), (0.28, -0.2), (-0.12, -0.66)), shaded(c.main, 0.85)),
        Part(body, c.main),
        Part(both(body, ellipse(0.15, 0.22, 0.75, 0.16)), c.pale),
        Part(convex((0.05, 0.12), (0.3, 0.14), (-0.12, 0.55)), shaded(c.main, 0.75)),
        *gills,
        _eye(0.7, -0.08, c, 0.04),
        Part(bar((0.62, 0.09), (0.82, 0.05), 0.02), c.dark),
    ]


def flamingo(draws: Draws, c: Palette) -> list[Part]:
    """Oval body on stilts, S-shaped neck, bent bill."""
    step = draws.between(-0.15, 0.15)
    neck = [
        *bend((0.2, 0.0), (0.66, -0.05), (0.45, -0.4), 4),
        *bend((0.45, -0.4), (0.22, -0.75), (0.5, -0.9), 4)[1:],
    ]
    legs = [
        Part(stroke([(-0.1, 0.2), (-0.14 + step, 0.6), (-0.06 + step, 0.98)], 0.035), shaded(c.main, 0.65)),
        Part(stroke([(0.05, 0.2), (0.05, 0.6), (0.02, 0.98)], 0.035), shaded(c.main, 0.8)),
        Part(bar((0.02, 0.98), (0.18, 0.98), 0.035), shaded(c.main, 0.8)),
    ]
    return [
        *legs,
        Part(convex((-0.75, 0.2), (-0.3, -0.15), (-0.3, 0.22)), shaded(c.main, 0.7)),
        Part(ellipse(-0.08, 0.02, 0.48, 0.27, 8), c.main),
        Part(stroke(neck, 0.085, 0.065), c.main),
        Part(ellipse(-0.16, 0.0, 0.32, 0.14, 14), shaded(c.main, 0.75)),
        Part(stroke([(0.6, -0.9), (0.82, -0.8), (0.84, -0.64)], 0.07, 0.035), c.dark),
        Part(circle(0.52, -0.9, 0.14), c.main),
        _eye(0.55, -0.93, c, 0.04),
    ]


ANIMALS = {
    shape.__name__: shape
    for shape in (dog, cat, horse, elephant, rabbit, giraffe, duck, owl, penguin, goldfish, shark, flamingo)
}
