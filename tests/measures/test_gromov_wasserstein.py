"""GWOT: distances against POT, the isometric copy, invariances, the search's own account."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.measures import _gw_solver as solver
from benchmark.measures import critical_epsilon, gromov_wasserstein, matching_rate, rdm
from benchmark.measures._gw_exchange import exchange_descent, iterated_exchange
from benchmark.measures.gromov_wasserstein import gw_distance


def embedding(seed: int, n: int = 12, d: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d))


def uniform(plan: np.ndarray) -> bool:
    n, m = plan.shape
    return np.allclose(plan.sum(1), 1 / n, atol=1e-12) and np.allclose(plan.sum(0), 1 / m, atol=1e-12)


@pytest.mark.parametrize("shape", [(6, 6), (5, 7)])
def test_distance_is_the_definition_and_pots(shape: tuple[int, int]) -> None:
    import ot

    n, m = shape
    c1, c2 = rdm(embedding(0, n), "euclidean"), rdm(embedding(1, m), "euclidean")
    plan = solver.rounded(np.random.default_rng(2).random((1, n, m)))[0]
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
    assert gw_distance(c1, c2, plan) == pytest.approx(ot.gromov.gwloss(constant, h1, h2, plan), rel=1e-10)


def test_sinkhorn_equals_pot() -> None:
    import ot

    cost = np.random.default_rng(0).random((1, 8, 6))
    p, q = np.full(8, 1 / 8), np.full(6, 1 / 6)
    for epsilon in (1.0, 0.05, 0.01):
        f, g = np.zeros((1, 8)), np.zeros((1, 6))
        for _ in range(40):
            plan, f, g = solver.sinkhorn(cost, epsilon, f, g, 1e-12)
        expected = ot.sinkhorn(p, q, cost[0], epsilon, method="sinkhorn_log", numItermax=20000, stopThr=1e-12)
        np.testing.assert_allclose(plan[0], expected, atol=1e-8)


def test_an_entropic_solution_is_a_fixed_point_of_pots() -> None:
    import ot

    c1, c2 = rdm(embedding(3), "cosine"), rdm(embedding(4), "cosine")
    p = np.full(12, 1 / 12)
    epsilon = 0.5 * critical_epsilon(c1, c2)
    plans, converged = solver.entropic(
        solver.Problem.of(c1, c2),
        solver.rounded(np.random.default_rng(0).random((1, 12, 12))),
        epsilon,
    )
    assert converged.all()
    found = ot.gromov.entropic_gromov_wasserstein(
        c1, c2, p, p, "square_loss", epsilon=epsilon, G0=solver.rounded(plans)[0], max_iter=5, tol=1e-12
    )
    np.testing.assert_allclose(plans[0], found, atol=1e-4)


@given(seed=st.integers(0, 10**6), n=st.integers(2, 9), m=st.integers(2, 9))
@settings(max_examples=40, deadline=None)
def test_rounding_gives_uniform_marginals_and_keeps_what_has_them(seed: int, n: int, m: int) -> None:
    plan = np.random.default_rng(seed).random((1, n, m)) / (n * m)
    feasible = solver.rounded(plan)
    assert uniform(feasible[0])
    assert (feasible >= 0).all()
    np.testing.assert_allclose(solver.rounded(feasible), feasible, atol=1e-15)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_the_polish_never_raises_the_distance(seed: int) -> None:
    c1, c2 = rdm(embedding(seed), "euclidean"), rdm(embedding(seed + 1), "euclidean")
    plan = solver.rounded(np.random.default_rng(seed).random((1, 12, 12)))[0]
    polished = solver.conditional_gradient(solver.Problem.of(c1, c2), plan)
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
    second = np.argsort(-result.plan, axis=1)[:, 1]
    assert (categories[second] == categories).mean() > 0.3, "chance is .1"
    unrelated = gromov_wasserstein(c1, rdm(embedding(9, 48, 20)), starts=4, rng=np.random.default_rng(0))
    assert matching_rate(unrelated.plan) < 0.2
    assert unrelated.distance > result.distance


def test_the_search_accounts_for_itself() -> None:
    c1, c2 = rdm(embedding(10)), rdm(embedding(11))
    epsilons = [0.01, 0.1, 0.03]
    result = gromov_wasserstein(c1, c2, epsilons=epsilons, starts=4, rng=np.random.default_rng(0))
    cells = [(s.epsilon, s.start) for s in result.sweep]
    assert cells == [(e, s) for e in (0.1, 0.03, 0.01, 0.0) for s in range(4)]
    assert result.distance == min(s.distance for s in result.sweep)
    best = max(s.matching for s in result.sweep)
    assert matching_rate(result.oracle_plan) == best
    assert result.oracle_distance == min(s.distance for s in result.sweep if s.matching == best)
    assert gw_distance(c1, c2, result.plan) == pytest.approx(result.distance, abs=1e-12)
    again = gromov_wasserstein(c1, c2, epsilons=epsilons, starts=4, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(again.plan, result.plan)


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
    initial = solver.rounded(1 / 400 * (1 + 0.01 * np.random.default_rng(0).random((1, 20, 20))))
    for factor, product in ((1.2, True), (0.8, False)):
        plans, converged = solver.entropic(solver.Problem.of(c, c), initial, factor * critical_epsilon(c, c))
        assert converged.all()
        assert np.allclose(plans, 1 / 400, rtol=0.05) is product


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
    p, reached = exchange_descent(a, b, start)
    assert sorted(p) == list(range(n))
    assert reached == pytest.approx(agreement(p))
    assert reached >= agreement(start) - 1e-9
    for r, s in itertools.combinations(range(n), 2):
        other = p.copy()
        other[[r, s]] = p[[s, r]]
        assert agreement(other) <= reached + 1e-9
    assert agreement(iterated_exchange(a, b, start, rng)) >= reached - 1e-9


def test_exchanges_find_the_best_of_all_assignments():
    rng = np.random.default_rng(3)
    a, b = (rdm(rng.standard_normal((7, 4)), "euclidean") for _ in range(2))
    every = max((a * b[np.ix_(p, p)]).sum() for p in itertools.permutations(range(7)))
    found = iterated_exchange(a, b, np.arange(7), rng)
    assert (a * b[np.ix_(found, found)]).sum() == pytest.approx(every)
