"""2 vs 2 beside the definition in a lean numpy loop, 1,854 concepts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmark.measures import two_vs_two, two_vs_two_permutation

pytestmark = pytest.mark.benchmark

K = 1854
PAIRS = K * (K - 1) // 2
LOOP = "the definition in a lean numpy loop"
#: Pairs that the loop does: it takes a minute and a half for all of them
PART = [(a, b) for a in range(0, K, 41) for b in range(a + 1, K, 17)]


def spaces(p: int, q: int) -> tuple[np.ndarray, np.ndarray]:
    """Two spaces that share a little: accuracy is above chance, and not perfect."""
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(K, 12))
    x, y = (shared @ rng.normal(size=(12, d)) + 6 * rng.normal(size=(K, d)) for d in (p, q))
    return x, y


def lean_loop(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Margins of ``PART`` from the correlation matrices."""
    margins = np.empty(len(PART))
    rows = np.empty((4, K - 2))
    for n, (i, j) in enumerate(PART):
        for row, whole in zip(rows, (a[i], a[j], b[i], b[j]), strict=True):
            row[:i] = whole[:i]
            row[i : j - 1] = whole[i + 1 : j]
            row[j - 1 :] = whole[j + 1 :]
        centred = rows - rows.mean(axis=1, keepdims=True)
        products = centred @ centred.T
        lengths = np.sqrt(products.diagonal())
        c = products / lengths / lengths[:, None]
        margins[n] = c[0, 2] + c[1, 3] - c[0, 3] - c[1, 2]
    return margins


def test_all_pairs(beside: Any) -> None:
    x, y = spaces(300, 512)
    a, b = np.corrcoef(x), np.corrcoef(y)
    margins = two_vs_two(x, y, margins=True).margins
    error = np.abs(margins[tuple(np.transpose(PART))] - lean_loop(a, b)).max()
    assert error < 1e-13
    beside(
        "2 vs 2, all 1,717,731 pairs (300 and 512 dimensions)",
        LOOP,
        ours=lambda: two_vs_two(x, y),
        peer=lambda: lean_loop(a, b),
        at_least=500,
        rounds=5,
        peer_scale=PAIRS / len(PART),
    )


@pytest.mark.parametrize(
    "p, q, at_least", [(300, 512, 2500), (49, 300, 5000)], ids=["300 and 512", "few dimensions"]
)
def test_one_permutation(beside: Any, p: int, q: int, at_least: float) -> None:
    """Counts are exact: see the tests. What all permutations share is in the time, as in a test of 100."""
    x, y = spaces(p, q)
    a, b = np.corrcoef(x), np.corrcoef(y)
    n = 100
    beside(
        f"one permutation of 2 vs 2 ({p} and {q} dimensions), of {n}",
        LOOP,
        ours=lambda: two_vs_two_permutation(x, y, n, np.random.default_rng(0)),
        peer=lambda: lean_loop(a, b),
        at_least=at_least,
        rounds=2,
        peer_scale=n * PAIRS / len(PART),
    )


def test_one_permutation_of_two_wide_spaces(beside: Any) -> None:
    """No rank to save on: a product of two full matrices, 12.7 thousand million additions, in float32."""
    x, y = spaces(2048, 2048)
    a, b = np.corrcoef(x), np.corrcoef(y)
    beside(
        "one permutation of 2 vs 2 (2,048 and 2,048 dimensions), of 20",
        LOOP,
        ours=lambda: two_vs_two_permutation(x, y, 20, np.random.default_rng(0)),
        peer=lambda: lean_loop(a, b),
        at_least=500,
        rounds=2,
        peer_scale=20 * PAIRS / len(PART),
    )
