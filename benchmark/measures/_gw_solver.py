"""Solvers of the Gromov-Wasserstein problem with uniform marginals, on stacks of plans.

On plans with fixed marginals, sum (C1_ik - C2_jl)^2 T_ij T_kl is a constant less 2 <C1 T C2, T>. With
C = H + a 1' + 1 a', H double-centred, and T of uniform marginals,

    C1 T C2 = H1 T H2 + a1 a2' + terms that depend on the row or on the column alone,

and the last the duals absorb. The solvers work on H and a: no digits go into what cancels.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from benchmark.measures._checks import Float64

#: An entropic solution has converged when the steps still to come would move less than this share of the mass
_OUTER_TOLERANCE = 1e-3
#: A step that moves less than this share of the mass is rounding
_STILL = 1e-7
_OUTER_STEPS = 60
#: Sinkhorn steps an outer step may take: what is left is made up by the next, from the same potentials
_INNER_STEPS = 100
#: Sinkhorn steps between two checks of the marginals
_CHECK = 10
#: Exponents of the kernel are kept within this range
_RANGE = 200.0
_POLISH_STEPS = 200


@dataclass(frozen=True)
class Problem:
    """Two RDMs as the solvers see them: double-centred h1 (n, n) and h2 (m, m), and -4 a1 a2' (n, m)."""

    h1: Float64
    h2: Float64
    linear: Float64

    @classmethod
    def of(cls, c1: Float64, c2: Float64) -> Problem:
        """The problem of two RDMs."""
        (h1, a1), (h2, a2) = _centred(c1), _centred(c2)
        return cls(h1, h2, -4 * np.outer(a1, a2))

    def gradient(self, plans: Float64) -> Float64:
        """-4 C1 T C2 of each plan (s, n, m), up to what the duals absorb."""
        cost: Float64 = self.h1 @ plans @ self.h2
        cost *= -4
        cost += self.linear
        return cost

    def curvature(self, direction: Float64) -> float:
        """-2 <C1 D C2, D> of a difference D of two plans."""
        return -2 * float(np.vdot(self.h1 @ direction @ self.h2, direction))


def _centred(c: Float64) -> tuple[Float64, Float64]:
    means = c.mean(axis=1)
    offset = means - means.mean() / 2
    return c - offset[:, None] - offset, offset


def entropic(problem: Problem, plans: Float64, epsilon: float) -> tuple[Float64, np.ndarray]:
    """Entropic Gromov-Wasserstein from each of a stack of plans.

    Each outer step solves the transport problem of the linearised cost by Sinkhorn, from the potentials of
    the step before (Peyré, Cuturi & Solomon 2016), and no more exactly than the last step's change is worth.

    Returns
    -------
    plans : ndarray, shape (s, n, m)
    converged : ndarray of bool, shape (s,)
    """
    plans = plans.copy()
    s, n, m = plans.shape
    f, g = np.zeros((s, n)), np.zeros((s, m))
    change, slowest = np.full(s, np.nan), np.full(s, np.nan)
    converged = np.zeros(s, dtype=bool)
    for step in range(_OUTER_STEPS):
        active = np.flatnonzero(~converged)
        if len(active) == 0:
            break
        cost = problem.gradient(plans[active])
        tolerance = 1e-2 if step == 0 else np.clip(0.1 * change[active].min(), 0.1 * _STILL, 1e-2)
        new, f[active], g[active] = sinkhorn(cost, epsilon, f[active], g[active], float(tolerance))
        moved = np.abs(new - plans[active]).sum(axis=(1, 2))
        plans[active] = new
        # Near a saddle (the product plan is one) steps are small but grow: a small step alone proves nothing.
        # And the first steps shrink fast while what is random dies out: two steps in a row have to agree.
        ratio = np.minimum(moved / change[active], 1 - 1e-9)
        pace = np.maximum(ratio, slowest[active])  # NaN, and so not converged, until there are three steps
        converged[active] = (moved * pace / (1 - pace) < _OUTER_TOLERANCE) | (moved < _STILL)
        change[active], slowest[active] = moved, ratio
    return plans, converged


def sinkhorn(
    cost: Float64, epsilon: float, f: Float64, g: Float64, tolerance: float
) -> tuple[Float64, Float64, Float64]:
    """Entropic transport with uniform marginals, from the potentials ``f`` and ``g``, stabilised.

    The scalings are taken up into the potentials whenever they leave a safe range (Schmitzer 2019), so that
    a small epsilon neither under- nor overflows.

    Returns
    -------
    plans (s, n, m), f (s, n), g (s, m)
    """
    s, n, m = cost.shape
    kernel, f, g = _kernel(cost, epsilon, f, g)
    u, v = np.ones((s, n, 1)), np.ones((s, m, 1))
    transposed = kernel.transpose(0, 2, 1)
    for step in range(_INNER_STEPS):
        u = 1 / (n * (kernel @ v))
        column = transposed @ u
        if step % _CHECK == _CHECK - 1:
            error = np.abs(v * column - 1 / m).sum(axis=(1, 2)).max()
            if error < tolerance:
                break
            if max(u.max(), v.max()) > np.exp(_RANGE) or min(u.min(), v.min()) < np.exp(-_RANGE):
                f, g = f + epsilon * np.log(u[..., 0]), g + epsilon * np.log(v[..., 0])
                kernel, f, g = _kernel(cost, epsilon, f, g)
                transposed = kernel.transpose(0, 2, 1)
                u, v = np.ones((s, n, 1)), np.ones((s, m, 1))
                continue
        v = 1 / (m * column)
    plans = u * kernel * v.transpose(0, 2, 1)
    return plans, f + epsilon * np.log(u[..., 0]), g + epsilon * np.log(v[..., 0])


def _kernel(cost: Float64, epsilon: float, f: Float64, g: Float64) -> tuple[Float64, Float64, Float64]:
    """exp((f + g - cost) / epsilon), with f and g moved where a row, a column or an entry is out of range."""
    reduced = cost - f[:, :, None] - g[:, None, :]
    limit = _RANGE * epsilon
    least_row, least_column = reduced.min(axis=2), reduced.min(axis=1)
    if max(least_row.max(), least_column.max()) > limit or least_row.min() < -limit:
        # As in the Hungarian method: afterwards the least entry of every row and column is zero.
        f = f + least_row
        reduced -= least_row[:, :, None]
        least_column = reduced.min(axis=1)
        g = g + least_column
        reduced -= least_column[:, None, :]
    return np.exp(reduced / -epsilon), f, g


def rounded(plans: Float64) -> Float64:
    """The plans made feasible: uniform marginals, exactly (Altschuler, Weed & Rigollet 2017, algorithm 2)."""
    _, n, m = plans.shape
    plans = plans * np.minimum(1 / (n * plans.sum(axis=2, keepdims=True)), 1)
    plans = plans * np.minimum(1 / (m * plans.sum(axis=1, keepdims=True)), 1)
    rows = 1 / n - plans.sum(axis=2, keepdims=True)
    columns = 1 / m - plans.sum(axis=1, keepdims=True)
    missing = rows.sum(axis=1, keepdims=True)
    share = np.divide(rows, missing, out=np.zeros_like(rows), where=missing > 1e-300)
    result: Float64 = plans + share * columns
    return result


def conditional_gradient(problem: Problem, plan: Float64) -> Float64:
    """Descend from ``plan`` without entropy to a local minimum.

    Each step goes towards the vertex that the gradient favours, exactly as far as lowers the distance most;
    the distance along the line is a quadratic (Vayer et al. 2019).
    """
    scale = np.abs(problem.h1).max() * np.abs(problem.h2).max()
    for _ in range(_POLISH_STEPS):
        cost = problem.gradient(plan)
        direction = vertex(cost) - plan
        slope = float(np.vdot(cost, direction))
        if slope > -1e-12 * scale:
            break
        curvature = problem.curvature(direction)
        step = min(1.0, -slope / (2 * curvature)) if curvature > 0 else 1.0
        plan = plan + step * direction
    return np.maximum(plan, 0)


def vertex(cost: Float64) -> Float64:
    """The plan of least cost (an assignment where both sides have the same number of conditions)."""
    n, m = cost.shape
    if n == m:
        plan = np.zeros((n, m))
        plan[linear_sum_assignment(cost)] = 1 / n
        return plan
    # POT looks for every array library on import: only where it is needed.
    transport: Any = import_module("ot")
    result: Float64 = transport.emd(np.full(n, 1 / n), np.full(m, 1 / m), cost)
    return result
