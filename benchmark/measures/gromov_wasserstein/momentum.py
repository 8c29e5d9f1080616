"""Momentum for a descent by fixed-point steps."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from benchmark.measures._checks import Floats

#: A number or a tensor
Weight = TypeVar("Weight", bound=Any)


class Momentum:
    """Extrapolate a descent x -> y = G(x) along its last step (Nesterov 1983).

    The share of the step grows from zero, and starts again where the residual y - x turns against the last
    one (after O'Donoghue & Candès 2015). Where G contracts by 1 - d, the error falls by nearly 1 - sqrt(d) a
    step. Unlike Anderson's extrapolation it is driven away from a saddle, and to the same side as plain
    steps: whatever G lets grow grows faster, with the same sign.
    """

    def __init__(self) -> None:
        self._last: tuple[Floats, Floats] | None = None
        self._weight = 1.0

    def next(self, x: Floats, y: Floats) -> Floats:
        """The next point, of the shape of ``x`` and ``y`` = G(x)."""
        change = y - x
        last, last_change = self._last or (y, change)
        if np.vdot(change, last_change) < 0:
            self._weight = 1.0
        share, self._weight = following(self._weight)
        self._last = y, change
        step = y - last
        step *= share
        step += y
        return step


def following(weight: Weight) -> tuple[Weight, Weight]:
    """Share of the last step in the next extrapolation, and the weight after ``weight``."""
    after = (1 + (1 + 4 * weight**2) ** 0.5) / 2
    return (weight - 1) / after, after
