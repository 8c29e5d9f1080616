"""Entropic Gromov-Wasserstein from several initial plans at once, in torch: for an accelerator.

The steps are those of :func:`.entropic.entropic`, in single precision. Arrays have one more axis, in front:
the initial plans. Plans that have converged wait for the others. RDMs of full rank have no low-rank shortcut
here, and Newton's steps are not used: products are cheap on an accelerator, and the plans must stay in step.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from benchmark.measures._checks import Floats
from benchmark.measures.gromov_wasserstein import entropic as outer
from benchmark.measures.gromov_wasserstein import scalings as inner
from benchmark.measures.gromov_wasserstein.entropic import Entropic
from benchmark.measures.gromov_wasserstein.momentum import following
from benchmark.measures.gromov_wasserstein.problem import Problem
from benchmark.measures.gromov_wasserstein.scalings import RANGE

#: Single precision meets the marginals no better than this
_TIGHT = 1e-5


def entropic_together(
    problem: Problem, plans: Sequence[Floats], epsilon: float, tolerance: float, device: str
) -> list[Entropic]:
    """Entropic Gromov-Wasserstein from each of the initial plans.

    Parameters
    ----------
    problem : Problem
        The two sides.
    plans : sequence of ndarray, shape (n, m)
        The initial plans.
    epsilon : float
        Weight of the entropy, on the scale of the gradient.
    tolerance : float
        Stop when the estimated rest of the way is less than this share of the mass.
    device : str
        The device, by its name in torch.

    Returns
    -------
    list of Entropic
        One solution per initial plan.
    """
    with torch.inference_mode():
        batch = _Batch(problem, epsilon, torch.device(device))
        start = torch.stack([torch.from_numpy(plan).float() for plan in plans]).to(device)
        solutions, converged = batch.run(start, tolerance)
        return [
            Entropic(plan, bool(has_converged))
            for plan, has_converged in zip(solutions.cpu().numpy(), converged, strict=True)
        ]


def check_device(device: str) -> None:
    """Raise a ValueError if torch cannot compute on ``device``."""
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            f"device is {device!r}, where torch cannot compute here: choose another device, or None"
        ) from error


class _Batch:
    """Outer steps at one epsilon."""

    def __init__(self, problem: Problem, epsilon: float, device: torch.device) -> None:
        def put(array: Floats) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)).to(device)

        first, second = (put(deviation) for deviation in problem.deviations)
        self._border = torch.outer(first, second) * (4 / epsilon)
        self._scale = 4 / epsilon
        # Matrices whose product is H
        self._left, self._right = (
            [put(side.dense())]
            if side.factor is None or side.signs is None
            else [put(side.factor * side.signs), put(side.factor.T)]
            for side in problem.exact
        )

    def run(self, state: Tensor, tolerance: float) -> tuple[Tensor, Tensor]:
        """The plans (s, n, m) that the steps from ``state`` lead to, and whether they converged (s,)."""
        s, n, m = state.shape
        f, g = state.new_zeros(s, n, 1), state.new_zeros(s, 1, m)
        length, ratio = state.new_full((2, s), torch.nan)
        near, done = torch.zeros((2, s), dtype=torch.bool, device=state.device)
        memory = _Momentum(state.flatten(1))
        still = outer.STILL[np.dtype(np.float32)]
        result = state
        for _ in range(outer.OUTER_STEPS):
            worth = (outer.EXACT * length).nan_to_num(outer.LOOSE).clamp(_TIGHT, outer.LOOSE)
            new, f, g = self._transport(state, f, g, worth)
            result = torch.where(done[:, None, None], result, new)
            step = torch.linalg.vector_norm(new - state, dim=(1, 2)) * m**0.5
            # As in _Convergence. A comparison with NaN is false.
            shrinking = torch.clamp(step / length, max=1 - 1e-6)
            pace = torch.maximum(shrinking, ratio)
            at_rest = (step * pace / (1 - pace) < tolerance) | (step < still)
            done |= at_rest & ((new.sum(1) - 1 / m).abs().sum(1) < max(tolerance, _TIGHT))
            length, ratio = step, shrinking
            if done.all():
                break
            near = (step <= outer.NEAR) & (near | (pace < outer.SHRINKING))
            state = memory.next(state.flatten(1), new.flatten(1), near).view_as(state)
        return result, done

    def _transport(
        self, state: Tensor, f: Tensor, g: Tensor, tolerance: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The plans of least cost at the plans ``state``, and their potentials in units of epsilon."""
        product = self._left[-1] @ state
        for matrix in self._right:
            product = product @ matrix
        for matrix in self._left[:-1]:
            product = matrix @ product
        product = product * self._scale + self._border
        for _ in range(outer.ABSORPTIONS):
            exponents = product + f + g
            rows, columns = exponents.amax(2, keepdim=True), exponents.amax(1, keepdim=True)
            far = torch.maximum(rows.abs().amax(1), columns.abs().amax(2))[:, :, None] > RANGE
            rows = rows * far
            exponents -= rows
            columns = exponents.amax(1, keepdim=True) * far
            exponents -= columns
            kernel = exponents.exp_()
            u, v, balanced = _scalings(kernel, tolerance)
            f, g = f - rows + u.log()[:, :, None], g - columns + v.log()[:, None]
            if balanced:
                break
        return kernel * u[:, :, None] * v[:, None], f, g


def _scalings(kernel: Tensor, tolerance: Tensor) -> tuple[Tensor, Tensor, bool]:
    """U (s, n) and v (s, m), as in :func:`.scalings.scalings`, of kernels (s, n, m)."""
    s, n, m = kernel.shape
    log_v = restart = kernel.new_zeros(s, m)
    best = kernel.new_full((s,), torch.inf)
    memory = _Anderson(inner.MEMORY, log_v)
    for step in range(inner.STEPS):
        v = log_v.exp()
        u = 1 / (n * (kernel @ v[:, :, None])[:, :, 0])
        column = (u[:, None] @ kernel)[:, 0]
        error = (v * column - 1 / m).abs().sum(1)
        met = error < tolerance
        out = torch.maximum(log_v.abs().amax(1), u.log().abs().amax(1)) > RANGE
        if (met | out).all():
            break
        scaled = -(m * column).log()
        worse = error > inner.WORSE * best
        better = (error < best) & (step >= inner.PLAIN)
        restart = torch.where(better[:, None], scaled, restart)
        best = torch.where(worse, torch.inf, torch.where(better, error, best))
        leap = memory.next(log_v, scaled, ~worse & (step >= inner.PLAIN)) - scaled
        following = torch.where(worse[:, None], restart, scaled + leap.clamp(-inner.LEAP, inner.LEAP))
        log_v = torch.where((met | out)[:, None], log_v, following)
    return u, v, bool(met.all()) or step == inner.STEPS - 1


class _Momentum:
    """Momentum (:class:`.momentum.Momentum`) of the rows of (s, d). A row that is not active has none."""

    def __init__(self, like: Tensor) -> None:
        self._last, self._change, self._weight = like, torch.zeros_like(like), like.new_ones(len(like))
        self._remembers = torch.zeros(len(like), dtype=torch.bool, device=like.device)

    def next(self, x: Tensor, y: Tensor, active: Tensor) -> Tensor:
        """The next points, of the shape of ``x`` and ``y`` = G(x)."""
        step = (y - self._last) * (self._remembers & active)[:, None]
        change = y - x
        goes_on = active & ((change * self._change).sum(1) >= 0)
        share, after = following(torch.where(goes_on, self._weight, 1.0))
        self._last, self._change, self._remembers = y, change, active
        self._weight = torch.where(active, after, 1.0)
        return y + share[:, None] * step


class _Anderson:
    """Anderson acceleration (:class:`.anderson.Anderson`) of the rows of (s, d).

    A row that is not active stays as it is and keeps no memory: zeros in the memory have no weight.
    """

    def __init__(self, memory: int, like: Tensor) -> None:
        self._steps, self._count = like.new_zeros(2, memory, *like.shape), 0
        self._last = like.new_zeros(2, *like.shape)
        self._remembers = torch.zeros(len(like), dtype=torch.bool, device=like.device)

    def next(self, x: Tensor, y: Tensor, active: Tensor) -> Tensor:
        """The next points, of the shape of ``x`` and ``y`` = G(x). Only ``active`` (s,) rows change."""
        now = torch.stack([y, y - x])
        known = (self._remembers & active)[:, None]
        self._steps *= active[:, None]
        self._steps[:, self._count % self._steps.shape[1]] = (now - self._last) * known
        self._count += 1
        self._last, self._remembers = now, active
        images, residuals = self._steps
        normal = torch.einsum("ksd,lsd->skl", residuals, residuals)
        size = normal.diagonal(dim1=1, dim2=2).sum(1)
        ridge = torch.where(size > 0, torch.finfo(x.dtype).eps * size, 1.0)
        normal.diagonal(dim1=1, dim2=2).add_(ridge[:, None])
        weights = torch.linalg.solve(normal, torch.einsum("ksd,sd->sk", residuals, now[1]))
        return y - torch.einsum("sk,ksd->sd", weights, images)
