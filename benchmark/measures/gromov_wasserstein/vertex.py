"""Descent without entropy: vertices of the polytope of plans, and conditional gradient between them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from benchmark.measures._checks import Float64, Floats
from benchmark.measures.gromov_wasserstein.problem import Problem
from benchmark.measures.gromov_wasserstein.scalings import scalings

_STEPS = 200
#: A descent of less than this share of the distance's scale, in units of the precision, is rounding
_ROUNDING = 20.0
#: From _PREPARED conditions on, an assignment is prepared by entropic duals and is ten times as fast.
#: _EPSILON is a share of the standard deviation of the costs, _SCALINGS the number of scalings for the duals
_PREPARED, _EPSILON, _SCALINGS = 200, 0.05, 30


def conditional_gradient(problem: Problem, plan: Floats) -> Float64:
    """Descend from a plan without entropy to a local minimum.

    Each step goes towards the vertex that the gradient favours. The distance along the line is a quadratic,
    so the step goes exactly as far as lowers the distance most (Vayer et al. 2019).

    Parameters
    ----------
    problem : Problem
        The two sides.
    plan : ndarray, shape (n, m)
        A feasible plan.
    """
    current = plan.astype(problem.dtype)
    product = problem.product(current)
    scale = np.abs(product).max() * _ROUNDING * np.finfo(problem.dtype).eps
    for _ in range(_STEPS):
        cost = problem.cost(product.copy())
        target = vertex(cost).astype(problem.dtype)
        change = problem.product(target) - product
        direction = target - current
        slope = float(np.vdot(cost, direction))
        if slope > -scale:
            break
        curvature = -2 * float(np.vdot(change, direction))
        step = np.asarray(min(1.0, -slope / (2 * curvature)) if curvature > 0 else 1.0, problem.dtype)
        current = target if step == 1 else current + step * direction
        product += step * change
    result: Float64 = np.maximum(current, 0).astype(np.float64)
    return result


def vertex(cost: Floats) -> Float64:
    """The plan of least ``cost`` (n, m). It is an assignment where both sides have as many conditions."""
    n, m = cost.shape
    if n == m:
        plan = np.zeros((n, n))
        plan[np.arange(n), assignment(cost)] = 1 / n
        return plan
    # POT tries to import every array library, which is slow. So it is imported only here.
    transport: Any = import_module("ot")
    result: Float64 = transport.emd(np.full(n, 1 / n), np.full(m, 1 / m), cost.astype(np.float64))
    return result


def assignment(cost: Floats) -> np.ndarray:
    """The assignment of least ``cost`` (n, n), (n,): the column of each row."""
    if len(cost) >= _PREPARED:
        # Nearly optimal duals keep the solutions of the problem, and most rows then get a column at once.
        reduced = cost - cost.min(axis=1, keepdims=True)
        reduced -= reduced.min(axis=0)
        epsilon = _EPSILON * float(reduced.std())
        if epsilon > 0:
            _, v, _ = scalings(np.exp(reduced / -epsilon), 1e-2, _SCALINGS)
            reduced -= (epsilon * np.log(v)).astype(cost.dtype)
            cost = reduced - reduced.min(axis=1, keepdims=True)
    columns: np.ndarray = linear_sum_assignment(cost)[1]
    return columns
