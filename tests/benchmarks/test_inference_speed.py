"""Bootstraps of an RDM correlation beside rsatoolbox, 1,854 conditions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmark.inference import bootstrap_compare, dual_bootstrap

pytestmark = pytest.mark.benchmark

N = 1854
DRAWS = 1000


@pytest.fixture(scope="module")
def rdms() -> np.ndarray:
    """A model, and two subjects, (3, n, n)."""
    values = np.random.default_rng(0).random((3, N, N))
    values = np.triu(values, 1)
    return values + values.transpose(0, 2, 1)


def peer(name: str, rdms: np.ndarray, method: str, samples: int, **options: Any) -> Any:
    import rsatoolbox.inference
    from rsatoolbox.model import ModelFixed
    from rsatoolbox.rdm import RDMs

    evaluate = getattr(rsatoolbox.inference, name)
    return evaluate(
        [ModelFixed("model", RDMs(rdms[:1]))], RDMs(rdms[1:]), method=method, N=samples, **options
    )


def test_bootstrap(beside: Any, rdms: np.ndarray) -> None:
    """As it is called: its bootstrap of the ceiling, which takes most of its time, included."""
    beside(
        "1,000 concept bootstraps of an RDM correlation",
        "rsatoolbox eval_bootstrap_pattern with its ceiling, per resample",
        ours=lambda: bootstrap_compare(rdms[0], rdms[1], "pearson", draws=DRAWS, rng=0),
        peer=lambda: peer("eval_bootstrap_pattern", rdms[:2], "corr", 4),
        at_least=500,
        rounds=4,
        peer_scale=DRAWS / 4,
    )


def test_bootstrap_without_ceiling(beside: Any, rdms: np.ndarray) -> None:
    """The same work on both sides: resample and compare."""
    beside(
        "1,000 concept bootstraps of an RDM correlation",
        "rsatoolbox eval_bootstrap_pattern without its ceiling, per resample",
        ours=lambda: bootstrap_compare(rdms[0], rdms[1], "pearson", draws=DRAWS, rng=0),
        peer=lambda: peer("eval_bootstrap_pattern", rdms[:2], "corr", 4, boot_noise_ceil=False),
        at_least=200,
        rounds=4,
        peer_scale=DRAWS / 4,
    )


def test_dual_bootstrap(beside: Any, rdms: np.ndarray) -> None:
    """The same work on both sides: scores and ceilings over concepts, subjects and both. Two subjects."""
    beside(
        "1,000 dual bootstraps of an RDM correlation and its ceiling, two subjects",
        "rsatoolbox eval_dual_bootstrap, per resample",
        ours=lambda: dual_bootstrap(rdms[0], rdms[1:], "pearson", draws=DRAWS, rng=0),
        peer=lambda: peer("eval_dual_bootstrap", rdms, "corr", 2),
        at_least=2000,
        rounds=2,
        peer_scale=DRAWS / 2,
    )


def test_bootstrap_ranked_again(beside: Any, rdms: np.ndarray) -> None:
    draws = 50
    beside(
        "concept bootstraps of an RDM's Spearman correlation, ranked again in each",
        "rsatoolbox eval_bootstrap_pattern, per resample",
        ours=lambda: bootstrap_compare(rdms[0], rdms[1], "spearman", draws=draws, rng=0),
        peer=lambda: peer("eval_bootstrap_pattern", rdms[:2], "spearman", 2, boot_noise_ceil=False),
        at_least=25,
        rounds=2,
        peer_scale=draws / 2,
    )
