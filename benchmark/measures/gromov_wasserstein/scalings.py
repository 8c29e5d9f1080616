"""Scalings that give a kernel uniform marginals: Sinkhorn's iteration, and Newton's where that stalls."""

from __future__ import annotations

import numpy as np
from scipy.linalg import blas, lapack

from benchmark.measures._checks import Float64, Floats
from benchmark.measures.gromov_wasserstein.anderson import Anderson

#: Exponents of the kernel and of the scalings are kept within this range
RANGE = 30.0
#: Greatest number of scalings. The next outer step starts from the same potentials and corrects the rest
STEPS = 1000
#: Number of steps that the extrapolation looks back on
MEMORY = 8
#: Scalings are extrapolated from step PLAIN on. They start again where the error grows by the factor WORSE
PLAIN, WORSE = 2, 3.0
#: Newton's steps and extrapolations are kept within this distance
LEAP = 3.0
#: Number of scalings before the derivative is computed, and of Newton's steps before it is computed again
_STALLED, _STALE = 50, 15
#: The least ridge of the derivative, in units of the precision
_ROUNDING = 10.0


class Newton:
    """Newton's steps on log v, by a derivative that may be that of an earlier kernel.

    The rows' marginals are met. Then the logarithms of the columns' marginals change by J d for a change d of
    log v, with J = m (diag(c) - n P'P) for a plan P with columns c. Sinkhorn's step is that of J = 1. It
    stalls where two parts of the plan exchange little mass, because J then has eigenvalues near zero.
    """

    def __init__(self) -> None:
        self._factor: Floats | None = None

    @property
    def ready(self) -> bool:
        """Whether there is a derivative."""
        return self._factor is not None

    def prepare(self, plan: Floats, ridge: float) -> None:
        """Compute and factor the derivative at a plan, with a ridge on its diagonal.

        ``plan`` (n, m) has rows that sum to 1/n. A ``ridge`` of the size of the error keeps the steps short
        where the derivative is nearly singular, and keeps Newton's speed (Li, Fukushima, Qi & Yamashita
        2004).
        """
        n, m = plan.shape
        syrk, potrf = (blas.ssyrk, lapack.spotrf) if plan.dtype == np.float32 else (blas.dsyrk, lapack.dpotrf)
        derivative = syrk(-float(n * m), plan.T, lower=1)
        derivative += 1 / m  # a constant added to log v has no effect: this fixes it
        diagonal = np.arange(m)
        raised = max(ridge, _ROUNDING * float(np.finfo(plan.dtype).eps))
        derivative[diagonal, diagonal] += (m * plan.sum(axis=0, dtype=np.float64) + raised).astype(plan.dtype)
        factor, failed = potrf(derivative, lower=1, clean=0, overwrite_a=1)
        self._factor = None if failed else factor

    def forget(self) -> None:
        """Discard the derivative."""
        self._factor = None

    def step(self, missing: Float64) -> Float64:
        """Change of log v (m,) that corrects ``missing`` (m,), the columns' error on a logarithmic scale."""
        limited: Float64 = np.clip(self.solve(missing), -LEAP, LEAP).astype(np.float64)
        return limited

    def solve(self, missing: Floats) -> Floats:
        """Change of log v (m,) that changes the logarithms of the columns' marginals by ``missing`` (m,)."""
        assert self._factor is not None
        potrs = lapack.spotrs if self._factor.dtype == np.float32 else lapack.dpotrs
        change: Floats = potrs(self._factor, missing.astype(self._factor.dtype), lower=1)[0]
        return change


def scalings(
    kernel: Floats, tolerance: float, steps: int = STEPS, newton: Newton | None = None
) -> tuple[Float64, Float64, bool]:
    """U and v for which diag(u) K diag(v) has uniform marginals: exact for the rows, close for the columns.

    Sinkhorn's iteration on log v is extrapolated, and replaced by Newton's where it stalls. It ends when the
    marginals are met, or when the scalings leave the safe range.

    Parameters
    ----------
    kernel : ndarray, shape (n, m)
        K. No row and no column is all zeros.
    tolerance : float
        Greatest sum of absolute errors of the columns' marginals.
    steps : int
        Greatest number of steps.
    newton : Newton, optional
        Holds the derivative of a kernel that was scaled before, if there was one. None: Sinkhorn's iteration
        alone.

    Returns
    -------
    u : ndarray, shape (n,)
    v : ndarray, shape (m,)
    balanced : bool
        True if the marginals are met or all steps are used, false if the scalings left the safe range.
    """
    n, m = kernel.shape
    log_v = np.zeros(m)
    memory, best, restart = Anderson(MEMORY), np.inf, log_v
    since = 0  # step at which the derivative was computed, or the iteration began
    for step in range(steps):
        v = np.exp(log_v)
        u = 1 / (n * (kernel @ v.astype(kernel.dtype)).astype(np.float64))
        column = (u.astype(kernel.dtype) @ kernel).astype(np.float64)
        error = float(np.abs(v * column - 1 / m).sum())
        if error < tolerance or max(np.abs(log_v).max(), np.abs(np.log(u)).max()) > RANGE:
            break
        if newton and step - since == (_STALE if newton.ready else _STALLED):
            newton.prepare(kernel * u.astype(kernel.dtype)[:, None] * v.astype(kernel.dtype), error)
            memory, since = Anderson(MEMORY), step
        scaled = -np.log(m * column)
        if newton and newton.ready:
            scaled = log_v + newton.step(scaled - log_v)
        if step < PLAIN:
            log_v = scaled
        elif error > WORSE * best:
            if newton:
                newton.forget()
            memory, best, log_v, since = Anderson(MEMORY), np.inf, restart, step
        else:
            if error < best:
                best, restart = error, scaled
            log_v = scaled + np.clip(memory.next(log_v, scaled) - scaled, -LEAP, LEAP)
    return u, v, error < tolerance or step == steps - 1
