"""Painting coloured shapes on an array of pixels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from benchmark.datasets.mini.palette import Colour
from benchmark.datasets.mini.sdf import Shape, turn


class Part(NamedTuple):
    """A shape and its colour. Later parts of an object cover earlier ones."""

    shape: Shape
    colour: Colour


class Pose(NamedTuple):
    """How an object is placed: it is mirrored, sheared, stretched, turned, scaled and moved, in this order.

    Attributes
    ----------
    x, y : float
        Place of the object's origin in the image, in pixels from the left and from the top.
    scale : float
        Pixels per unit of the object.
    angle : float
        Turn in degrees, clockwise.
    mirrored : bool
        Whether left and right are exchanged.
    stretch : float
        The width is multiplied by it, and the height is divided by it.
    shear : float
        Units to the right per unit down.
    """

    x: float
    y: float
    scale: float
    angle: float = 0.0
    mirrored: bool = False
    stretch: float = 1.0
    shear: float = 0.0

    def matrix(self) -> tuple[float, float, float, float]:
        """Linear part of the map from object to image: rows (a, b) and (c, d)."""
        c, s = turn(self.angle)
        wide, high = self.scale * self.stretch, self.scale / self.stretch
        flip = -1.0 if self.mirrored else 1.0
        return (
            c * wide * flip,
            c * wide * self.shear - s * high,
            s * wide * flip,
            s * wide * self.shear + c * high,
        )


class Light(NamedTuple):
    """How the surfaces of one image are lit.

    Attributes
    ----------
    x, y : float
        Change of brightness from one side of a part to the other, to the right and down.
    edge, edge_width : float
        How much darker a part is at its border (0 to 1), and over how many pixels.
    """

    x: float
    y: float
    edge: float
    edge_width: float


class Canvas:
    """A square image that is being painted.

    Parameters
    ----------
    size : int
        Width and height in pixels.
    light : Light
        How the surfaces are lit.

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
        """Paint the ``parts`` of an object in their order, placed by ``pose``."""
        a, b, c, d = pose.matrix()
        area = a * d - b * c
        dx, dy = self._centres - pose.x, self._centres - pose.y
        x = (dx * (d / area))[None, :] - (dy * (b / area))[:, None]
        y = (dy * (a / area))[:, None] - (dx * (c / area))[None, :]
        for part in parts:
            left, top, right, bottom = part.shape.box
            corners = [(u, v) for u in (left, right) for v in (top, bottom)]
            columns = _span([pose.x + a * u + b * v for u, v in corners], self.size)
            rows = _span([pose.y + c * u + d * v for u, v in corners], self.size)
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
