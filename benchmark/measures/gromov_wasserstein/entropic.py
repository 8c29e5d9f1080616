"""Entropic Gromov-Wasserstein: a linearised transport problem after the other, solved by scalings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.measures._checks import Float64, Floats
from benchmark.measures.gromov_wasserstein.anderson import Anderson
from benchmark.measures.gromov_wasserstein.problem import Problem
from benchmark.measures.gromov_wasserstein.scalings import RANGE, Newton, scalings

#: A step of less than this share of the mass is rounding
STILL = 1e-7
OUTER_STEPS = 100
#: How often scalings may be taken up into the potentials in one outer step: what is left is made up by the
#: next, from the same potentials
ABSORPTIONS = 20
#: Error of the marginals that is worth the while, as a share of the last outer step, and its bounds
EXACT, LOOSE, _TIGHT = 0.1, 1e-2, 1e-6
#: Outer steps that the extrapolation looks back on
MEMORY = 3
#: Outer steps are extrapolated once they are less than this and shrink at least so fast. Earlier, the
#: extrapolation lands in another basin; and it would end in a saddle as soon as in a minimum.
NEAR, SHRINKING = 2e-2, 0.95
#: Where H has full rank and this many conditions, steps go by its leading coordinates; what these miss is
#: brought up to date first when what is still to come is less than this
_REDUCED, _NEARLY = 512, 1e-2
#: It is brought up to date so often at most, and as long as each time moves the plan less than so much of the
#: time before; else steps of the whole are the shorter way
_CORRECTIONS, _WORTHWHILE = 10, 0.5


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

    Where H has full rank, H1 T H2 is split into what the leading coordinates give, which is cheap, and the
    rest, which is small: steps go by the first with the second held fixed until they are still, then the
    second is worked out anew (a deferred correction). That ends where steps of the whole would.

    Parameters
    ----------
    problem : Problem
    plan : ndarray, shape (n, m)
    epsilon : float
    tolerance : float
        On what is still to come, as a share of the mass.
    """
    n, m = problem.shape
    if problem.low_rank or max(n, m) < _REDUCED:
        return _Descent(problem, epsilon).run(problem, plan, tolerance)
    descent, reduced = _Descent(problem, epsilon, Newton()), problem.reduced
    found = descent.run(reduced, plan, max(tolerance, _NEARLY))
    still, worth = _Stillness(tolerance), max(tolerance, EXACT * _NEARLY)
    for _ in range(_CORRECTIONS):
        rest = problem.product(found.plan) - reduced.product(found.plan)
        last, found = found, descent.run(reduced, found.plan, worth, rest)
        moved = float(np.linalg.norm(found.plan - last.plan)) * np.sqrt(m)
        if still.after(moved):
            return found
        if still.pace > _WORTHWHILE:
            break
        worth = max(tolerance, EXACT * moved)
    # Where the cheap steps go on and on, those of the whole would not come to rest either.
    return descent.run(problem, found.plan, tolerance) if found.converged else found


class _Stillness:
    """Whether what is still to come of a sequence of steps is less than a tolerance.

    Near a saddle (the product plan is one) steps are small but grow: a small step alone proves nothing. And
    the first steps shrink fast while what is random dies out: two steps in a row have to agree.

    Attributes
    ----------
    moved : float
        Length of the last step, as a share of the mass; NaN before the first.
    pace : float
        How much of a step is left in the next, at the most in the last two; NaN until there are three.
    """

    def __init__(self, tolerance: float) -> None:
        self._tolerance, self._ratio = tolerance, np.nan
        self.moved = self.pace = np.nan

    def after(self, moved: float) -> bool:
        """Take up the length of a step."""
        ratio = min(moved / self.moved, 1 - 1e-9) if self.moved > 0 else np.nan
        self.pace = np.maximum(ratio, self._ratio)
        self.moved, self._ratio = moved, ratio
        return bool(moved * self.pace / (1 - self.pace) < self._tolerance or moved < STILL)


class _Descent:
    """Outer steps at one epsilon; the potentials of the last are where the next goes on from.

    Parameters
    ----------
    problem : Problem
        Of the shape and in the precision of the problems that are run.
    epsilon : float
    newton : Newton, optional
        For scalings that stall, which is dear where there are many conditions.
    """

    def __init__(self, problem: Problem, epsilon: float, newton: Newton | None = None) -> None:
        n, m = problem.shape
        self._epsilon, self._newton = epsilon, newton
        self._f, self._g = np.zeros(n), np.zeros(m)
        self._kernel = np.empty((n, m), dtype=problem.dtype)

    def run(self, problem: Problem, plan: Floats, tolerance: float, rest: Floats | None = None) -> Entropic:
        """Step from a plan until what is still to come is less than the tolerance.

        ``rest`` (n, m) is added to H1 T H2.
        """
        if rest is not None:
            rest = rest * np.asarray(4 / self._epsilon, problem.dtype)
        state = problem.state(plan)
        factor = problem.sides[0].factor
        n, m = problem.shape
        scale = float(np.sqrt(n) if factor is None else np.linalg.norm(factor)) / np.sqrt(n * m)
        still = _Stillness(tolerance)
        outer: Anderson | None = None
        for step in range(OUTER_STEPS):
            worth = LOOSE if step == 0 else float(np.clip(EXACT * still.moved, _TIGHT, LOOSE))
            rows, columns = self._transport(problem, state, worth, rest)
            if factor is None:
                new = self._kernel * rows[:, None]
            else:
                new = (factor * rows[:, None]).T @ self._kernel
            new *= columns
            moved = float(np.linalg.norm(new - state)) / scale
            converged = still.after(moved)
            if converged:
                break
            if outer is None and moved < NEAR and still.pace < SHRINKING:
                outer = Anderson(MEMORY)
            state = new if outer is None else outer.next(state, new)
        if factor is not None:
            new = self._kernel * rows[:, None]
            new *= columns
        return Entropic(new, converged)

    def _transport(
        self, problem: Problem, state: Floats, tolerance: float, rest: Floats | None
    ) -> tuple[Floats, Floats]:
        """Scalings of the rows and of the columns of the kernel, for the cost at a state."""
        pushed = problem.sides[1].after(state)
        if not problem.low_rank:  # the dear part, which the absorptions share
            pushed = problem.sides[0].dense() @ pushed
        epsilon = self._epsilon
        for _ in range(ABSORPTIONS):
            f, g = _kernel(problem, pushed, rest, epsilon, self._f, self._g, self._kernel)
            u, v, balanced = scalings(self._kernel, tolerance, newton=self._newton)
            self._f, self._g = f + epsilon * np.log(u), g + epsilon * np.log(v)
            if balanced:
                break
        return u.astype(problem.dtype), v.astype(problem.dtype)


def _kernel(
    problem: Problem,
    pushed: Floats,
    rest: Floats | None,
    epsilon: float,
    f: Float64,
    g: Float64,
    out: Floats,
) -> tuple[Float64, Float64]:
    """exp((f + g - cost) / epsilon) into ``out``; f and g are moved where that leaves the range.

    ``pushed`` is F1' T H2, or H1 T H2 where H1 is not held as factors; ``rest`` is added to the exponents.
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
    if rest is not None:
        out += rest
    rows, columns = out.max(axis=1), out.max(axis=0)
    if max(np.abs(rows).max(), np.abs(columns).max()) > RANGE:
        # As in the Hungarian method: afterwards the greatest exponent of every row and column is zero.
        out -= rows[:, None]
        columns = out.max(axis=0)
        out -= columns
        f, g = f - epsilon * rows.astype(np.float64), g - epsilon * columns.astype(np.float64)
    np.exp(out, out=out)
    return f, g


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
