"""Anderson acceleration of a fixed-point iteration."""

from __future__ import annotations

import numpy as np

from benchmark.measures._checks import Floats

#: Summed squares under which the last steps changed nothing
_NOTHING = 1e-60


class Anderson:
    """Extrapolate x -> y = G(x) from how the residual y - x changed in the last steps (Walker & Ni 2011).

    Close to a fixed point it is GMRES on the linearised map; far from one it may end in another.
    """

    def __init__(self, memory: int) -> None:
        self._memory, self._taken = memory, -1
        self._image: Floats = np.empty(0)
        self._residual: Floats = np.empty(0)
        self._images: Floats = np.empty((0, 0))
        self._residuals: Floats = np.empty((0, 0))

    def next(self, x: Floats, y: Floats) -> Floats:
        """The point to go on from, of the shape of x and y = G(x)."""
        image, residual = y.ravel(), (y - x).ravel()
        self._taken += 1
        if self._taken == 0:
            self._images, self._residuals = np.empty((2, self._memory, image.size), dtype=image.dtype)
            self._image, self._residual = image, residual
            return y
        slot, held = (self._taken - 1) % self._memory, min(self._taken, self._memory)
        np.subtract(image, self._image, out=self._images[slot])
        np.subtract(residual, self._residual, out=self._residuals[slot])
        self._image, self._residual = image, residual
        steps = self._residuals[:held]
        normal = (steps @ steps.T).astype(np.float64)
        size = normal.trace()
        if size < _NOTHING:  # at the fixed point: there is nothing to extrapolate from
            return y
        diagonal = np.arange(held)
        normal[diagonal, diagonal] += np.finfo(image.dtype).eps * size
        changes = (steps @ residual).astype(np.float64)
        try:
            weights = np.linalg.solve(normal, changes)
        except np.linalg.LinAlgError:  # the steps all go one way: of all solutions the smallest
            weights = np.linalg.lstsq(normal, changes, rcond=None)[0]
        result: Floats = (image - weights.astype(image.dtype) @ self._images[:held]).reshape(y.shape)
        return result
