"""Shapes in the plane as signed distance functions: negative inside, positive outside.

Every function gives a :class:`Shape`, unless it says otherwise. Only ``+ - * /``, square roots and
comparisons are applied to arrays: IEEE 754 allows only one rounding for each. Sines and cosines of angles are
Python floats rounded to six places. So the distances are the same to the last bit on every machine.

x points right, and y points down. Lengths are in units of the object, which is about two units wide.
Parameters that many functions share:

``cx``, ``cy``
    The centre.
``angle``
    The turn in degrees, clockwise on the screen.
``r0``, ``r1``
    The radius (half of the thickness) of a line at its start and at its end. Default of ``r1``: ``r0``.
``rounding``
    The radius of rounded corners.
``a``, ``b``
    The shapes that are combined.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

Point = tuple[float, float]
Box = tuple[float, float, float, float]


class Shape(NamedTuple):
    """A region of the plane.

    Attributes
    ----------
    box : tuple of float
        Left, top, right and bottom of a rectangle that contains the region.
    distance : callable
        ``distance(x, y)``, for arrays of coordinates: the signed distance of each point from the border, an
        array of the same shape. It is exact only near the border.
    """

    box: Box
    distance: Callable[[np.ndarray, np.ndarray], np.ndarray]


def turn(degrees: float) -> Point:
    """Cosine and sine of an angle in ``degrees``, rounded: every mathematics library gives the same."""
    return round(math.cos(math.radians(degrees)), 6), round(math.sin(math.radians(degrees)), 6)


def circle(cx: float, cy: float, radius: float) -> Shape:
    """A disc of this ``radius``."""

    def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        dx, dy = x - cx, y - cy
        return np.sqrt(dx * dx + dy * dy) - radius

    return Shape((cx - radius, cy - radius, cx + radius, cy + radius), distance)


def ellipse(cx: float, cy: float, rx: float, ry: float, angle: float = 0.0) -> Shape:
    """An ellipse with the half-axes ``rx`` and ``ry``; its distance is exact near the border."""
    c, s = turn(angle)

    def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        dx, dy = x - cx, y - cy
        if angle:
            dx, dy = c * dx + s * dy, c * dy - s * dx
        u, v = dx / rx, dy / ry
        inside = np.sqrt(u * u + v * v)
        u, v = u / rx, v / ry
        slope = np.sqrt(u * u + v * v) + 1e-6
        return inside * (inside - 1.0) / slope

    wide = max(rx, ry) if angle else rx
    high = max(rx, ry) if angle else ry
    return Shape((cx - wide, cy - high, cx + wide, cy + high), distance)


def rectangle(cx: float, cy: float, hx: float, hy: float, rounding: float = 0.0, angle: float = 0.0) -> Shape:
    """A rectangle with half the width ``hx`` and half the height ``hy``, and rounded corners."""
    c, s = turn(angle)

    def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        dx, dy = x - cx, y - cy
        if angle:
            dx, dy = c * dx + s * dy, c * dy - s * dx
        dx, dy = abs(dx) - (hx - rounding), abs(dy) - (hy - rounding)
        nearest = np.minimum(np.maximum(dx, dy), 0.0)
        dx, dy = np.maximum(dx, 0.0), np.maximum(dy, 0.0)
        return nearest + np.sqrt(dx * dx + dy * dy) - rounding

    wide = (hx + hy) if angle else hx
    high = (hx + hy) if angle else hy
    return Shape((cx - wide, cy - high, cx + wide, cy + high), distance)


def bar(start: Point, end: Point, r0: float, r1: float | None = None) -> Shape:
    """A straight bar with round ends, from the point ``start`` to the point ``end``."""
    (ax, ay), (bx, by) = start, end
    r1 = r0 if r1 is None else r1
    ex, ey = bx - ax, by - ay
    square = ex * ex + ey * ey + 1e-9
    growth = r1 - r0

    def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        dx, dy = x - ax, y - ay
        h = np.minimum(np.maximum((dx * ex + dy * ey) / square, 0.0), 1.0)
        dx, dy = dx - h * ex, dy - h * ey
        return np.sqrt(dx * dx + dy * dy) - (r0 + h * growth)

    r = max(r0, r1)
    return Shape((min(ax, bx) - r, min(ay, by) - r, max(ax, bx) + r, max(ay, by) + r), distance)


def stroke(points: Sequence[Point], r0: float, r1: float | None = None) -> Shape:
    """A line through ``points``. Its radius changes evenly from ``r0`` to ``r1``."""
    r1 = r0 if r1 is None else r1
    steps = len(points) - 1
    radii = [r0 + (r1 - r0) * i / steps for i in range(steps + 1)]
    return union(*(bar(points[i], points[i + 1], radii[i], radii[i + 1]) for i in range(steps)))


def bend(start: Point, control: Point, end: Point, steps: int = 5) -> list[Point]:
    """Points of a quadratic Bézier curve from ``start`` to ``end``, for :func:`stroke`.

    ``control`` is the point towards which the curve bends. The list has ``steps`` + 1 points.
    """
    points = []
    for i in range(steps + 1):
        t = i / steps
        a, b, c = (1 - t) * (1 - t), 2 * t * (1 - t), t * t
        points.append(
            (a * start[0] + b * control[0] + c * end[0], a * start[1] + b * control[1] + c * end[1])
        )
    return points


def convex(*points: Point, rounding: float = 0.0) -> Shape:
    """A convex polygon with corners at ``points``, in either direction.

    Its border is moved out by ``rounding``.
    """
    twice_area = sum(
        x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(points, (*points[1:], points[0]), strict=True)
    )
    sense = 1.0 if twice_area > 0 else -1.0
    planes = []
    for (x0, y0), (x1, y1) in zip(points, (*points[1:], points[0]), strict=True):
        nx, ny = (y1 - y0) * sense, (x0 - x1) * sense
        length = math.sqrt(nx * nx + ny * ny)
        nx, ny = nx / length, ny / length
        planes.append((nx, ny, nx * x0 + ny * y0 + rounding))

    def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        nx, ny, offset = planes[0]
        d = nx * x + ny * y - offset
        for nx, ny, offset in planes[1:]:
            d = np.maximum(d, nx * x + ny * y - offset)
        return d

    xs, ys = [p[0] for p in points], [p[1] for p in points]
    r = rounding
    return Shape((min(xs) - r, min(ys) - r, max(xs) + r, max(ys) + r), distance)


def union(*shapes: Shape) -> Shape:
    """Everything that is in at least one of ``shapes``."""

    def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        d = shapes[0].distance(x, y)
        for shape in shapes[1:]:
            d = np.minimum(d, shape.distance(x, y))
        return d

    return Shape(_around([s.box for s in shapes]), distance)


def blend(a: Shape, b: Shape, width: float) -> Shape:
    """The union of ``a`` and ``b``, with a rounded inner corner of about ``width`` where they meet."""

    def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        da, db = a.distance(x, y), b.distance(x, y)
        near = np.maximum(width - abs(da - db), 0.0) / width
        joined: np.ndarray = np.minimum(da, db) - near * near * (width * 0.25)
        return joined

    return Shape(_around([a.box, b.box]), distance)


def minus(a: Shape, *others: Shape) -> Shape:
    """Everything that is in ``a`` and in none of ``others``."""

    def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        d = a.distance(x, y)
        for other in others:
            d = np.maximum(d, -other.distance(x, y))
        return d

    return Shape(a.box, distance)


def both(a: Shape, b: Shape) -> Shape:
    """Everything that is both in ``a`` and in ``b``."""

    def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        d: np.ndarray = np.maximum(a.distance(x, y), b.distance(x, y))
        return d

    box = (
        max(a.box[0], b.box[0]),
        max(a.box[1], b.box[1]),
        min(a.box[2], b.box[2]),
        min(a.box[3], b.box[3]),
    )
    return Shape(box, distance)


def outline(shape: Shape, half_width: float) -> Shape:
    """The border of ``shape`` as a line that is two times ``half_width`` thick."""

    def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return abs(shape.distance(x, y)) - half_width

    left, top, right, bottom = shape.box
    w = half_width
    return Shape((left - w, top - w, right + w, bottom + w), distance)


def _around(boxes: Sequence[Box]) -> Box:
    return (
        min(b[0] for b in boxes),
        min(b[1] for b in boxes),
        max(b[2] for b in boxes),
        max(b[3] for b in boxes),
    )
