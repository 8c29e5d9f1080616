"""Initial plans that need no labels: pair conditions of similar profile, or align the principal axes."""

from __future__ import annotations

import itertools

import numpy as np

from benchmark.measures._checks import Float64
from benchmark.measures.gromov_wasserstein.entropic import rounded
from benchmark.measures.gromov_wasserstein.problem import Side
from benchmark.measures.gromov_wasserstein.vertex import vertex

#: Number of quantiles that describe the distribution of a row of dissimilarities
_QUANTILES = 64
#: Number of axes at each level of the alignment, and of rounds of pairing and turning at each level
_LEVELS, _TURNS = (5, 8, 12, 20, 40, 100), 6
#: Number of conditions of each side on which the signs of the first axes are tried
_TRIED = 400
#: Weight of the mean dissimilarities relative to the coordinates
_MEANS = 3.0


def random_plan(n: int, m: int, rng: np.random.Generator) -> Float64:
    """A random feasible plan (n, m), near the product plan, drawn from ``rng``."""
    return rounded(rng.exponential(size=(n, m)) / (n * m))


def profile_plan(c1: Float64, c2: Float64) -> Float64:
    """The plan (n, m) that pairs conditions with similar distributions of dissimilarities to the others.

    ``c1`` (n, n) and ``c2`` (m, m) are the RDMs.
    """
    levels = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    profiles = [np.quantile(c, levels, axis=1).T for c in (c1, c2)]
    squares = [(profile**2).sum(axis=1) for profile in profiles]
    cost: Float64 = squares[0][:, None] + squares[1] - 2 * profiles[0] @ profiles[1].T
    return vertex(cost)


class SpectralStarts:
    """Plans that pair conditions of similar principal coordinates.

    The axes of two similar geometries agree up to their signs and a rotation among axes of similar variance.
    All signs of the first five axes are tried. Conditions are paired with their nearest neighbours, and the
    axes are turned to fit (iterated closest points). The signs are ranked by how close the two sides come.
    More and more axes are then added to each choice of signs.

    Parameters
    ----------
    left, right : Side
        The two sides.
    rng : numpy.random.Generator
        Chooses the conditions on which the signs are tried.
    """

    def __init__(self, left: Side, right: Side, rng: np.random.Generator) -> None:
        width = min(_LEVELS[-1], *(side.spectrum[1].shape[1] for side in (left, right)))
        self._spaces = tuple(_space(side, width) for side in (left, right))
        self._width = width
        samples = [
            space[np.sort(rng.permutation(len(space))[:_TRIED])][:, : _LEVELS[0] + 1]
            for space in self._spaces
        ]
        first = samples[0].shape[1] - 1
        tried: list[tuple[float, int, Float64]] = []
        for signs in itertools.product((1.0, -1.0), repeat=first):
            turn = np.diag(signs)
            for _ in range(_TURNS):
                turn, distance = _turned(samples[0], samples[1], turn)
            tried.append((distance, len(tried), turn))
        self._turns = [turn for _, _, turn in sorted(tried, key=lambda t: t[:2])]

    def plan(self, rank: int) -> Float64:
        """The plan (n, m) of the signs with this ``rank``, 0 the best. Ranks repeat after the last one."""
        x, y = self._spaces
        turn = self._turns[rank % len(self._turns)]
        for level in sorted({min(level, self._width) for level in _LEVELS}):
            wider = np.eye(level)
            wider[: len(turn), : len(turn)] = turn
            turn = wider
            for _ in range(_TURNS):
                turn, _ = _turned(x[:, : level + 1], y[:, : level + 1], turn)
        return vertex(-_closeness(x, y, turn))


def _space(side: Side, width: int) -> Float64:
    """Mean dissimilarity and principal coordinates of each condition, (n, 1 + width), at unit scale."""
    # Where the signs of an axis are not tried, its skewness gives a likely one.
    coordinates = side.spectrum[1][:, :width]
    coordinates = coordinates * np.where((coordinates**3).sum(axis=0) < 0, -1, 1)
    means = side.offset - side.offset.mean()
    scale = np.sqrt((coordinates**2).sum(axis=1).mean())
    return np.column_stack([_MEANS * means / scale**2, coordinates / scale])


def _closeness(x: Float64, y: Float64, turn: Float64) -> Float64:
    """X'y - |y|^2 / 2 of every pair after turning x. The greater it is, the nearer is y to x."""
    turned = np.column_stack([x[:, :1], x[:, 1:] @ turn]).astype(np.float32)
    second = y.astype(np.float32)
    result: Float64 = turned @ second.T - (second**2).sum(axis=1) / 2
    return result


def _turned(x: Float64, y: Float64, turn: Float64) -> tuple[Float64, float]:
    """The rotation that fits each x to its nearest y and each y to its nearest x; their mean distance."""
    close = _closeness(x, y, turn)
    nearest = close.argmax(axis=1)
    lengths = (x.astype(np.float32) ** 2).sum(axis=1) / 2
    close -= lengths[:, None]
    backwards = close.argmax(axis=0)
    distance = -float(close.max(axis=1).mean() + close.max(axis=0).mean())
    u, _, vt = np.linalg.svd(x[:, 1:].T @ y[nearest, 1:] + x[backwards, 1:].T @ y[:, 1:])
    rotation: Float64 = u @ vt
    return rotation, distance
