"""Entropic Gromov-Wasserstein: a sequence of linearised transport problems, each solved by scalings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.measures._checks import Float64, Floats
from benchmark.measures.gromov_wasserstein.momentum import Momentum
from benchmark.measures.gromov_wasserstein.problem import Problem
from benchmark.measures.gromov_wasserstein.scalings import RANGE, Newton, scalings

#: A step shorter than this share of the mass is rounding, in double and in single precision
STILL = {np.dtype(np.float64): 1e-14, np.dtype(np.float32): 1e-7}
OUTER_STEPS = 100
#: How often scalings may be absorbed into the potentials in one outer step. The next step starts from the
#: same potentials and corrects the remaining error
ABSORPTIONS = 20
#: Tolerance of the marginals: its share of the length of the last outer step, its upper bound, and its lower
#: bound as a share of the tolerance and in units of the precision
EXACT, LOOSE, _TIGHT, _ROUNDING = 0.1, 1e-2, 1e-3, 10.0
#: Outer steps get momentum once they are shorter than NEAR and each is less than SHRINKING times the last,
#: for as long as they are short. Longer ones with momentum might end in another basin.
NEAR, SHRINKING = 2e-2, 0.95
#: Where H has full rank and at least _REDUCED conditions, steps use its leading coordinates. The part that
#: they miss is first updated when the estimated rest of the way is less than _NEARLY
_REDUCED, _NEARLY = 512, 1e-2
#: Greatest number of updates. They go on while each moves the plan by less than _WORTHWHILE times the move
#: before; else steps with the whole of H are faster
_CORRECTIONS, _WORTHWHILE = 10, 0.5


@dataclass(frozen=True)
class Entropic:
    """An entropic solution.

    Attributes
    ----------
    plan : ndarray, shape (n, m)
        In the precision of the problem; its marginals are uniform up to the tolerance.
    converged : bool
        Whether the steps came to rest, and met the marginals.
    """

    plan: Floats
    converged: bool


def entropic(
    problem: Problem,
    plan: Floats,
    epsilon: float,
    tolerance: float = 1e-4,
    descent: Descent | None = None,
) -> Entropic:
    """Entropic Gromov-Wasserstein from an initial plan.

    Each outer step solves the transport problem of the linearised cost (Peyré, Cuturi & Solomon 2016). It
    starts from the potentials of the step before, and is no more exact than the length of the last step
    requires.

    Where H has full rank, H1 T H2 is split into two parts: the part of the leading coordinates, which is
    cheap, and the rest, which is small. Steps use the first part, with the second held fixed, until they are
    still. Then the second part is computed anew (a deferred correction). The result is that of steps with
    the whole of H.

    Parameters
    ----------
    problem : Problem
        The two sides.
    plan : ndarray, shape (n, m)
        The initial plan.
    epsilon : float
        Weight of the entropy, on the scale of the gradient.
    tolerance : float
        Stop when the estimated rest of the way is less than this share of the mass.
    descent : Descent, optional
        Takes the steps. Given again, it goes on from the potentials of its last step.
    """
    n, m = problem.shape
    if problem.low_rank or max(n, m) < _REDUCED:
        return (descent or Descent(problem, epsilon)).run(problem, plan, tolerance)
    descent, reduced = descent or Descent(problem, epsilon, Newton()), problem.reduced
    convergence, precision = _Convergence(tolerance, STILL[problem.dtype]), max(tolerance, _NEARLY)
    solution = Entropic(plan, True)
    for _ in range(_CORRECTIONS):
        rest = problem.product(solution.plan) - reduced.product(solution.plan)
        previous, solution = solution, descent.run(reduced, solution.plan, precision, rest)
        length = float(np.linalg.norm(solution.plan - previous.plan)) * np.sqrt(m)
        if convergence.update(length):
            return solution
        if convergence.pace > _WORTHWHILE:
            break
        precision = max(tolerance, EXACT * min(length, _NEARLY))
    # Where the cheap steps do not converge, steps with the whole of H would not converge either.
    return descent.run(problem, solution.plan, tolerance) if solution.converged else solution


class _Convergence:
    """Whether the estimated rest of a sequence of steps is less than a tolerance.

    Near a saddle (the product plan is one) steps are short but grow, so a short step alone proves nothing.
    The first steps shrink fast while random parts die out, so two steps in a row have to agree.

    Attributes
    ----------
    length : float
        Length of the last step, as a share of the mass. NaN before the first.
    pace : float
        Length of a step as a share of the step before: the greater value of the last two. NaN until there are
        three steps.
    """

    def __init__(self, tolerance: float, still: float) -> None:
        self._tolerance, self._still, self._ratio = tolerance, still, np.nan
        self.length = self.pace = np.nan

    def update(self, length: float) -> bool:
        """Add the ``length`` of a step, and say whether the steps have converged."""
        ratio = min(length / self.length, 1 - 1e-9) if self.length > 0 else np.nan
        self.pace = np.maximum(ratio, self._ratio)
        self.length, self._ratio = length, ratio
        return bool(length * self.pace / (1 - self.pace) < self._tolerance or length < self._still)


class Descent:
    """Outer steps at one epsilon. Each starts from the potentials of the last.

    Parameters
    ----------
    problem : Problem
        It has the shape and the precision of the problems that are run.
    epsilon : float
        Weight of the entropy.
    newton : Newton, optional
        For scalings that stall, which costs much time where there are many conditions.
    loose : float
        Tolerance of the marginals in the first steps.
    """

    def __init__(
        self, problem: Problem, epsilon: float, newton: Newton | None = None, loose: float = LOOSE
    ) -> None:
        n, m = problem.shape
        self._epsilon, self._newton, self._loose = epsilon, newton, loose
        self._f, self._g = np.zeros(n), np.zeros(m)
        self._kernel = np.empty((n, m), dtype=problem.dtype)

    def run(self, problem: Problem, plan: Floats, tolerance: float, rest: Floats | None = None) -> Entropic:
        """Step from a plan until the estimated rest of the way is less than the tolerance.

        ``rest`` (n, m) is added to H1 T H2.
        """
        if rest is not None:
            rest = rest * np.asarray(4 / self._epsilon, problem.dtype)
        state = problem.state(plan)
        factor = problem.sides[0].factor
        n, m = problem.shape
        scale = float(np.sqrt(n) if factor is None else np.linalg.norm(factor)) / np.sqrt(n * m)
        tight = max(_TIGHT * tolerance, _ROUNDING * float(np.finfo(problem.dtype).eps))
        convergence = _Convergence(tolerance, STILL[problem.dtype])
        outer: Momentum | None = None
        for _ in range(OUTER_STEPS):
            # A comparison with NaN is false: the first step is loose.
            precision = max(tight, min(self._loose, EXACT * convergence.length))
            rows, columns = self._transport(problem, state, precision, rest)
            if factor is None:
                new = self._kernel * rows[:, None]
            else:
                new = (factor * rows[:, None]).T @ self._kernel
            new *= columns
            length = float(np.linalg.norm(new - state)) / scale
            at_rest = convergence.update(length)
            missed = np.abs(columns * (rows @ self._kernel) - 1 / m).sum() if at_rest else np.inf
            converged = bool(missed < max(tolerance, tight))
            if converged:
                break
            if length > NEAR:
                outer = None
            elif outer is None and convergence.pace < SHRINKING:
                outer = Momentum()
            state = new if outer is None else outer.next(state, new)
        if factor is not None:
            new = self._kernel * rows[:, None]
            new *= columns
        return Entropic(new, converged)

    def step(self, problem: Problem, plan: Floats, tolerance: float) -> Floats:
        """The plan (n, m) after one step from ``plan``, its marginals met up to ``tolerance``."""
        rows, columns = self._transport(problem, problem.state(plan), tolerance, None)
        plan = self._kernel * rows[:, None]
        plan *= columns
        return plan

    def _transport(
        self, problem: Problem, state: Floats, tolerance: float, rest: Floats | None
    ) -> tuple[Floats, Floats]:
        """Scalings of the rows and of the columns of the kernel, for the cost at a state."""
        pushed = problem.sides[1].right_product(state)
        if not problem.low_rank:  # the costly part, computed once for all absorptions
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
    """Write exp((f + g - cost) / epsilon) into ``out``. f and g are shifted where that leaves the safe range.

    ``pushed`` is F1' T H2, or H1 T H2 where H1 is not held as factors. ``rest`` is added to the exponents.
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
        # As in the Hungarian method. Afterwards the greatest exponent of every row and column is zero.
        out -= rows[:, None]
        columns = out.max(axis=0)
        out -= columns
        f, g = f - epsilon * rows.astype(np.float64), g - epsilon * columns.astype(np.float64)
    np.exp(out, out=out)
    return f, g


def rounded(plan: Floats) -> Float64:
    """``plan`` (n, m) with exactly uniform marginals (Altschuler, Weed & Rigollet 2017, algorithm 2)."""
    n, m = plan.shape
    feasible = plan.astype(np.float64)
    feasible *= np.minimum(1 / (n * feasible.sum(axis=1, keepdims=True)), 1)
    feasible *= np.minimum(1 / (m * feasible.sum(axis=0)), 1)
    # Where the plan was scaled down to its marginal, rounding can leave less than nothing missing.
    rows = np.maximum(1 / n - feasible.sum(axis=1), 0)
    columns = np.maximum(1 / m - feasible.sum(axis=0), 0)
    missing = rows.sum()
    if missing > 1e-300:
        feasible += np.outer(rows / missing, columns)
    return feasible
