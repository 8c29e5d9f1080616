"""Drawings of furniture and of clothing.

Furniture shares legs, seats and boards. Clothing is cloth that is cut for the body.

Each public function draws the object that its name says, and has two parameters: ``draws``, the stream of
random numbers of the image, and ``c``, the colours of the object. It gives the parts of the object, the
rearmost first. The object is about two units wide. Its docstring says what is drawn.
"""

from __future__ import annotations

from benchmark.datasets.mini.canvas import Part
from benchmark.datasets.mini.draws import Draws
from benchmark.datasets.mini.palette import Colour, Palette, from_hsv, shaded
from benchmark.datasets.mini.sdf import (
    bar,
    both,
    circle,
    convex,
    ellipse,
    minus,
    rectangle,
    union,
)


def _posts(colour: Colour, xs: tuple[float, ...], top: float, foot: float, width: float) -> list[Part]:
    """Legs of furniture."""
    return [Part(rectangle(x, (top + foot) / 2, width, (foot - top) / 2, 0.02), colour) for x in xs]


def chair(draws: Draws, c: Palette) -> list[Part]:
    """A seat on four legs with a slatted back, from the side and a little above."""
    top = draws.between(-0.98, -0.85)
    return [
        *_posts(shaded(c.main, 0.6), (-0.32, 0.58), 0.1, 0.82, 0.06),
        Part(
            union(bar((-0.5, 0.0), (-0.58, top), 0.07), bar((-0.16, -0.1), (-0.22, top - 0.02), 0.06)), c.main
        ),
        Part(
            union(*(bar((-0.52, y), (-0.2, y - 0.03), 0.055) for y in (top + 0.08, -0.6, -0.32))),
            shaded(c.main, 0.8),
        ),
        Part(convex((-0.55, 0.12), (-0.2, -0.08), (0.65, -0.08), (0.45, 0.12), rounding=0.05), c.accent),
        *_posts(c.main, (-0.5, 0.42), 0.14, 0.98, 0.07),
    ]


def table(draws: Draws, c: Palette) -> list[Part]:
    """A board on four legs, from a little above."""
    foot = draws.between(0.7, 0.85)
    return [
        *_posts(shaded(c.main, 0.55), (-0.5, 0.62), -0.1, foot - 0.16, 0.06),
        *_posts(shaded(c.main, 0.8), (-0.8, 0.78), 0.0, foot, 0.075),
        Part(rectangle(0.0, 0.06, 0.92, 0.1, 0.02), shaded(c.main, 0.7)),
        Part(convex((-0.95, -0.02), (-0.55, -0.38), (0.75, -0.38), (0.95, -0.02), rounding=0.03), c.main),
    ]


def bed(draws: Draws, c: Palette) -> list[Part]:
    """Head board, pillow, mattress and cover, foot board."""
    head = draws.between(-0.6, -0.45)
    wood = shaded(c.accent, 0.7)
    return [
        Part(rectangle(-0.9, (head + 0.65) / 2, 0.08, (0.65 - head) / 2, 0.04), wood),
        Part(rectangle(0.92, 0.3, 0.07, 0.36, 0.04), wood),
        Part(rectangle(0.0, 0.38, 0.9, 0.12), wood),
        Part(rectangle(0.0, 0.14, 0.86, 0.17, 0.07), c.pale),
        Part(union(rectangle(0.22, 0.12, 0.65, 0.21, 0.08), rectangle(0.22, 0.28, 0.65, 0.12)), c.main),
        Part(ellipse(-0.62, -0.1, 0.22, 0.14, -8), c.pale),
        Part(rectangle(-0.34, 0.12, 0.08, 0.2, 0.05), shaded(c.main, 0.7)),
    ]


def lamp(draws: Draws, c: Palette) -> list[Part]:
    """A shade on a pole with a foot."""
    wide = draws.between(0.48, 0.62)
    return [
        Part(bar((0.0, -0.3), (0.0, 0.85), 0.06), shaded(c.accent, 0.6)),
        Part(ellipse(0.0, 0.4, 0.16, 0.24), c.accent),
        Part(
            union(ellipse(0.0, 0.88, 0.42, 0.1), rectangle(0.0, 0.92, 0.42, 0.06, 0.03)),
            shaded(c.accent, 0.6),
        ),
        Part(convex((-wide, 0.0), (wide, 0.0), (0.28, -0.85), (-0.28, -0.85), rounding=0.03), c.main),
        Part(ellipse(0.0, 0.0, wide, 0.07), c.pale),
    ]


def sofa(draws: Draws, c: Palette) -> list[Part]:
    """A wide back, two arms, two cushions, short legs."""
    top = draws.between(-0.52, -0.4)
    dark = shaded(c.main, 0.72)
    return [
        *_posts(c.dark, (-0.78, 0.78), 0.5, 0.68, 0.06),
        Part(rectangle(0.0, (top + 0.4) / 2, 0.84, (0.4 - top) / 2, 0.14), dark),
        Part(rectangle(0.0, 0.42, 0.85, 0.14, 0.03), dark),
        *(Part(rectangle(s * 0.34, 0.18, 0.34, 0.14, 0.08), c.main) for s in (-1, 1)),
        *(Part(rectangle(s * 0.82, 0.22, 0.17, 0.35, 0.15), c.main) for s in (-1, 1)),
        *(Part(rectangle(s * 0.46, -0.08, 0.2, 0.15, 0.07, s * 8), c.accent) for s in (-1, 1)),
    ]


def bookcase(draws: Draws, c: Palette) -> list[Part]:
    """A tall case with shelves of books."""
    parts = [
        Part(rectangle(0.0, 0.0, 0.62, 0.98, 0.02), c.main),
        Part(rectangle(0.0, 0.0, 0.53, 0.9), c.dark),
    ]
    for shelf in range(4):
        floor = -0.5 + shelf * 0.46
        x = -0.5
        while x < 0.4:
            half = draws.between(0.05, 0.09)
            tall = draws.between(0.12, 0.19)
            colour = from_hsv(draws.unit(), draws.between(0.3, 0.9), draws.between(0.5, 1.0))
            if draws.chance(0.85):
                parts.append(Part(rectangle(x + half, floor - tall, half, tall), colour))
            x += half * 2 + 0.015
        parts.append(Part(rectangle(0.0, floor + 0.02, 0.58, 0.035), c.main))
    return parts


def shirt(draws: Draws, c: Palette) -> list[Part]:
    """A body with two short sleeves, a collar and a row of buttons."""
    spread = draws.between(0.85, 1.0)
    sleeves = union(
        *(
            convex((s * 0.4, -0.65), (s * spread, -0.1), (s * (spread - 0.28), 0.1), (s * 0.4, -0.2))
            for s in (-1, 1)
        )
    )
    return [
        Part(sleeves, shaded(c.main, 0.85)),
        Part(
            convex((-0.5, -0.62), (-0.18, -0.75), (0.18, -0.75), (0.5, -0.62), (0.48, 0.85), (-0.48, 0.85)),
            c.main,
        ),
        Part(convex((-0.18, -0.77), (0.18, -0.77), (0.0, -0.5)), c.dark),
        Part(union(*(convex((s * 0.2, -0.8), (s * 0.02, -0.5), (s * 0.26, -0.42)) for s in (-1, 1))), c.pale),
        Part(bar((0.0, -0.45), (0.0, 0.82), 0.014), shaded(c.main, 0.55)),
        *(Part(circle(0.0, y, 0.05), c.pale) for y in (-0.25, 0.08, 0.41, 0.7)),
    ]


def trousers(draws: Draws, c: Palette) -> list[Part]:
    """A waistband and two long legs."""
    gap = draws.between(0.08, 0.2)
    legs = union(
        *(
            convex((s * 0.46, -0.85), (0.0, -0.85), (0.0, -0.3), (s * gap, 0.95), (s * (gap + 0.36), 0.95))
            for s in (-1, 1)
        )
    )
    return [
        Part(legs, c.main),
        Part(rectangle(0.0, -0.84, 0.46, 0.09, 0.02), shaded(c.accent, 0.7)),
        Part(rectangle(0.0, -0.84, 0.07, 0.08), c.pale),
        Part(bar((0.0, -0.74), (0.0, -0.32), 0.018), shaded(c.main, 0.5)),
        Part(union(*(bar((s * 0.4, -0.55), (s * 0.2, -0.7), 0.02) for s in (-1, 1))), shaded(c.main, 0.5)),
    ]


def dress(draws: Draws, c: Palette) -> list[Part]:
    """Straps, a narrow waist with a belt, a wide skirt."""
    hem = draws.between(0.6, 0.78)
    skirt = both(convex((-0.2, -0.2), (0.2, -0.2), (hem, 0.9), (-hem, 0.9)), ellipse(0.0, -0.1, 1.0, 1.02))
    bodice = convex((-0.34, -0.62), (0.34, -0.62), (0.2, -0.15), (-0.2, -0.15))
    return [
        Part(union(*(bar((s * 0.26, -0.6), (s * 0.2, -0.95), 0.045) for s in (-1, 1))), shaded(c.main, 0.8)),
        Part(skirt, c.main),
        Part(union(*(bar((x * 0.3, 0.0), (x, 0.82), 0.018) for x in (-0.4, 0.0, 0.4))), shaded(c.main, 0.65)),
        Part(minus(bodice, ellipse(0.0, -0.64, 0.16, 0.14)), c.main),
        Part(rectangle(0.0, -0.17, 0.23, 0.06, 0.02), c.accent),
    ]


def hat(draws: Draws, c: Palette) -> list[Part]:
    """A crown with a band on a wide brim."""
    tall = draws.between(-0.62, -0.45)
    crown = union(
        convex((-0.5, 0.3), (-0.4, tall + 0.1), (0.4, tall + 0.1), (0.5, 0.3)),
        ellipse(0.0, tall + 0.12, 0.41, 0.16),
    )
    return [
        Part(ellipse(0.0, 0.32, 0.98, 0.24), shaded(c.main, 0.75)),
        Part(crown, c.main),
        Part(ellipse(0.0, 0.3, 0.5, 0.11), c.main),
        Part(both(crown, rectangle(0.0, 0.17, 0.6, 0.1)), c.accent),
    ]


def shoe(draws: Draws, c: Palette) -> list[Part]:
    """A low shoe with a sole, laces and an opening."""
    toe = draws.between(0.75, 0.85)
    upper = union(
        convex((-0.8, -0.35), (-0.1, -0.35), (0.3, 0.0), (0.4, 0.4), (-0.85, 0.4)),
        ellipse(toe - 0.35, 0.28, 0.45, 0.28),
    )
    laces = [
        Part(bar((-0.12 + i * 0.15, -0.2 + i * 0.12), (0.06 + i * 0.15, -0.32 + i * 0.12), 0.035), c.pale)
        for i in range(3)
    ]
    return [
        Part(upper, c.main),
        Part(ellipse(-0.45, -0.36, 0.36, 0.1), c.dark),
        *laces,
        Part(ellipse(toe - 0.1, 0.3, 0.2, 0.16), shaded(c.main, 0.7)),
        Part(rectangle(-0.02, 0.46, 0.9, 0.1, 0.08), c.pale),
        Part(rectangle(-0.62, 0.5, 0.24, 0.13, 0.03), c.pale),
    ]


def sock(draws: Draws, c: Palette) -> list[Part]:
    """A tube with a cuff, bent at the heel."""
    toe = draws.between(0.55, 0.7)
    return [
        Part(
            union(bar((-0.25, -0.6), (-0.2, 0.45), 0.27, 0.28), bar((-0.2, 0.5), (toe, 0.55), 0.28, 0.25)),
            c.main,
        ),
        Part(both(circle(-0.3, 0.62, 0.28), bar((-0.2, 0.5), (toe, 0.55), 0.28, 0.25)), c.accent),
        Part(both(circle(toe + 0.12, 0.58, 0.28), bar((-0.2, 0.5), (toe, 0.55), 0.28, 0.25)), c.accent),
        Part(rectangle(-0.25, -0.76, 0.32, 0.16, 0.05), c.accent),
        *(Part(rectangle(-0.24, y, 0.27, 0.045), c.pale) for y in (-0.42, -0.2)),
    ]


HOME = {
    shape.__name__: shape
    for shape in (chair, table, bed, lamp, sofa, bookcase, shirt, trousers, dress, hat, shoe, sock)
}
