"""Scalings that give a kernel uniform marginals: Sinkhorn's iteration, and Newton's where that stalls."""

from __future__ import annotations

import numpy as np
from scipy.linalg import blas, lapack

from benchmark.measures._checks import Float64, Floats
from benchmark.measures.gromov_wasserstein.anderson import Anderson

#: Exponents of the kernel and of the scalings are kept within this range
RANGE = 30.0
#: Scalings at most: what is left is made up by the next outer step, from the same potentials
STEPS = 1000
#: Steps that the extrapolation looks back on
MEMORY = 8
#: Scalings are extrapolated from this step on, and started again where the error grows so much
PLAIN, WORSE = 2, 3.0
#: Newton's steps and extrapolations are kept within this distance
LEAP = 3.0
#: Scalings after which the derivative is worked out, and Newton's steps after which it is again
_STALLED, _STALE = 50, 15
#: The least that the derivative is raised by, in units of the precision
_ROUNDING = 10.0


class Newton:
    """Newton's steps on log v, by a derivative that may be that of an earlier kernel.

    With the rows' marginals met, the logarithms of the columns' change by J d for a change d of log v,
    J = m (diag(c) - n P'P) for a plan P with columns c. Sinkhorn's step is that of J = 1: it stalls where
    two parts of the plan exchange little mass, and J has eigenvalues near zero.
    """

    def __init__(self) -> None:
        self._factor: Floats | None = None

    @property
    def ready(self) -> bool:
        """Whether there is a derivative."""
        return self._factor is not None

    def prepare(self, plan: Floats, ridge: float) -> None:
        """Work out and factor the derivative, raised by a ridge, at a plan (n, m) whose rows are 1/n.

        A ridge of the size of the error keeps the steps short where the derivative is nearly singular, and
        loses nothing of Newton's speed (Li, Fukushima, Qi & Yamashita 2004).
        """
        n, m = plan.shape
        syrk, potrf = (blas.ssyrk, lapack.spotrf) if plan.dtype == np.float32 else (blas.dsyrk, lapack.dpotrf)
        derivative = syrk(-float(n * m), plan.T, lower=1)
        derivative += 1 / m  # a constant added to log v changes nothing: this fixes it
        diagonal = np.arange(m)
        raised = max(ridge, _ROUNDING * float(np.finfo(plan.dtype).eps))
        derivative[diagonal, diagonal] += (m * plan.sum(axis=0, dtype=np.float64) + raised).astype(plan.dtype)
        factor, failed = potrf(derivative, lower=1, clean=0, overwrite_a=1)
        self._factor = None if failed else factor

    def forget(self) -> None:
        """Have no derivative any more."""
        self._factor = None

    def step(self, missing: Float64) -> Float64:
        """Change of log v (m,) that makes up for what the columns miss, on a logarithmic scale."""
        assert self._factor is not None
        potrs = lapack.spotrs if self._factor.dtype == np.float32 else lapack.dpotrs
        change = potrs(self._factor, missing.astype(self._factor.dtype), lower=1)[0]
        limited: Float64 = np.clip(change.astype(np.float64), -LEAP, LEAP)
        return limited


def scalings(
    kernel: Floats, tolerance: float, steps: int = STEPS, newton: Newton | None = None
) -> tuple[Float64, Float64, bool]:
    """U and v for which diag(u) K diag(v) has uniform marginals: the rows' exactly, the columns' nearly.

    Sinkhorn's iteration on log v, extrapolated, and Newton's where that stalls, until the marginals are met
    (then the third value is true) or the scalings leave the safe range (then it is false). K (n, m) has no
    row and no column of zeros.

    Parameters
    ----------
    kernel : ndarray, shape (n, m)
    tolerance : float
        On the sum of absolute errors of the columns' marginals.
    steps : int
        At most.
    newton : Newton, optional
        Holds the derivative of a kernel that was scaled before, if there was one. None: Sinkhorn's iteration
        alone.
    """
    n, m = kernel.shape
    log_v = np.zeros(m)
    memory, best, restart = Anderson(MEMORY), np.inf, log_v
    since = 0  # the derivative was worked out, or the iteration begun
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
