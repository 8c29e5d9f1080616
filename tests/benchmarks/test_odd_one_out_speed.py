"""A million triplets of 1,854 objects in a layer, beside the gathering of three rows for each triplet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmark.inference import (
    bootstrap_weights,
    permutation_test_triplets,
    triplet_statistic,
)
from benchmark.measures import odd_one_out_hits, similarities

pytestmark = pytest.mark.benchmark

K, D, M = 1854, 512, 1_000_000
#: Triplets whose rows are gathered at once
BATCH = 10_000
#: Triplets that the peer does
PART = 100_000


@pytest.fixture(scope="module")
def world() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    triplets = rng.integers(K, size=(M + M // 100, 3))
    i, j, odd = triplets.T
    return rng.normal(size=(K, D)), triplets[(i != j) & (i != odd) & (j != odd)][:M]


def by_rows(features: np.ndarray, triplets: np.ndarray) -> np.ndarray:
    """The pair of the greatest cosine of each triplet, from three rows of features a triplet."""
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    right = []
    for start in range(0, len(triplets), BATCH):
        a, b, odd = (unit[rows] for rows in triplets[start : start + BATCH].T)
        pairs = [np.einsum("ij,ij->i", x, y) for x, y in ((a, b), (a, odd), (b, odd))]
        right.append(np.argmax(pairs, axis=0) == 0)
    return np.concatenate(right)


def layer(features: np.ndarray, triplets: np.ndarray) -> np.ndarray:
    """All that a layer needs: hits, interval over objects, p."""
    similarity = similarities(features)
    hits = odd_one_out_hits(similarity, triplets)
    triplet_statistic(hits, triplets, K)(bootstrap_weights(K, 1000, 0))
    permutation_test_triplets(similarity, triplets, 200, np.random.default_rng(0))
    return hits


def test_a_million_triplets(beside: Any, world: tuple[np.ndarray, np.ndarray]) -> None:
    features, triplets = world
    np.testing.assert_array_equal(layer(features, triplets)[:PART], by_rows(features, triplets[:PART]))
    beside(
        "a layer on 1,000,000 triplets, with its interval and p",
        "three rows of features gathered for each triplet, hits alone",
        ours=lambda: layer(features, triplets),
        peer=lambda: by_rows(features, triplets[:PART]),
        at_least=5,
        rounds=3,
        peer_scale=M / PART,
    )
