"""Anderson acceleration of a fixed-point iteration."""

from __future__ import annotations

import numpy as np

from benchmark.measures._checks import Floats

#: Below this sum of squares the last steps changed nothing
_NOTHING = 1e-60


class Anderson:
    """Extrapolate a fixed-point iteration x -> y = G(x).

    It uses how the residual y - x changed in the last steps (Walker & Ni 2011). Close to a fixed point it
    equals GMRES on the linearised map. Far from a fixed point it can lead to another one, and to a saddle as
    easily as to a minimum: it is for maps with one fixed point.

    Parameters
    ----------
    memory : int
        Number of steps that it looks back on.
    """

    def __init__(self, memory: int) -> None:
        self._memory, self._count = memory, -1
        self._image: Floats = np.empty(0)
        self._residual: Floats = np.empty(0)
        self._images: Floats = np.empty((0, 0))
        self._residuals: Floats = np.empty((0, 0))

    def next(self, x: Floats, y: Floats) -> Floats:
        """The next point, of the shape of ``x`` and ``y`` = G(x)."""
        image, residual = y.ravel(), (y - x).ravel()
        self._count += 1
        if self._count == 0:
            self._images, self._residuals = np.empty((2, self._memory, image.size), dtype=image.dtype)
            self._image, self._residual = image, residual
            return y
        slot, held = (self._count - 1) % self._memory, min(self._count, self._memory)
        np.subtract(image, self._image, out=self._images[slot])
        np.subtract(residual, self._residual, out=self._residuals[slot])
        self._image, self._residual = image, residual
        steps = self._residuals[:held]
        normal = (steps @ steps.T).astype(np.float64)
        size = normal.trace()
        if size < _NOTHING:  # at the fixed point: nothing to extrapolate from
            return y
        diagonal = np.arange(held)
        normal[diagonal, diagonal] += np.finfo(image.dtype).eps * size
        changes = (steps @ residual).astype(np.float64)
        try:
            weights = np.linalg.solve(normal, changes)
        except np.linalg.LinAlgError:  # parallel steps: take the smallest of all solutions
            weights = np.linalg.lstsq(normal, changes, rcond=None)[0]
        result: Floats = (image - weights.astype(image.dtype) @ self._images[:held]).reshape(y.shape)
        return result
