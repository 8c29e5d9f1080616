"""Painting coloured shapes on an array of pixels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from benchmark.datasets.mini.palette import Colour
from benchmark.datasets.mini.sdf import Shape, turn


class Part(NamedTuple):
    """A shape and its colour; later parts cover earlier ones."""

    shape: Shape
    colour: Colour


class Pose(NamedTuple):
    """Where an object is: turned by ``angle`` degrees, mirrored, scaled to pixels a unit, moved to (x, y)."""

    x: float
    y: float
    scale: float
    angle: float = 0.0
    mirrored: bool = False


class Light(NamedTuple):
    """How the surfaces of one image are lit.

    Attributes
    ----------
    x, y : float
        Change of brightness across a part, to the right and down.
    edge, edge_width : float
        How much darker a part is at its border, and over how many pixels.
    """

    x: float
    y: float
    edge: float
    edge_width: float


class Canvas:
    """A square image being painted.

    Parameters
    ----------
    size : int
        Width and height in pixels.
    light : Light

    Attributes
    ----------
    pixels : ndarray of float32, shape (3, size, size)
        Red, green and blue, 0 to 1.
    """

    def __init__(self, size: int, light: Light) -> None:
        self.size = size
        self.light = light
        self.pixels = np.zeros((3, size, size), dtype=np.float32)
        self._centres = np.arange(size, dtype=np.float32) + np.float32(0.5)

    def paint(self, parts: Iterable[Part], pose: Pose) -> None:
        """Paint the parts of an object in order."""
        c, s = turn(pose.angle)
        flip = -1.0 if pose.mirrored else 1.0
        # object = turned back, mirrored, scaled: two linear maps of the pixel's column and row
        dx, dy = (self._centres - pose.x) / pose.scale, (self._centres - pose.y) / pose.scale
        x = (dx * (c * flip))[None, :] + (dy * (s * flip))[:, None]
        y = (dy * c)[:, None] - (dx * s)[None, :]
        for part in parts:
            left, top, right, bottom = part.shape.box
            corners = [(u * flip, v) for u in (left, right) for v in (top, bottom)]
            columns = _span([pose.x + pose.scale * (c * u - s * v) for u, v in corners], self.size)
            rows = _span([pose.y + pose.scale * (s * u + c * v) for u, v in corners], self.size)
            if columns.stop > columns.start and rows.stop > rows.start:
                distance = part.shape.distance(x[rows, columns], y[rows, columns]) * pose.scale
                self._cover(rows, columns, distance, part.colour)

    def _cover(self, rows: slice, columns: slice, distance: np.ndarray, colour: Colour) -> None:
        light = self.light
        cover = np.minimum(np.maximum(0.5 - distance, 0.0), 1.0)
        border = np.minimum(np.maximum(1.0 + distance / light.edge_width, 0.0), 1.0)
        shade = 1.0 - light.edge * border
        shade += _ramp(columns)[None, :] * light.x + _ramp(rows)[:, None] * light.y
        region = self.pixels[:, rows, columns]
        for channel, value in zip(region, colour, strict=True):
            channel += cover * (shade * value - channel)


def _span(edges: list[float], size: int) -> slice:
    """Pixels between the least and greatest of ``edges``, and one more on each side."""
    return slice(max(int(min(edges)) - 1, 0), max(min(int(max(edges)) + 2, size), 0))


def _ramp(pixels: slice) -> np.ndarray:
    """Values from -1/2 to 1/2 over ``pixels``."""
    n = pixels.stop - pixels.start
    return (np.arange(n, dtype=np.float32) + np.float32(0.5)) / np.float32(n) - np.float32(0.5)
