"""Odd one out: hits by brute force, ties, the ceiling, and the linear probe."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad
from scipy.spatial.distance import cdist

from benchmark.measures import (
    fit_triplet_probe,
    odd_one_out_hits,
    probed_hits,
    similarities,
    triplet_ceiling,
)
from benchmark.measures.triplet_probe import _loss

K = 9


def drawn(rng: np.random.Generator, k: int, m: int) -> np.ndarray:
    return np.array([rng.choice(k, size=3, replace=False) for _ in range(m)])


def hits_by_hand(similarity: np.ndarray, triplets: np.ndarray) -> list[float]:
    hits = []
    for i, j, odd in triplets:
        three = [similarity[i, j], similarity[i, odd], similarity[j, odd]]
        best = [pair for pair in range(3) if three[pair] == max(three)]
        hits.append(1 / len(best) if 0 in best else 0.0)
    return hits


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_hits_are_those_of_the_definition_with_ties(seed, levels):
    rng = np.random.default_rng(seed)
    similarity = rng.integers(levels, size=(K, K)).astype(float)
    similarity += similarity.T
    triplets = drawn(rng, K, 30)
    np.testing.assert_allclose(odd_one_out_hits(similarity, triplets), hits_by_hand(similarity, triplets))


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_the_three_answers_to_a_triplet_share_one_hit(seed, levels):
    """Whatever the ties: a random choice between three is right once in three."""
    rng = np.random.default_rng(seed)
    similarity = rng.integers(levels, size=(K, K)).astype(float)
    similarity += similarity.T
    i, j, odd = rng.choice(K, size=3, replace=False)
    assert odd_one_out_hits(similarity, [[i, j, odd], [i, odd, j], [j, odd, i]]).sum() == pytest.approx(1)


def test_similarities_are_those_of_scipy():
    x = np.random.default_rng(0).normal(size=(K, 4))
    np.testing.assert_allclose(similarities(x, "cosine"), 1 - cdist(x, x, "cosine"), atol=1e-12)
    np.testing.assert_allclose(similarities(x, "euclidean"), -cdist(x, x), atol=1e-12)
    np.testing.assert_allclose(similarities(x, "dot"), x @ x.T)


def test_rows_that_are_equal_tie_up_to_rounding():
    x = np.random.default_rng(0).normal(size=(3, 50))
    for how in ("cosine", "dot", "euclidean"):
        assert odd_one_out_hits(similarities(x[[0, 1, 1]], how), [[0, 1, 2]])[0] in (0, 0.5)
    # 0 and 1 point one way; 2 is the same as 1 but for its length, so the cosine cannot choose
    assert odd_one_out_hits(similarities([x[0], x[0] * 3, x[0] / 7]), [[0, 1, 2]])[0] == pytest.approx(1 / 3)


@settings(max_examples=30)
@given(st.integers(0, 10**6))
def test_no_choice_is_better_than_the_upper_ceiling(seed):
    """Over the repeated answers, even the choice that is made after looking at them."""
    rng = np.random.default_rng(seed)
    triplets = drawn(rng, 5, 60)
    ceiling = triplet_ceiling(triplets)
    similarity = rng.normal(size=(5, 5))
    similarity += similarity.T
    assert odd_one_out_hits(similarity, triplets)[ceiling.repeated].mean() <= ceiling.upper + 1e-12
    assert ceiling.lower <= ceiling.upper


def test_the_ceiling_is_that_of_its_definition():
    rng = np.random.default_rng(1)
    triplets = drawn(rng, 5, 25)
    named = [(frozenset(map(int, row)), int(row[2])) for row in triplets]
    lower, n = 0.0, 0
    for place, (three, odd) in enumerate(named):
        others = [o for at, (t, o) in enumerate(named) if t == three and at != place]
        if not others:
            continue
        n += 1
        top = max(map(others.count, three))
        winners = [o for o in three if others.count(o) == top]
        lower += (odd in winners) / len(winners)
    ceiling = triplet_ceiling(triplets)
    assert ceiling.repeated.sum() == n
    assert ceiling.lower == pytest.approx(lower / n)
    commonest = sum(
        max([o for t, o in named if t == three].count(o) for o in three)
        for three in {t for t, _ in named}
        if [t for t, _ in named].count(three) > 1
    )
    assert ceiling.upper == pytest.approx(commonest / n)


def test_without_a_repeated_triplet_there_is_no_ceiling():
    ceiling = triplet_ceiling([list(three) for three in combinations(range(5), 3)])
    assert np.isnan(ceiling.lower)
    assert np.isnan(ceiling.upper)


@pytest.mark.parametrize(
    ("triplets", "told"),
    [
        ([[0, 1, 1]], "an object twice in row 0"),
        ([[0, 1, 2], [0, 1, 9]], "not there in row 1: expected 0 to 3"),
        ([[0, 1]], "expected whole numbers"),
        ([[0.0, 1, 2]], "expected whole numbers"),
    ],
)
def test_what_is_no_triplet_is_refused(triplets, told):
    with pytest.raises(ValueError, match=told):
        odd_one_out_hits(np.eye(4), triplets)


def test_the_gradient_of_the_probe_is_that_of_its_loss():
    rng = np.random.default_rng(0)
    x, triplets = rng.normal(size=(8, 3)), drawn(rng, 8, 40)
    w = rng.normal(size=9)
    error = check_grad(lambda v: _loss(v, x, triplets, 0.1)[0], lambda v: _loss(v, x, triplets, 0.1)[1], w)
    assert error < 1e-5


def test_a_great_penalty_leaves_the_choices_of_the_dot_product():
    rng = np.random.default_rng(0)
    x, triplets = rng.normal(size=(12, 4)), drawn(rng, 12, 200)
    fitted = fit_triplet_probe(x, triplets, 1e6)
    np.testing.assert_allclose(fitted, fitted[0, 0] * np.eye(4), atol=1e-5)
    plain = odd_one_out_hits(similarities(x, "dot"), triplets)
    np.testing.assert_allclose(odd_one_out_hits(similarities(x @ fitted, "dot"), triplets), plain)


def test_a_probe_without_people_in_it_stays_at_chance():
    """Choices that follow no features: what is learnt on some objects says nothing about others."""
    rng = np.random.default_rng(0)
    found = [
        np.nanmean(probed_hits(rng.normal(size=(30, 5)), drawn(rng, 30, 600), rng, (0.1,))[0])
        for _ in range(8)
    ]
    error = np.std(found, ddof=1) / np.sqrt(len(found))
    assert abs(np.mean(found) - 1 / 3) < 4.5 * error


def test_a_probed_triplet_has_all_its_objects_in_one_fold():
    rng = np.random.default_rng(3)
    triplets = drawn(rng, 30, 900)
    hits, penalties = probed_hits(rng.normal(size=(30, 4)), triplets, np.random.default_rng(5), (1.0,))
    fold = np.random.default_rng(5).permutation(30) % 3
    np.testing.assert_array_equal(~np.isnan(hits), np.ptp(fold[triplets], axis=1) == 0)
    assert penalties.tolist() == [1.0] * 3


def test_too_few_triplets_for_a_probe_are_told():
    with pytest.raises(ValueError, match="3 triplets of 9 objects are too few for a probe"):
        probed_hits(np.eye(9), [[0, 1, 2], [3, 4, 5], [6, 7, 8]], np.random.default_rng(0))
