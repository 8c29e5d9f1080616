"""Entropic Gromov-Wasserstein: a linearised transport problem after the other, solved by scalings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.measures._checks import Float64, Floats
from benchmark.measures._gw_anderson import Anderson
from benchmark.measures._gw_problem import Problem

#: A step of less than this share of the mass is rounding
_STILL = 1e-7
_OUTER_STEPS = 100
#: Scalings an outer step may take, and how often they may be taken up into the potentials: what is left is
#: made up by the next outer step, from the same potentials
_INNER_STEPS, _ABSORPTIONS = 1000, 20
#: Error of the marginals that is worth the while, as a share of the last outer step, and its bounds
_EXACT, _LOOSE, _TIGHT = 0.1, 1e-2, 1e-6
#: Steps that the extrapolation of scalings and of outer steps looks back on
_INNER_MEMORY, _OUTER_MEMORY = 8, 3
#: Outer steps are extrapolated once they are less than this and shrink at least so fast. Earlier, the
#: extrapolation lands in another basin; and it would end in a saddle as soon as in a minimum.
_NEAR, _SHRINKING = 2e-2, 0.95
#: Where H has full rank and this many conditions, the first steps go by its principal coordinates,
#: until what is still to come is less than this
_REDUCED, _NEARLY = 512, 1e-2
#: Scalings are extrapolated from this step on, and started again where the error grows so much
_PLAIN, _WORSE = 2, 3.0
#: Exponents of the kernel are kept within this range, and extrapolations within this distance of the scaling
_RANGE, _LEAP = 30.0, 3.0


@dataclass(frozen=True)
class Entropic:
    """An entropic solution.

    Attributes
    ----------
    plan : ndarray, shape (n, m)
        In the precision of the problem; its marginals are uniform up to the tolerance.
    converged : bool
    """

    plan: Floats
    converged: bool


def entropic(
    problem: Problem,
    plan: Floats,
    epsilon: float,
    tolerance: float = 1e-4,
) -> Entropic:
    """Entropic Gromov-Wasserstein from an initial plan.

    Each outer step solves the transport problem of the linearised cost (Peyré, Cuturi & Solomon 2016) from
    the potentials of the step before, no more exactly than the last step's change is worth.

    Parameters
    ----------
    problem : Problem
    plan : ndarray, shape (n, m)
    epsilon : float
    tolerance : float
        On what is still to come, as a share of the mass.
    """
    n, m = problem.shape
    if not problem.low_rank and max(n, m) >= _REDUCED:
        plan = entropic(problem.reduced(), plan, epsilon, max(tolerance, _NEARLY)).plan
    f, g = np.zeros(n), np.zeros(m)
    state = problem.state(plan)
    factor = problem.sides[0].factor
    scale = float(np.sqrt(n) if factor is None else np.linalg.norm(factor)) / np.sqrt(n * m)
    change = slowest = np.nan
    outer: Anderson | None = None
    converged = False
    kernel = np.empty((n, m), dtype=problem.dtype)
    for step in range(_OUTER_STEPS):
        worth = _LOOSE if step == 0 else float(np.clip(_EXACT * change, _TIGHT, _LOOSE))
        pushed = problem.sides[1].after(state)
        if factor is None:  # the dear part, which the absorptions share
            pushed = problem.sides[0].dense() @ pushed
        for _ in range(_ABSORPTIONS):
            f, g = _kernel(problem, pushed, epsilon, f, g, kernel)
            u, v, balanced = scalings(kernel, worth)
            f, g = f + epsilon * np.log(u), g + epsilon * np.log(v)
            if balanced:
                break
        rows, columns = u.astype(kernel.dtype), v.astype(kernel.dtype)
        if factor is None:
            new = kernel * rows[:, None]
            new *= columns
        else:
            new = (factor * rows[:, None]).T @ kernel
            new *= columns
        moved = float(np.linalg.norm(new - state)) / scale
        # Near a saddle (the product plan is one) steps are small but grow: a small step alone proves nothing.
        # And the first steps shrink fast while what is random dies out: two steps in a row have to agree.
        ratio = min(moved / change, 1 - 1e-9) if change > 0 else np.nan
        pace = np.maximum(ratio, slowest)  # NaN, and so not converged, until there are three steps
        converged = bool(moved * pace / (1 - pace) < tolerance or moved < _STILL)
        change, slowest = moved, ratio
        if converged:
            break
        if outer is None and moved < _NEAR and pace < _SHRINKING:
            outer = Anderson(_OUTER_MEMORY)
        state = new if outer is None else outer.next(state, new)
    if factor is not None:
        kernel *= rows[:, None]
        kernel *= columns
        new = kernel
    return Entropic(new, converged)


def _kernel(
    problem: Problem, pushed: Floats, epsilon: float, f: Float64, g: Float64, out: Floats
) -> tuple[Float64, Float64]:
    """exp((f + g - cost) / epsilon) into ``out``; f and g are moved where that leaves the range.

    ``pushed`` is F1' T H2, or H1 T H2 where H1 is not held as factors.
    """
    left = problem.sides[0]
    (n, m), dtype = problem.shape, problem.dtype
    border = [
        np.stack([problem.deviations[0] * (4 / epsilon), f / epsilon, np.ones(n)], axis=1).astype(dtype),
        np.stack([problem.deviations[1], np.ones(m), g / epsilon]).astype(dtype),
    ]
    if left.factor is None or left.signs is None:
        np.multiply(pushed, 4 / epsilon, out=out)
        out += border[0] @ border[1]
    else:
        weighted = left.factor * (left.signs * np.asarray(4 / epsilon, dtype))
        np.matmul(np.hstack([weighted, border[0]]), np.vstack([pushed, border[1]]), out=out)
    rows, columns = out.max(axis=1), out.max(axis=0)
    if max(np.abs(rows).max(), np.abs(columns).max()) > _RANGE:
        # As in the Hungarian method: afterwards the greatest exponent of every row and column is zero.
        out -= rows[:, None]
        columns = out.max(axis=0)
        out -= columns
        f, g = f - epsilon * rows.astype(np.float64), g - epsilon * columns.astype(np.float64)
    np.exp(out, out=out)
    return f, g


def scalings(kernel: Floats, tolerance: float, steps: int = _INNER_STEPS) -> tuple[Float64, Float64, bool]:
    """U and v for which diag(u) K diag(v) has uniform marginals: the rows' exactly, the columns' nearly.

    Sinkhorn's iteration on log v, extrapolated, until the marginals are met (then the third value is true) or
    the scalings leave the safe range (then it is false). K (n, m) has no row and no column of zeros.

    Parameters
    ----------
    kernel : ndarray, shape (n, m)
    tolerance : float
        On the sum of absolute errors of the columns' marginals.
    steps : int
        At most.
    """
    n, m = kernel.shape
    log_v = np.zeros(m)
    memory, best, restart = Anderson(_INNER_MEMORY), np.inf, log_v
    for step in range(steps):
        v = np.exp(log_v)
        u = 1 / (n * (kernel @ v.astype(kernel.dtype)).astype(np.float64))
        column = (u.astype(kernel.dtype) @ kernel).astype(np.float64)
        error = float(np.abs(v * column - 1 / m).sum())
        if error < tolerance or max(np.abs(log_v).max(), np.abs(np.log(u)).max()) > _RANGE:
            break
        scaled = -np.log(m * column)
        if step < _PLAIN:
            log_v = scaled
        elif error > _WORSE * best:
            memory, best, log_v = Anderson(_INNER_MEMORY), np.inf, restart
        else:
            if error < best:
                best, restart = error, scaled
            log_v = scaled + np.clip(memory.next(log_v, scaled) - scaled, -_LEAP, _LEAP)
    return u, v, error < tolerance or step == steps - 1


def rounded(plan: Floats) -> Float64:
    """The plan made feasible: uniform marginals, exactly (Altschuler, Weed & Rigollet 2017, algorithm 2)."""
    n, m = plan.shape
    feasible = plan.astype(np.float64)
    feasible *= np.minimum(1 / (n * feasible.sum(axis=1, keepdims=True)), 1)
    feasible *= np.minimum(1 / (m * feasible.sum(axis=0)), 1)
    rows, columns = 1 / n - feasible.sum(axis=1), 1 / m - feasible.sum(axis=0)
    missing = rows.sum()
    if missing > 1e-300:
        feasible += np.outer(rows / missing, columns)
    return feasible
