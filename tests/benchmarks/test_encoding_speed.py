"""Ridge with a penalty a channel beside himalaya and scikit-learn, on the same folds and penalties."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmark.measures import cross_validated_ridge
from benchmark.measures.ridge import SHARES

pytestmark = pytest.mark.benchmark

#: SqueezeNet's Fire 6 on a session of macaque V4
N, D, CHANNELS, FOLDS = 1200, 13_824, 89, 5


@pytest.fixture(scope="module")
def world() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((N, 60)) @ rng.standard_normal((60, D)) + 2 * rng.standard_normal((N, D))
    y = x[:, :200] @ rng.standard_normal((200, CHANNELS)) / 10 + 10 * rng.standard_normal((N, CHANNELS))
    return x, y, rng.permutation(N) % FOLDS


def by_folds(world: tuple[np.ndarray, ...], fit: Any) -> np.ndarray:
    x, y, folds = world
    predicted = np.empty_like(y)
    for fold in range(FOLDS):
        train, test = folds != fold, folds == fold
        total = ((x[train] - x[train].mean(axis=0)) ** 2).sum()
        predicted[test] = fit(x[train], y[train], x[test], total * SHARES)
    return predicted


def scikit_learn(x: np.ndarray, y: np.ndarray, new: np.ndarray, alphas: np.ndarray) -> Any:
    from sklearn.linear_model import RidgeCV

    return RidgeCV(alphas, alpha_per_target=True).fit(x, y).predict(new)


def himalaya(x: np.ndarray, y: np.ndarray, new: np.ndarray, alphas: np.ndarray) -> Any:
    """Its fastest engine for more features than rows; it takes centred data, and folds inside."""
    peer = pytest.importorskip("himalaya.kernel_ridge")
    centre, level = x.mean(axis=0), y.mean(axis=0)
    ridge = peer.KernelRidgeCV(alphas=alphas, kernel="linear", cv=5)
    return ridge.fit(x - centre, y - level).predict(new - centre) + level


def test_beside_scikit_learn(world: tuple[np.ndarray, ...], beside: Any) -> None:
    ours, theirs = cross_validated_ridge(*world)[0], by_folds(world, scikit_learn)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)
    beside(
        "ridge, 1,200 x 13,824 x 89 channels x 13 penalties x 5 folds",
        "scikit-learn RidgeCV, alpha_per_target",
        ours=lambda: cross_validated_ridge(*world),
        peer=lambda: by_folds(world, scikit_learn),
        at_least=2,
        rounds=1,
    )


def test_beside_himalaya(world: tuple[np.ndarray, ...], beside: Any) -> None:
    pytest.importorskip("himalaya")
    beside(
        "ridge, the same",
        "himalaya KernelRidgeCV, numpy, 5 inner folds",
        ours=lambda: cross_validated_ridge(*world),
        peer=lambda: by_folds(world, himalaya),
        at_least=1,
        rounds=1,
    )
