"""Circles whose areas, and the areas where they overlap, are the parts of a variance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from benchmark.measures.regression import Subset

#: Three circles are drawn if no region differs from its part by more than this share of the whole
MOST_ERROR = 0.02
#: Cells of the grid on a side, for the areas of three circles
_GRID = 600


class NoDiagramError(ValueError):
    """No circles have these areas. The message says why."""


class Placed(NamedTuple):
    """A circle."""

    x: float
    y: float
    radius: float


def euler_circles(parts: Mapping[Subset, float]) -> list[Placed]:
    """Place circles in proportion to the parts of two or three sets.

    Two circles are exact. Three are placed by the overlap of every two; what all three have in common is not
    free then, so they are drawn only if every region is as it should be (:data:`MOST_ERROR`).

    Parameters
    ----------
    parts : mapping of tuple of str to float
        Parts of commonality analysis: what each group of sets has in common that no other set has.

    Returns
    -------
    list of Placed
        In the order of the sets.

    Raises
    ------
    NoDiagramError
        If a part is negative or undefined, or three circles cannot have these areas.
    """
    for group, part in parts.items():
        if not part >= 0:
            raise NoDiagramError(f"the part of {' and '.join(group)} is {part:.3f}, and no area is negative")
    names = max(parts, key=len)
    radii = [math.sqrt(_common(parts, (name,)) / math.pi) for name in names]
    if not min(radii) > 0:
        raise NoDiagramError("a model explains nothing")
    apart = {
        (i, j): _distance(radii[i], radii[j], _common(parts, (names[i], names[j])))
        for i, j in combinations(range(len(names)), 2)
    }
    circles = [Placed(0.0, 0.0, radii[0]), Placed(apart[0, 1], 0.0, radii[1])]
    if len(names) == 2:
        return circles
    a, b, c = apart[0, 1], apart[0, 2], apart[1, 2]
    x = (a**2 + b**2 - c**2) / (2 * a) if a > 0 else b
    if abs(x) > b:
        raise NoDiagramError("no three circles overlap in this way")
    circles.append(Placed(x, math.sqrt(b**2 - x**2), radii[2]))
    error = _error(circles, parts, names)
    if error > MOST_ERROR:
        raise NoDiagramError(f"three circles would be wrong by {error:.0%} of the whole")
    return circles


def _common(parts: Mapping[Subset, float], names: Subset) -> float:
    """What all of ``names`` have in common, with others or without."""
    return sum(part for group, part in parts.items() if set(names) <= set(group))


def _distance(r: float, s: float, overlap: float) -> float:
    """Distance of the centres of two circles that overlap in an area."""
    nested, touching = abs(r - s), r + s
    if overlap <= 0:
        return touching
    if overlap >= math.pi * min(r, s) ** 2 * (1 - 1e-9):
        return nested
    found: float = brentq(lambda d: _lens(r, s, d) - overlap, nested, touching, xtol=1e-12)
    return found


def _lens(r: float, s: float, d: float) -> float:
    """Area that two circles at distance d have in common."""
    if d >= r + s:
        return 0.0
    if d <= abs(r - s):
        return math.pi * min(r, s) ** 2
    along = (d**2 + r**2 - s**2) / (2 * d)

    def segment(radius: float, chord: float) -> float:
        return radius**2 * math.acos(max(-1.0, min(1.0, chord / radius))) - chord * math.sqrt(
            max(0.0, radius**2 - chord**2)
        )

    return segment(r, along) + segment(s, d - along)


def _error(circles: list[Placed], parts: Mapping[Subset, float], names: Subset) -> float:
    """The greatest difference of a region of the drawing from its part, as a share of the whole."""
    low = min(min(c.x, c.y) - c.radius for c in circles)
    high = max(max(c.x, c.y) + c.radius for c in circles)
    line = np.linspace(low, high, _GRID)
    x, y = np.meshgrid(line, line)
    inside = [(x - c.x) ** 2 + (y - c.y) ** 2 < c.radius**2 for c in circles]
    cell = (line[1] - line[0]) ** 2
    whole = sum(parts.values())
    worst = 0.0
    for group, part in parts.items():
        region = np.logical_and.reduce(
            [within if name in group else ~within for name, within in zip(names, inside, strict=True)]
        )
        worst = max(worst, abs(float(region.sum()) * cell - part) / whole)
    return worst
