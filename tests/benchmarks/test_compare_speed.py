"""Comparing RDMs of 1,854 conditions, 1.7 million pairs, beside rsatoolbox."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmark.measures import compare_rdms, rdm
from benchmark.measures.compare import upper_triangle

pytestmark = pytest.mark.benchmark

N = 1854


def rdms(count: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    space = rng.standard_normal((N, 50))
    return np.stack([rdm(space + rng.standard_normal(space.shape)) for _ in range(count)])


def as_peer(stack: np.ndarray) -> Any:
    from rsatoolbox.rdm import RDMs

    return RDMs(np.array([upper_triangle(matrix) for matrix in stack]))


@pytest.mark.parametrize(
    "method, peer_method, at_least",
    [
        ("spearman", "spearman", 3.5),
        ("rho-a", "rho-a", 3.5),
        ("kendall", "tau-a", 2),
        ("corr_cov", "corr_cov", 3),
        ("cosine_cov", "cosine_cov", 3),
    ],
)
def test_two(beside: Any, method: str, peer_method: str, at_least: float) -> None:
    from rsatoolbox.rdm import compare

    a, b = rdms(2)
    peers = as_peer(a[None]), as_peer(b[None])
    assert compare_rdms(a, b, method) == pytest.approx(compare(*peers, method=peer_method)[0, 0], abs=1e-9)
    beside(
        f"compare two RDMs of 1,854: {method}",
        "rsatoolbox compare",
        ours=lambda: compare_rdms(a, b, method),
        peer=lambda: compare(*peers, method=peer_method),
        at_least=at_least,
        rounds=5,
    )


@pytest.mark.parametrize("one_call, at_least", [(False, 8), (True, 4)])
def test_models_with_targets(beside: Any, one_call: bool, at_least: float) -> None:
    from rsatoolbox.rdm import compare

    stack = rdms(25)
    models, targets = stack[:20], stack[20:]
    several = as_peer(models), as_peer(targets)
    one = as_peer(models[:1]), as_peer(targets[:1])
    beside(
        "Spearman of 20 RDMs of 1,854 with 5",
        "rsatoolbox compare, one call" if one_call else "rsatoolbox compare, pair by pair",
        ours=lambda: compare_rdms(models, targets),
        peer=(lambda: compare(*several, method="spearman"))
        if one_call
        else (lambda: compare(*one, method="spearman")),
        at_least=at_least,
        rounds=2,
        peer_scale=1 if one_call else 100,
    )
