"""Solvers of the Gromov-Wasserstein problem with uniform marginals, on stacks of plans.

On plans with fixed marginals, sum (C1_ik - C2_jl)^2 T_ij T_kl is a constant less 2 <C1 T C2, T>. Adding a
vector to the rows or columns of C1 or C2 adds only terms r_i + c_j to the gradient -4 C1 T C2, which the
duals absorb: the solvers take double-centred matrices, whose products lose no digits.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from benchmark.measures._checks import Float64

#: An entropic solution has converged when an outer step moves less than this share of the mass
_OUTER_TOLERANCE = 1e-4
_OUTER_STEPS = 60
#: Sinkhorn steps an outer step may take: what is left is made up by the next, from the same potentials
_INNER_STEPS = 100
#: Sinkhorn steps between two checks of the marginals
_CHECK = 10
#: Exponents of the kernel are kept within this range
_RANGE = 200.0
_POLISH_STEPS = 200


def centred(c: Float64) -> Float64:
    """``c`` with mean zero in every row and column."""
    rows: Float64 = c - c.mean(axis=1, keepdims=True)
    rows -= rows.mean(axis=0, keepdims=True)
    return rows


def gradient(c1: Float64, c2: Float64, plans: Float64) -> Float64:
    """-4 C1 T C2 of each plan (s, n, m)."""
    product: Float64 = -4 * (c1 @ plans @ c2)
    return product


def entropic(c1: Float64, c2: Float64, plans: Float64, epsilon: float) -> tuple[Float64, np.ndarray]:
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
    change = np.full(s, 1.0)
    for _ in range(_OUTER_STEPS):
        active = np.flatnonzero(change > _OUTER_TOLERANCE)
        if len(active) == 0:
            break
        cost = gradient(c1, c2, plans[active])
        tolerance = np.clip(0.1 * change[active].max(), 0.1 * _OUTER_TOLERANCE, 1e-2)
        new, f[active], g[active] = sinkhorn(cost, epsilon, f[active], g[active], tolerance)
        change[active] = np.abs(new - plans[active]).sum(axis=(1, 2))
        plans[active] = new
    return plans, change <= _OUTER_TOLERANCE


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


def conditional_gradient(c1: Float64, c2: Float64, plan: Float64) -> Float64:
    """Descend from ``plan`` without entropy to a local minimum.

    Each step goes towards the vertex that the gradient favours, exactly as far as lowers the distance most;
    the distance along the line is a quadratic (Vayer et al. 2019).
    """
    scale = np.abs(c1).max() * np.abs(c2).max()
    for _ in range(_POLISH_STEPS):
        cost = gradient(c1, c2, plan)
        direction = vertex(cost) - plan
        slope = float(np.vdot(cost, direction))
        if slope > -1e-12 * scale:
            break
        curvature = float(np.vdot(gradient(c1, c2, direction), direction)) / 2
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
