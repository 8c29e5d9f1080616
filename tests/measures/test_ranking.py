from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from sklearn.metrics import ndcg_score

from benchmark.measures import ranking
from benchmark.measures.ranking import Ranking

#: Few values, so that ties are common
SCORES = hnp.arrays(np.float64, (2, 5), elements=st.integers(0, 3).map(float))


def orders(scores):
    """Every order of the columns that agrees with the scores, greatest first: the ties broken in all ways."""
    return [
        order
        for order in itertools.permutations(range(len(scores)))
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order))
    ]


def mean_over_orders(scores, measure):
    return np.array(
        [np.mean([measure(row, list(order)) for order in orders(s)]) for row, s in enumerate(scores)]
    )


@settings(max_examples=40, deadline=None)
@given(SCORES, SCORES, st.integers(1, 5))
def test_every_measure_is_its_mean_over_the_ways_to_break_ties(scores, strengths, k):
    strengths[:, 0] += 1  # every row has some strength
    ranks = Ranking.of(scores)
    relevant = ranking.strongest(strengths, 2)
    best = ranking.strongest(strengths, 1)
    discount = 1 / np.log2(np.arange(k) + 2)
    ideal = (-np.sort(-strengths, axis=1))[:, :k] @ discount
    expected = {
        "precision": lambda i, o: relevant[i, o[:k]].sum() / k,
        "recall": lambda i, o: relevant[i, o[:k]].sum() / relevant[i].sum(),
        "ndcg": lambda i, o: strengths[i, o[:k]] @ discount / ideal[i],
        "reciprocal": lambda i, o: 1 / (1 + np.flatnonzero(best[i, o])[0]),
        "rank": lambda i, o: 1 + np.flatnonzero(best[i, o])[0],
    }
    found = {
        "precision": ranking.precision_at_k(ranks, relevant, k),
        "recall": ranking.recall_at_k(ranks, relevant, k),
        "ndcg": ranking.ndcg_at_k(ranks, strengths, k),
        "reciprocal": ranking.reciprocal_rank_of_strongest(ranks, strengths),
        "rank": ranking.rank_of_strongest(ranks, strengths),
    }
    for name, measure in expected.items():
        np.testing.assert_allclose(found[name], mean_over_orders(scores, measure), atol=1e-12, err_msg=name)


@given(SCORES, st.floats(1e-6, 1e6), st.integers(0, 2**32 - 1))
def test_rounding_breaks_no_tie_wherever_the_values_lie(scores, scale, seed):
    noise = np.random.default_rng(seed).integers(-4, 5, scores.shape) * np.finfo(float).eps
    expected, found = Ranking.of(scores), Ranking.of(scores * scale * (1 + noise))
    np.testing.assert_array_equal(found.first, expected.first)
    np.testing.assert_array_equal(found.last, expected.last)


def test_values_at_the_edge_of_a_decimal_are_tied_and_others_are_not():
    edge = 0.1 + 0.5e-12  # another 1e-16 and it is rounded to another twelfth decimal
    scores = np.array([[edge, edge + 3e-17, edge - 1e-16, 0.1 + 5e-12, 0.0]])
    assert Ranking.of(scores).first.tolist() == [[2, 2, 2, 1, 5]]


@given(hnp.arrays(np.float64, (6, 8), elements=st.integers(0, 2).map(float)), st.permutations(range(8)))
def test_retrieval_does_not_depend_on_the_order_of_the_words(profiles, order):
    profiles[:, 0] += 1  # every profile has some strength
    predicted, right = profiles[::-1] / 3, np.arange(6)
    np.testing.assert_array_equal(
        ranking.retrieval_hits(predicted[:, order], profiles[:, order], right, [1, 3]),
        ranking.retrieval_hits(predicted, profiles, right, [1, 3]),
    )


def test_ndcg_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    scores, strengths = rng.integers(0, 9, (6, 30)).astype(float), rng.integers(0, 4, (6, 30)).astype(float)
    found = ranking.ndcg_at_k(Ranking.of(scores), strengths, 10)
    expected = [ndcg_score(t[None], s[None], k=10) for t, s in zip(strengths, scores, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_spearman_agrees_with_scipy_and_is_undefined_where_all_is_tied():
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 6, (2, 5, 40)).astype(float)
    found = ranking.spearman_rows(Ranking.of(a), Ranking.of(b))
    np.testing.assert_allclose(found, [stats.spearmanr(x, y)[0] for x, y in zip(a, b, strict=True)])
    a[2] = 1.0
    assert np.isnan(ranking.spearman_rows(Ranking.of(a), Ranking.of(b))[2])


def test_strongest_takes_every_tie_at_the_edge_and_no_zero():
    strengths = np.array([[3.0, 2, 2, 2, 1], [3, 0, 0, 0, 0]])
    assert ranking.strongest(strengths, 2).tolist() == [[True] * 4 + [False], [True] + [False] * 4]


def test_a_row_without_strength_is_undefined():
    ranks, nothing = Ranking.of(np.arange(4.0)[None]), np.zeros((1, 4))
    assert np.isnan(ranking.ndcg_at_k(ranks, nothing, 2)[0])
    assert np.isnan(ranking.recall_at_k(ranks, nothing > 0, 2)[0])
    assert np.isnan(ranking.reciprocal_rank_of_strongest(ranks, nothing)[0])
    assert np.isnan(ranking.rank_of_strongest(ranks, nothing)[0])


def test_retrieval_is_by_cosine_with_ties_at_random():
    profiles = np.array([[1.0, 0, 0], [0, 1, 0], [0, 2, 0], [0, 0, 1]])
    predicted = np.array([[9.0, 1, 0], [0, 5, 0], [0, 0, 0]])
    hits = ranking.retrieval_hits(predicted, profiles, np.array([0, 1, 2]), [1, 2])
    np.testing.assert_allclose(hits[:, :2], [[1, 0.5], [1, 1]])  # profiles 1 and 2 have one direction
    assert np.isnan(hits[:, 2]).all()


def test_scores_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="finite"):
        Ranking.of(np.array([[1.0, np.nan]]))
