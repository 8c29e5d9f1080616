"""GWOT from several initial plans at once, in torch: beside the path without it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from benchmark.measures import critical_epsilon, gromov_wasserstein, matching_rate, rdm
from benchmark.measures.gromov_wasserstein import search as search_module
from benchmark.measures.gromov_wasserstein.batch import entropic_together
from benchmark.measures.gromov_wasserstein.entropic import entropic, rounded
from benchmark.measures.gromov_wasserstein.problem import Problem, Side


def clustered(seed: int, n: int = 48) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.repeat(rng.normal(size=(n // 6, 20)), 6, axis=0) + rng.normal(size=(n, 20))


@pytest.mark.parametrize("shape, metric", [((48, 48), "euclidean"), ((90, 84), "cosine")])
def test_each_of_the_plans_ends_where_it_does_alone(shape: tuple[int, int], metric: str) -> None:
    n, m = shape
    x, rng = clustered(0, n)[:, :18], np.random.default_rng(1)
    c1, c2 = rdm(x, metric), rdm((x + 0.3 * rng.normal(size=x.shape))[:m], metric)
    problem, epsilon = Problem(Side.from_rdm(c1), Side.from_rdm(c2)), 0.1 * critical_epsilon(c1, c2)
    plans = [rounded(np.eye(n, m) + noise * rng.random((n, m))) for noise in (0.01, 0.1, 1.0)]
    together = entropic_together(problem, plans, epsilon, 1e-4, "cpu")
    for plan, found in zip(plans, together, strict=True):
        alone = entropic(problem, plan, epsilon)
        assert found.converged
        assert alone.converged
        assert np.abs(found.plan - alone.plan).sum() < 1e-3
        distances = [problem.distance(rounded(p)) for p in (found.plan, alone.plan)]
        assert distances[0] == pytest.approx(distances[1], rel=1e-3)


def test_a_small_epsilon_neither_underflows_nor_overflows() -> None:
    c1, c2 = (
        rdm(np.random.default_rng(3 + i).normal(size=(n, 4)), "euclidean") for i, n in enumerate((40, 30))
    )
    problem = Problem(Side.from_rdm(c1), Side.from_rdm(c2))
    start = np.full((40, 30), 1 / 1200)
    (found,) = entropic_together(problem, [start], 1e-3 * critical_epsilon(c1, c2), 1e-3, "cpu")
    assert np.isfinite(found.plan).all()
    np.testing.assert_allclose(found.plan.sum(axis=1), 1 / 40, rtol=1e-3)
    assert np.abs(found.plan.sum(axis=0) - 1 / 30).sum() < 0.02


def search(device: str | None, noise: float, **options):
    x = clustered(5)
    order = np.random.default_rng(6).permutation(48)
    other = (x + noise * np.random.default_rng(7).normal(size=x.shape))[order]
    found = gromov_wasserstein(
        rdm(x), rdm(other), starts=4, rng=np.random.default_rng(0), device=device, **options
    )
    return found, matching_rate(found.plan[:, np.argsort(order)])


@pytest.mark.parametrize("noise", [0.0, 0.4])
def test_a_search_finds_the_same_best_plan(noise: float) -> None:
    (alone, rate), (together, same) = search(None, noise), search("cpu", noise)
    assert together.distance == pytest.approx(alone.distance, rel=1e-6, abs=1e-12)
    assert same == rate
    assert rate == 1 or noise
    assert [(s.epsilon, s.start) for s in together.sweep] == [(s.epsilon, s.start) for s in alone.sweep]
    np.testing.assert_array_equal(together.plan.argmax(axis=1), alone.plan.argmax(axis=1))


@pytest.mark.gpu
def test_a_search_on_a_gpu_finds_the_same_best_plan() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    (alone, rate), (together, same) = search(None, 0.4), search("cuda", 0.4)
    assert together.distance == pytest.approx(alone.distance, rel=1e-6)
    assert same == rate


def test_a_search_that_was_broken_off_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    # among few conditions one start alone is entropic, and nothing is solved together
    monkeypatch.setattr(search_module, "FEW", 0)

    class StoppedError(Exception):
        pass

    def stop(now: int, total: int) -> None:
        if now == 6:
            raise StoppedError

    memo: dict[str, dict[str, np.ndarray]] = {}
    with pytest.raises(StoppedError):
        search("cpu", 0.4, epsilons=[0.03, 0.01], memo=memo, progress=stop)
    assert [len(record["rows"]) for record in memo.values()] == [2, 2, 1, 1]
    counts: list[int] = []
    again = search(
        "cpu", 0.4, epsilons=[0.03, 0.01], memo=memo, progress=lambda now, total: counts.append(now)
    )
    assert counts[0] == 6, "what was done is not done again"
    whole = search("cpu", 0.4, epsilons=[0.03, 0.01])
    assert again[0].distance == pytest.approx(whole[0].distance, rel=1e-6)
    search(None, 0.4, epsilons=[0.03, 0.01], memo=memo)
    assert len(memo) == 8, "what was found elsewhere is not taken for what is found here"


def test_a_device_that_is_not_there_is_refused() -> None:
    for device in ("nowhere", "cuda:99"):
        with pytest.raises(ValueError, match=f"device is '{device}', where torch cannot compute here"):
            search(device, 0.0)


def test_the_measures_do_without_torch() -> None:
    without = "import sys, benchmark.measures; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", without], check=True)
