"""A stationary point of the entropic problem: how near a plan is to one, and whether it is stable."""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh_tridiagonal

from benchmark.measures._checks import Floats
from benchmark.measures.gromov_wasserstein.entropic import STILL, Descent, Entropic, entropic
from benchmark.measures.gromov_wasserstein.problem import Problem
from benchmark.measures.gromov_wasserstein.scalings import Newton

#: How near a plan has to be to the stationary point: sum of absolute differences, a share of the mass, in
#: double and in single precision
TOLERANCE = {np.dtype(np.float64): 1e-6, np.dtype(np.float32): 1e-4}
#: Tolerance of the marginals in the first steps, so that they stay on the way of exact steps
_LOOSE = 1e-4
#: Tolerance of the marginals in a step that is checked, as a share of the tolerance
_EXACT = 0.01
#: Greatest number of times that the steps go on after a check
_RESUMED = 20
#: Ridge of the equations of the marginals, in units of the precision
_RIDGE = 100.0
#: Least and greatest number of Lanczos steps. In between they end when the growth is above one, or
#: known to _KNOWN of its distance from one
_LEAST, _GREATEST, _KNOWN = 20, 200, 0.2


def stationary(problem: Problem, plan: Floats, epsilon: float) -> Entropic:
    """The stationary point that the steps from an initial plan lead to.

    :func:`.entropic.entropic` ends where its steps look still. That may be a slow stretch, or a saddle that
    steps have yet to leave. So the plan is checked by the length of an exact step and by the growth of a
    small change from step to step. If the growth is below one, the rest of the way is less than
    length / (1 - growth). Otherwise the steps go on.

    Parameters
    ----------
    problem : Problem
        The two sides.
    plan : ndarray, shape (n, m)
        The initial plan.
    epsilon : float
        Weight of the entropy, on the scale of the gradient.

    Returns
    -------
    Entropic
        It has converged if the rest of the way is less than ``TOLERANCE``.
    """
    tolerance = TOLERANCE[problem.dtype]
    precision = tolerance
    descent = Descent(problem, epsilon, Newton(), _LOOSE)
    found = entropic(problem, plan, epsilon, precision, descent)
    for _ in range(_RESUMED):
        plan = descent.step(problem, found.plan, _EXACT * tolerance)
        length = _length(found.plan, plan)
        growth = growth_at(problem, plan, epsilon) if length < tolerance else np.nan
        if length < (1 - growth) * tolerance:
            return Entropic(plan, True)
        if length < STILL[problem.dtype]:  # exactly on a saddle
            break
        if found.converged:
            precision /= 10
        found = entropic(problem, plan, epsilon, precision, descent)
    return Entropic(plan, False)


def _length(before: Floats, after: Floats) -> float:
    """Length of a step between plans (n, m), no less than the sum of absolute differences.

    It is the norm in which the derivative of a step is symmetric. What the columns' marginals miss is added.
    """
    greater = np.maximum(np.maximum(before, after), np.finfo(after.dtype).tiny)
    change = (after - before) / np.sqrt(greater)
    missed = np.abs(after.sum(axis=0, dtype=np.float64) - 1 / after.shape[1]).sum()
    return float(np.linalg.norm(change) + missed)


def growth_at(problem: Problem, plan: Floats, epsilon: float) -> float:
    """How much a small change of ``plan`` (n, m) grows in a step at ``epsilon``: an eigenvalue.

    It is the greatest one of the derivative of the step.
    A stationary point is a local minimum of the objective where this is below one, else a saddle.
    Lanczos' method finds it. The value returned is the greater end of its error bound, so that a plan is
    rather taken for a saddle than for a minimum.
    """
    if not problem.low_rank and problem.dtype == np.float32:
        problem = problem.reduced
    n, m = plan.shape
    root, newton = np.sqrt(plan), Newton()
    newton.prepare(plan, _RIDGE * float(np.finfo(plan.dtype).eps))
    if not newton.ready:
        return np.inf

    def tangent(x: Floats) -> Floats:
        """The part of ``x`` that, times ``root``, changes no marginal."""
        change = root * x
        rows = change.sum(axis=1)
        v = newton.solve(m * (change.sum(axis=0) - n * rows @ plan))
        u = n * (rows - plan @ v)
        kept: Floats = x - root * (u[:, None] + v)
        return kept

    scale = np.asarray(4 / epsilon, plan.dtype)
    last, off = np.zeros_like(plan), 0.0
    vector = tangent(np.random.default_rng(0).standard_normal(plan.shape).astype(plan.dtype))  # any will do
    vector /= np.linalg.norm(vector)
    diagonal: list[float] = []
    offs: list[float] = []
    for step in range(_GREATEST):
        image = tangent(scale * root * problem.product(root * vector))
        diagonal.append(float(np.vdot(vector, image)))
        image -= diagonal[-1] * vector + off * last
        off = float(np.linalg.norm(image))
        values, vectors = eigh_tridiagonal(diagonal, offs)
        greatest, error = float(values[-1]), off * abs(float(vectors[-1, -1]))
        if greatest > 1 or off < 1e-6 or (step >= _LEAST and error < _KNOWN * (1 - greatest)):
            break
        offs.append(off)
        last, vector = vector, image / np.asarray(off, plan.dtype)
    return greatest + error
