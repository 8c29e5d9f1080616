"""Circles with given areas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.partition.euler import NoDiagramError, euler_circles

TWO = [("a",), ("b",), ("a", "b")]
THREE = [("a",), ("b",), ("c",), ("a", "b"), ("a", "c"), ("b", "c"), ("a", "b", "c")]


def regions(circles, names, points=400):
    """Area of every region, counted on a grid."""
    low = min(min(c.x, c.y) - c.radius for c in circles)
    high = max(max(c.x, c.y) + c.radius for c in circles)
    x, y = np.meshgrid(*[np.linspace(low, high, points)] * 2)
    inside = np.array([(x - c.x) ** 2 + (y - c.y) ** 2 < c.radius**2 for c in circles])
    cell = ((high - low) / (points - 1)) ** 2
    found = {}
    for group in TWO if len(circles) == 2 else THREE:
        wanted = np.array([name in group for name in names])
        found[group] = (inside == wanted[:, None, None]).all(axis=0).sum() * cell
    return found


part = st.floats(0, 1)


@given(part, part, part)
def test_two_circles_have_the_areas(a, b, both):
    parts = dict(zip(TWO, (a, b, both), strict=True))
    if min(a + both, b + both) < 1e-3:
        return
    found = regions(euler_circles(parts), "ab")
    for group, area in parts.items():
        assert found[group] == pytest.approx(area, abs=0.015 * sum(parts.values()))


def test_three_circles_are_found_again():
    drawn = [
        type("C", (), {"x": x, "y": y, "radius": r}) for x, y, r in ((0, 0, 1), (1, 0, 0.8), (0.3, 1, 1.2))
    ]
    parts = regions(drawn, "abc")
    found = regions(euler_circles(parts), "abc")
    assert found == pytest.approx(parts, abs=0.02)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        (dict(zip(TWO, (0.1, -0.01, 0.2), strict=True)), "the part of b is -0.010"),
        (dict(zip(TWO, (0.1, float("nan"), 0.2), strict=True)), "the part of b is nan"),
        (dict(zip(TWO, (0.1, 0.0, 0.0), strict=True)), "explains nothing"),
        # every two share much, and all three nothing
        (dict(zip(THREE, (0.1, 0.1, 0.1, 0.5, 0.5, 0.5, 0.0), strict=True)), "wrong by"),
        # one is inside of both others, which do not meet
        (dict(zip(THREE, (1.0, 1.0, 0.0, 0.0, 0.5, 0.5, 0.0), strict=True)), "no three circles|wrong by"),
    ],
)
def test_areas_that_no_circles_have_are_refused(parts, reason):
    with pytest.raises(NoDiagramError, match=reason):
        euler_circles(parts)
