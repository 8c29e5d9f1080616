"""GWOT: distances against POT, the isometric copy, invariances, the search's own account."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.measures import (
    category_matching_rate,
    critical_epsilon,
    entropic_gromov_wasserstein,
    gromov_wasserstein,
    gw_search_seconds,
    matching_rate,
    rdm,
)
from benchmark.measures.gromov_wasserstein import cost as cost_module
from benchmark.measures.gromov_wasserstein import entropic as entropic_module
from benchmark.measures.gromov_wasserstein import problem as problem_module
from benchmark.measures.gromov_wasserstein import search as search_module
from benchmark.measures.gromov_wasserstein.entropic import entropic, rounded
from benchmark.measures.gromov_wasserstein.exchange import annealed_exchange
from benchmark.measures.gromov_wasserstein.problem import LOW_RANK_METRICS, Problem, Side
from benchmark.measures.gromov_wasserstein.result import GromovWasserstein
from benchmark.measures.gromov_wasserstein.scalings import Newton, scalings
from benchmark.measures.gromov_wasserstein.solve import gw_distance
from benchmark.measures.gromov_wasserstein.vertex import assignment, conditional_gradient


@pytest.fixture
def as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few conditions are searched as many are: four starts go through the entropic problems."""
    monkeypatch.setattr(search_module, "FEW", 0)


def embedding(seed: int, n: int = 12, d: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d))


def problem_of(c1: np.ndarray, c2: np.ndarray, dtype: type = np.float64) -> Problem:
    return Problem(Side.from_rdm(c1), Side.from_rdm(c2), dtype)


def uniform(plan: np.ndarray) -> bool:
    n, m = plan.shape
    return np.allclose(plan.sum(1), 1 / n, atol=1e-12) and np.allclose(plan.sum(0), 1 / m, atol=1e-12)


def pot_entropic(c1: np.ndarray, c2: np.ndarray, result: GromovWasserstein, max_iter: int) -> np.ndarray:
    """Where POT comes to from the plan of the result, at the epsilon of its entropic plan."""
    import ot

    return ot.gromov.entropic_gromov_wasserstein(
        c1,
        c2,
        ot.unif(len(c1)),
        ot.unif(len(c2)),
        epsilon=result.entropic_epsilon,
        G0=result.plan,
        max_iter=max_iter,
        tol=1e-9,
        warn=False,
    )


@pytest.mark.parametrize("shape", [(6, 6), (5, 7)])
def test_distance_is_the_definition_and_pots(shape: tuple[int, int]) -> None:
    import ot

    n, m = shape
    c1, c2 = rdm(embedding(0, n), "euclidean"), rdm(embedding(1, m), "euclidean")
    plan = rounded(np.random.default_rng(2).random((n, m)))
    written_out = sum(
        (c1[i, k] - c2[j, l]) ** 2 * plan[i, j] * plan[k, l]
        for i in range(n)
        for k in range(n)
        for j in range(m)
        for l in range(m)  # noqa: E741
    )
    assert gw_distance(c1, c2, plan) == pytest.approx(written_out, rel=1e-10)
    p, q = plan.sum(1), plan.sum(0)
    constant, h1, h2 = ot.gromov.init_matrix(c1, c2, p, q, "square_loss")
    pots = ot.gromov.gwloss(constant, h1, h2, plan)
    assert gw_distance(c1, c2, plan) == pytest.approx(pots, rel=1e-10)
    assert problem_of(c1, c2).distance(plan) == pytest.approx(pots, rel=1e-10)


@pytest.mark.parametrize("metric", LOW_RANK_METRICS)
def test_features_and_their_rdm_are_the_same_problem(metric: str) -> None:
    """The factors of a low-rank RDM are found from the RDM as well as given by the features."""
    x, y = embedding(0, 40, 5), embedding(1, 30, 4) + 2
    by_features = Problem(Side.from_features(x, metric), Side.from_features(y, metric))
    by_rdm = problem_of(rdm(x, metric), rdm(y, metric))
    assert by_features.low_rank
    assert by_rdm.low_rank
    for seed in range(3):
        plan = rounded(np.random.default_rng(seed).random((40, 30)))
        expected = gw_distance(rdm(x, metric), rdm(y, metric), plan)
        for problem in (by_features, by_rdm):
            assert problem.distance(plan) == pytest.approx(expected, rel=1e-10)
            np.testing.assert_allclose(
                problem.product(plan),
                by_features.exact[0].dense() @ plan @ by_features.exact[1].dense(),
                atol=1e-12,
            )


@pytest.mark.parametrize("epsilon", [1.0, 0.2, 0.05])
def test_scalings_equal_pots(epsilon: float) -> None:
    import ot

    cost = np.random.default_rng(0).random((8, 6))
    kernel = np.exp(-cost / epsilon)
    u, v, balanced = scalings(kernel, 1e-13)
    p, q = np.full(8, 1 / 8), np.full(6, 1 / 6)
    expected = ot.sinkhorn(p, q, cost, epsilon, method="sinkhorn_log", numItermax=20000, stopThr=1e-13)
    assert balanced
    np.testing.assert_allclose(u[:, None] * kernel * v, expected, atol=1e-9)


def test_scalings_do_not_stall_where_mass_has_a_long_way_to_go() -> None:
    """Sinkhorn's iteration moves it a little each time: two hundred points on a line, each near its own."""
    rng = np.random.default_rng(0)
    x = rng.random(200)
    y = x + 0.02 * rng.random(200)
    kernel = np.exp(-((x[:, None] - y) ** 2) / 5e-4)
    u, v, balanced = scalings(kernel, 1e-9, steps=100, newton=Newton())
    plan = u[:, None] * kernel * v
    assert balanced
    assert np.abs(plan.sum(axis=0) - 1 / 200).sum() < 1e-9
    np.testing.assert_allclose(plan.sum(axis=1), 1 / 200)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_small_epsilon_neither_underflows_nor_overflows(dtype: type) -> None:
    """Kernels of e^-1000 and scalings of as much are taken up into the potentials."""
    c1, c2 = rdm(embedding(3, 40), "euclidean"), rdm(embedding(4, 30), "euclidean")
    found = entropic(problem_of(c1, c2, dtype), np.full((40, 30), 1 / 1200), 1e-3 * critical_epsilon(c1, c2))
    assert np.isfinite(found.plan).all()
    np.testing.assert_allclose(found.plan.sum(axis=1), 1 / 40, rtol=1e-3)
    assert np.abs(found.plan.sum(axis=0) - 1 / 30).sum() < 0.02


@pytest.mark.parametrize("metric, share", [("cosine", 0.5), ("cosine", 0.1), ("euclidean", 0.5)])
def test_an_entropic_solution_is_pots_from_the_same_start(metric: str, share: float) -> None:
    import ot

    c1, c2 = rdm(embedding(3, 20), metric), rdm(embedding(4, 20), metric)
    p = np.full(20, 1 / 20)
    epsilon = share * critical_epsilon(c1, c2)
    for start in (np.outer(p, p), rounded(np.random.default_rng(0).random((20, 20)))):
        plan, distance, _ = entropic_gromov_wasserstein(c1, c2, epsilon, plan=start)
        found, log = ot.gromov.entropic_gromov_wasserstein(
            c1, c2, p, p, "square_loss", epsilon=epsilon, G0=start, max_iter=300, tol=1e-9, log=True
        )
        np.testing.assert_allclose(plan, found, atol=1e-3 / 20)
        assert distance == pytest.approx(log["gw_dist"], rel=1e-3)
        assert uniform(plan)


def test_single_precision_gives_the_same_entropic_plan() -> None:
    c1, c2 = rdm(embedding(3, 60), "cosine"), rdm(embedding(4, 50), "cosine")
    epsilon = 0.1 * critical_epsilon(c1, c2)
    start = np.full((60, 50), 1 / 3000)
    plans = [entropic(problem_of(c1, c2, dtype), start, epsilon).plan for dtype in (np.float64, np.float32)]
    assert plans[1].dtype == np.float32
    assert np.abs(plans[0] - plans[1]).sum() < 1e-3


@pytest.mark.parametrize("leading", [100, 2])
def test_what_the_leading_coordinates_miss_is_made_up_for(
    leading: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By correcting it now and then, or where that does not settle by steps of the whole."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(560, 8))
    c1, c2 = (rdm(x + 0.3 * rng.normal(size=x.shape), "euclidean") for _ in range(2))
    problem, epsilon = problem_of(c1, c2), 0.1 * critical_epsilon(c1, c2)
    start = rounded(np.eye(560) / 560 + 0.01 / 560 * rng.random((560, 560)))
    monkeypatch.setattr(problem_module, "_LEADING", leading)
    found, alone = (entropic(p, start, epsilon, 1e-5) for p in (problem, problem.reduced))
    monkeypatch.setattr(entropic_module, "_CORRECTIONS", 0)
    whole = entropic(problem, start, epsilon, 1e-5)
    assert found.converged
    assert whole.converged
    assert np.abs(found.plan - whole.plan).sum() < 1e-4
    assert np.abs(alone.plan - whole.plan).sum() > 0.01


@pytest.mark.usefixtures("as_many")
def test_either_side_may_have_the_low_rank() -> None:
    """The sides are exchanged where the second alone has factors, and the plan is put back."""
    low, full = rdm(embedding(0, 40, 5), "cosine"), rdm(embedding(0, 40, 5), "euclidean")
    epsilon = 0.2 * critical_epsilon(low, full)
    start = rounded(np.random.default_rng(0).random((40, 40)))
    plan, distance, _ = entropic_gromov_wasserstein(low, full, epsilon, plan=start)
    other, same, _ = entropic_gromov_wasserstein(full, low, epsilon, plan=start.T)
    np.testing.assert_allclose(plan, other.T, atol=1e-12)
    assert distance == pytest.approx(same)
    results = [
        gromov_wasserstein(*c, starts=3, rng=np.random.default_rng(0)) for c in ((low, full), (full, low))
    ]
    for result in results:
        assert matching_rate(result.plan) == max(
            s.matching for s in result.sweep if s.distance == result.distance
        )
    assert results[0].distance == pytest.approx(results[1].distance)


@given(seed=st.integers(0, 10**6), n=st.integers(2, 9), m=st.integers(2, 9))
@settings(max_examples=40, deadline=None)
def test_rounding_gives_uniform_marginals_and_keeps_what_has_them(seed: int, n: int, m: int) -> None:
    plan = np.random.default_rng(seed).random((n, m)) / (n * m)
    feasible = rounded(plan)
    assert uniform(feasible)
    assert (feasible >= 0).all()
    np.testing.assert_allclose(rounded(feasible), feasible, atol=1e-15)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_the_polish_never_raises_the_distance(seed: int) -> None:
    c1, c2 = rdm(embedding(seed), "euclidean"), rdm(embedding(seed + 1), "euclidean")
    plan = rounded(np.random.default_rng(seed).random((12, 12)))
    polished = conditional_gradient(problem_of(c1, c2), plan)
    assert uniform(polished)
    assert gw_distance(c1, c2, polished) <= gw_distance(c1, c2, plan) + 1e-12


@pytest.mark.parametrize("metric", ["correlation", "cosine", "euclidean"])
def test_every_match_of_an_isometric_copy_is_found(metric: str) -> None:
    c = rdm(embedding(5, n=48, d=20), metric)
    order = np.random.default_rng(6).permutation(48)
    copy = c[np.ix_(order, order)]
    result = gromov_wasserstein(c, copy, starts=3, rng=np.random.default_rng(0))
    matched = result.plan[:, np.argsort(order)]
    assert matching_rate(matched) == 1
    assert matching_rate(result.plan) < 0.2, "what is asked for is the copy's order, not the index"
    assert result.distance == pytest.approx(0, abs=1e-8)
    assert uniform(result.plan)


@pytest.mark.slow
def test_every_match_of_an_isometric_copy_of_334_is_found() -> None:
    c = rdm(embedding(7, n=334, d=50), "euclidean")
    result = gromov_wasserstein(c, c, starts=5, rng=np.random.default_rng(0))
    assert matching_rate(result.plan) == 1


def test_a_noisy_copy_is_found_and_its_second_choices_are_ordered() -> None:
    rng = np.random.default_rng(8)
    x = np.repeat(rng.normal(size=(8, 20)), 6, axis=0) + rng.normal(size=(48, 20))
    c1, c2 = rdm(x), rdm(x + 0.4 * rng.normal(size=x.shape))
    result = gromov_wasserstein(c1, c2, starts=4, rng=np.random.default_rng(0))
    assert matching_rate(result.plan) > 0.9
    categories = np.repeat(np.arange(8), 6)
    second = np.argsort(-result.entropic_plan, axis=1)[:, 1]
    assert (categories[second] == categories).mean() > 0.3, "chance is .1"
    unrelated = gromov_wasserstein(c1, rdm(embedding(9, 48, 20)), starts=4, rng=np.random.default_rng(0))
    assert matching_rate(unrelated.plan) < 0.2
    assert unrelated.distance > result.distance


@pytest.mark.parametrize("many", [True, False])
def test_the_search_accounts_for_itself(many: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "FEW", 12 if many else 13)
    c1, c2 = rdm(embedding(10)), rdm(embedding(11))
    epsilons = [0.01, 0.1, 0.03]
    result = gromov_wasserstein(c1, c2, epsilons=epsilons, starts=4, rng=np.random.default_rng(0))
    cells = [(s.epsilon, s.start) for s in result.sweep]
    entropic = [(e, s) for e in (0.1, 0.03, 0.01) for s in range(4 if many else 1)]
    assert cells == [*entropic, *((0.0, s) for s in range(4))]
    assert result.distance == min(s.distance for s in result.sweep)
    best = max(s.matching for s in result.sweep)
    assert matching_rate(result.oracle_plan) == best
    assert result.oracle_distance == min(s.distance for s in result.sweep if s.matching == best)
    assert gw_distance(c1, c2, result.plan) == pytest.approx(result.distance, abs=1e-12)
    again = gromov_wasserstein(c1, c2, epsilons=epsilons, starts=4, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(again.plan, result.plan)


def test_near_optimal_plans_differ_and_are_within_one_per_cent() -> None:
    """Conditions on a circle can be turned and reflected: many plans have the least distance."""
    angle = np.arange(12) / 12 * 2 * np.pi
    c = rdm(np.stack([np.cos(angle), np.sin(angle)], axis=1), "euclidean")
    result = gromov_wasserstein(c, c, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(result.near_optimal[0], result.plan)
    matched = {tuple(plan.argmax(axis=1)) for plan in result.near_optimal}
    assert 1 < len(matched) == len(result.near_optimal)
    c2 = rdm(embedding(3, 12, 3), "euclidean")
    result = gromov_wasserstein(c, c2, rng=np.random.default_rng(0))
    for plan in result.near_optimal:
        assert gw_distance(c, c2, plan) <= 1.01 * result.distance


@pytest.mark.parametrize(
    ("noise", "sizes"), [(0.3, (40, 40)), (1.2, (40, 40)), (0.6, (40, 25)), (0.6, (25, 40))]
)
def test_a_condition_has_three_choices_in_the_entropic_plan(noise: float, sizes: tuple[int, int]) -> None:
    x = embedding(4, 40, 10)
    y = x + noise * np.random.default_rng(5).normal(size=x.shape)
    n, m = sizes
    c1, c2 = rdm(x[:n]), rdm(y[:m])
    result = gromov_wasserstein(c1, c2, starts=4, rng=np.random.default_rng(0))
    around = result.entropic_plan
    assert uniform(around)
    # two to the entropy in bits is the number of likely pairs
    pairs = 2 ** -(around * np.log2(around, where=around > 0, out=np.zeros_like(around))).sum()
    assert pairs / max(n, m) == pytest.approx(3, rel=0.1)
    # it is a solution of the entropic problem, and the one that the plan leads to: POT comes to it
    there = pot_entropic(c1, c2, result, max_iter=2000)
    assert np.abs(there - around).sum() < 0.02


def test_second_choices_of_twins_are_their_twins() -> None:
    x = np.repeat(embedding(14, 12, 10), 2, axis=0) + 0.05 * embedding(15, 24, 10)
    c = rdm(x, "euclidean")
    result = gromov_wasserstein(c, c, starts=4, rng=np.random.default_rng(0))
    second = np.argsort(-result.entropic_plan, axis=1)[:, :2]
    np.testing.assert_array_equal(np.sort(second, axis=1), np.arange(24).reshape(12, 2).repeat(2, axis=0))


def test_the_entropic_plan_does_not_tell_copies_apart() -> None:
    c = rdm(np.repeat(embedding(16, 3, 4), 4, axis=0), "euclidean")
    result = gromov_wasserstein(c, c, starts=4, rng=np.random.default_rng(0))
    np.testing.assert_allclose(result.entropic_plan, np.kron(np.eye(3), np.ones((4, 4))) / 48, atol=1e-4)


def test_categories_are_counted_and_lead_nowhere() -> None:
    x = np.repeat(embedding(6, 5, 8), 4, axis=0) + 0.2 * embedding(7, 20, 8)
    c1, c2 = rdm(x), rdm(x + 0.5 * embedding(8, 20, 8))
    categories = [*np.repeat(list("abcde"), 4)[:-1], None]
    plain, counted = (
        gromov_wasserstein(c1, c2, starts=5, categories=given, rng=np.random.default_rng(0))
        for given in (None, categories)
    )
    np.testing.assert_array_equal(plain.plan, counted.plan)
    assert all(np.isnan(s.category) for s in plain.sweep)
    best = next(s for s in counted.sweep if s.distance == counted.distance)
    assert best.category == pytest.approx(category_matching_rate(counted.plan, categories))
    with pytest.raises(ValueError, match="categories has length 3: expected one for each"):
        gromov_wasserstein(c1, c2, categories=["a", "b", "c"], rng=np.random.default_rng(0))


def test_without_the_polish_every_start_is_followed_through_every_epsilon() -> None:
    c1, c2 = rdm(embedding(10)), rdm(embedding(11))
    result = gromov_wasserstein(c1, c2, starts=6, polish=False, rng=np.random.default_rng(0))
    assert len(result.sweep) == 60
    assert min(s.epsilon for s in result.sweep) > 0
    np.testing.assert_array_equal(result.entropic_plan, result.plan)
    # it is a solution of the entropic problem: POT goes no further from it
    there = pot_entropic(c1, c2, result, max_iter=50)
    assert np.abs(there - result.plan).sum() < 0.01
    polished = gromov_wasserstein(c1, c2, starts=6, rng=np.random.default_rng(0))
    assert polished.distance <= result.distance


def test_sides_of_different_size_have_no_oracle() -> None:
    c1, c2 = rdm(embedding(12, 9), "euclidean"), rdm(embedding(12, 9)[:6], "euclidean")
    result = gromov_wasserstein(c1, c2, starts=2, rng=np.random.default_rng(0))
    assert result.plan.shape == (9, 6)
    assert uniform(result.plan)
    assert all(np.isnan(s.matching) for s in result.sweep)
    np.testing.assert_array_equal(result.oracle_plan, result.plan)


def test_above_the_critical_epsilon_nothing_is_learnt_and_below_it_something() -> None:
    """Conditions on a circle have the same mean dissimilarity: only structure beyond it can break the tie."""
    angle = np.arange(20) / 20 * 2 * np.pi
    c = rdm(np.stack([np.cos(angle), np.sin(angle)], axis=1), "euclidean")
    initial = rounded(1 / 400 * (1 + 0.01 * np.random.default_rng(0).random((20, 20))))
    for factor, product in ((1.2, True), (0.8, False)):
        found = entropic(problem_of(c, c), initial, factor * critical_epsilon(c, c))
        assert found.converged
        assert np.allclose(found.plan, 1 / 400, rtol=0.05) is product


@pytest.mark.parametrize("n", [50, 300])
def test_the_prepared_assignment_is_the_best(n: int) -> None:
    from scipy.optimize import linear_sum_assignment

    rng = np.random.default_rng(n)
    for cost in (rng.random((n, n)), rng.integers(0, 3, (n, n)).astype(float), np.zeros((n, n))):
        found, best = assignment(cost), linear_sum_assignment(cost)[1]
        assert sorted(found) == list(range(n))
        assert cost[range(n), found].sum() == pytest.approx(cost[range(n), best].sum())


@given(seed=st.integers(0, 10**6), n=st.integers(3, 6))
@settings(max_examples=10, deadline=None)
def test_the_best_of_all_assignments_is_found(seed: int, n: int) -> None:
    """No assignment of so few conditions has a lower distance."""
    c1, c2 = rdm(embedding(seed, n), "euclidean"), rdm(embedding(seed + 1, n), "euclidean")
    every = (np.mean((c1 - c2[np.ix_(p, p)]) ** 2) for p in map(list, itertools.permutations(range(n))))
    found = gromov_wasserstein(c1, c2, starts=4, rng=np.random.default_rng(0))
    assert found.distance <= min(every) + 1e-7


@given(seed=st.integers(0, 10**6))
@settings(max_examples=8, deadline=None)
def test_neither_order_nor_rotation_changes_what_is_found(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(15, 4))
    rotation = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    order = rng.permutation(15)
    found = gromov_wasserstein(x, (x @ rotation)[order], metric="euclidean", starts=3, rng=rng)
    assert found.distance == pytest.approx(0, abs=1e-7)
    np.testing.assert_array_equal(found.plan.argmax(axis=1), np.argsort(order))


@pytest.mark.usefixtures("as_many")
def test_threads_change_no_byte_and_a_broken_search_goes_on() -> None:
    c1, c2 = rdm(embedding(20, 25)), rdm(embedding(21, 25))
    done: list[tuple[int, int]] = []

    class StoppedError(Exception):
        pass

    def stop(now: int, total: int) -> None:
        if now == 7:
            raise StoppedError

    def search(**options):
        return gromov_wasserstein(
            c1, c2, epsilons=[0.1, 0.03, 0.01], starts=4, rng=np.random.default_rng(0), **options
        )

    whole = search(progress=lambda now, total: done.append((now, total)))
    assert done[-1] == (16, 16)
    memo: dict[str, dict[str, np.ndarray]] = {}
    with pytest.raises(StoppedError):
        search(memo=memo, progress=stop)
    assert len(memo) == 2, "the first start is done and the second has begun"
    counts: list[int] = []
    for again in (search(jobs=3), search(memo=memo, progress=lambda now, total: counts.append(now))):
        np.testing.assert_array_equal(again.plan, whole.plan)
        np.testing.assert_array_equal(again.oracle_plan, whole.oracle_plan)
        assert repr(again.sweep) == repr(whole.sweep), "NaN is not equal to itself"
    assert counts[0] == 7, "what was done is not done again"
    other = gromov_wasserstein(c1, c2, epsilons=[0.1], starts=1, rng=np.random.default_rng(1), memo=memo)
    assert len(other.sweep) == 2, "another search takes nothing from the memo"


def test_the_search_says_how_often_the_best_was_found_and_stops() -> None:
    """A copy is found in the first round, so the second is not begun. Unrelated RDMs need more."""
    c, other = rdm(embedding(5, n=30, d=10)), rdm(embedding(6, n=30, d=10))
    done: list[tuple[int, int]] = []
    found = gromov_wasserstein(
        c, c, starts=9, rng=np.random.default_rng(0), progress=lambda *now: done.append(now)
    )
    assert found.distance < 1e-12
    assert found.found_again == np.count_nonzero(found.ends < 1e-12)
    assert found.searches == len(found.ends) == 4
    assert done[-1] == (11 + 8, 11 + 8)
    unrelated = gromov_wasserstein(c, other, starts=9, rng=np.random.default_rng(0))
    polished = [s.distance for s in unrelated.sweep if s.epsilon == 0]
    assert unrelated.searches == len(polished)
    assert unrelated.found_again == sum(d <= 1.0001 * min(polished) for d in polished)
    assert unrelated.found_again >= 3 or unrelated.searches == 9
    random = [(s.epsilon, s.start) for s in unrelated.sweep if s.start >= 1]
    assert all(epsilon == 0 for epsilon, _ in random), "random starts are assignments"
    assert found.curve.shape == (11, 4)
    assert (np.diff(found.curve[:, 0]) < 0).all()
    assert (np.diff(found.curve[:, 1:], axis=1) >= -1e-15).all()
    assert found.curve[-1, 1] == found.distance


@pytest.mark.parametrize("seed", range(3))
def test_other_random_numbers_find_the_same_distance(seed: int) -> None:
    """Categories in noise, which can be exchanged as wholes. POT's conditional gradient does no better."""
    import ot

    rng = np.random.default_rng(seed)
    x = np.repeat(rng.normal(size=(6, 8)), 6, axis=0) + 0.7 * rng.normal(size=(36, 8))
    c1, c2 = rdm(x), rdm(x + 0.7 * rng.normal(size=x.shape))
    least = [gromov_wasserstein(c1, c2, rng=np.random.default_rng(s)).distance for s in range(3)]
    assert np.ptp(least) < 2e-3 * min(least)
    uniform = np.full(36, 1 / 36)
    for start in range(5):
        initial = rounded(np.random.default_rng(start).random((36, 36)) / 36**2)
        peer = ot.gromov.gromov_wasserstein2(c1, c2, uniform, uniform, "square_loss", G0=initial)
        assert min(least) <= peer + 1e-9


def test_a_search_of_two_sizes_is_accounted_for() -> None:
    found = gromov_wasserstein(
        rdm(embedding(5)), rdm(embedding(6, n=9)), epsilons=[0.1], starts=5, rng=np.random.default_rng(0)
    )
    assert {s.epsilon for s in found.sweep if s.start == 0} == {0.1, 0.0}
    assert found.searches in (4, 5)


def test_undefined_and_bad_input() -> None:
    c = rdm(embedding(15))
    rng = np.random.default_rng(0)
    flat = 1 - np.eye(12)
    with pytest.raises(ValueError, match=r"c2 of shape .* all equal"):
        gromov_wasserstein(c, flat, rng=rng)
    with pytest.raises(ValueError, match="c1 has 2 conditions"):
        gromov_wasserstein(c[:2, :2], c, rng=rng)
    with pytest.raises(ValueError, match="starts is 0"):
        gromov_wasserstein(c, c, starts=0, rng=rng)
    with pytest.raises(ValueError, match="jobs is 0"):
        gromov_wasserstein(c, c, jobs=0, rng=rng)
    with pytest.raises(ValueError, match="metric is 'angle': expected one of"):
        gromov_wasserstein(c, c, metric="angle", rng=rng)
    with pytest.raises(ValueError, match=r"c1 has shape \(12,\)"):
        gromov_wasserstein(c[0], c, metric="cosine", rng=rng)
    with pytest.raises(ValueError, match=r"c2 of shape \(40, 2\) .* all equal"):
        gromov_wasserstein(embedding(0, 40), np.ones((40, 2)), metric="sqeuclidean", rng=rng)
    with pytest.raises(ValueError, match=r"plan has shape \(3, 3\): expected \(12, 12\)"):
        entropic_gromov_wasserstein(c, c, 0.1, plan=np.eye(3))
    for epsilons in ([], [0.1, 0.0], [np.nan]):
        with pytest.raises(ValueError, match="expected positive numbers"):
            gromov_wasserstein(c, c, epsilons=epsilons, rng=rng)


@given(st.integers(0, 2**32 - 1), st.integers(4, 9))
@settings(max_examples=25, deadline=None)
def test_exchanges_end_where_no_exchange_helps(seed, n):
    """Against every exchange, tried one by one; and the kicks only ever lower the distance."""
    rng = np.random.default_rng(seed)
    a, b = (rdm(rng.standard_normal((n, 5)), "euclidean") for _ in range(2))

    def agreement(p):
        return (a * b[np.ix_(p, p)]).sum()

    start = rng.permutation(n)
    descended = agreement(annealed_exchange(a, b, start, 0, 0.0, seed))
    for kicks, heat in ((0, 0.0), (50, 0.0), (50, 1.0)):
        p = annealed_exchange(a, b, start, kicks, heat, seed)
        np.testing.assert_array_equal(p, annealed_exchange(a, b, start, kicks, heat, seed))
        assert sorted(p) == list(range(n))
        assert agreement(p) >= max(agreement(start), descended) - 1e-9
        for r, s in itertools.combinations(range(n), 2):
            other = p.copy()
            other[[r, s]] = p[[s, r]]
            assert agreement(other) <= agreement(p) + 1e-9


def test_exchanges_find_the_best_of_all_assignments():
    rng = np.random.default_rng(3)
    a, b = (rdm(rng.standard_normal((7, 4)), "euclidean") for _ in range(2))
    every = max((a * b[np.ix_(p, p)]).sum() for p in itertools.permutations(range(7)))
    found = annealed_exchange(a, b, np.arange(7), 300, 1.0, 0)
    assert (a * b[np.ix_(found, found)]).sum() == pytest.approx(every)


def test_no_index_leaves_its_array():
    """Compiled code does not look; the same functions without compiling raise."""
    script = """
import numpy as np
from benchmark.measures import rdm
from benchmark.measures.gromov_wasserstein.exchange import annealed_exchange
for n in (3, 4, 5, 8, 20):
    rng = np.random.default_rng(n)
    a, b = (rdm(rng.normal(size=(n, 5)), "euclidean") for _ in range(2))
    assert sorted(annealed_exchange(a, b, rng.permutation(n), 30, 1.0, n)) == list(range(n))
"""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_cost_of_a_search_is_that_of_its_steps(monkeypatch):
    monkeypatch.setattr(cost_module, "perf_counter", iter(range(1000)).__next__)  # a step takes a second
    monkeypatch.setattr(cost_module, "usable_threads", lambda: 2)
    entropic = cost_module._STEPS

    def exchanges(n: int, starts: int) -> float:
        kicks = sum(search_module.kicks(n, start) for start in range(starts))
        return cost_module._EXCHANGES * n * kicks * (n / cost_module._COMPILED) ** 2

    assert gw_search_seconds(5, 1, [0.1]) == pytest.approx(entropic + exchanges(5, 1))
    assert gw_search_seconds(5, 4, [0.1]) == pytest.approx((entropic + exchanges(5, 4)) / 2), "in two threads"
    assert gw_search_seconds(100, 4, [0.1]) == pytest.approx((4 * entropic + exchanges(100, 4)) / 2)
    assert gw_search_seconds(100, 6) == pytest.approx((4 * 10 * entropic + exchanges(100, 6)) / 2), "random"
    assert gw_search_seconds(5, 6, polish=False) == 6 * 10 * entropic / 2


@pytest.mark.parametrize(
    ("distances", "few", "many"),
    [
        ([1, 1, 1, 1], True, False),
        ([1, 1, 1.00005, 1], True, False),
        ([1, 1, 1, 1.001], False, False),
        ([1, 1, 1, 1.001, 1, 1.1, 1.1, 1.1], False, False),
        ([1, 1.1, 1.1, 1.1, 1, 1, 1.1, 1.1], True, True),
        ([1, 1, 1, 1, 0.9, 0.9, 1, 1], False, False),
        ([2, 2, 0, 2], True, True),
    ],
)
def test_a_search_ends_when_the_least_was_found_often(distances: list[float], few: bool, many: bool) -> None:
    """Four starts of few conditions may agree. Structured starts of many are not believed alone."""
    assert search_module._enough(distances, few=True) is few
    assert search_module._enough(distances, few=False) is many


def test_rounds_of_few_conditions_have_a_growing_number_of_kicks_and_those_of_many_the_same() -> None:
    """500 a condition up to 48 conditions. What was published for 92 conditions and more must not change."""
    assert [search_module.kicks(48, start) for start in range(13)] == [6000] * 4 + [24000] * 4 + [48000] * 5
    assert {search_module.kicks(92, start) for start in range(13)} == {int(8e6 / 92**1.5)}
    assert {search_module.kicks(1854, start) for start in range(13)} == {int(8e6 / 1854**1.5)}
    assert [search_module.first_random(n) for n in (3, 91, 92, 1854)] == [1, 1, 4, 4]
