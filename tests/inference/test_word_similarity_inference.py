"""Word pairs: the correlation, its spread over words, and permuted words, against independent oracles."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from benchmark.inference import (
    bootstrap_weights,
    estimate,
    word_similarity_pair_statistic,
    word_similarity_permutation,
    word_similarity_statistic,
)


def draw(seed, n=30, m=60, noise=0.4):
    rng = np.random.default_rng(seed)
    words = rng.standard_normal((n, 6))
    pairs = rng.permutation(np.stack(np.triu_indices(n, 1), axis=1))[:m]
    flipped = rng.random(m) < 0.5
    pairs[flipped] = pairs[flipped, ::-1]
    similarity = np.corrcoef(words)
    return similarity, pairs, similarity[pairs[:, 0], pairs[:, 1]] + noise * rng.standard_normal(m)


@given(st.integers(0, 500))
def test_the_score_is_spearmans_correlation_over_the_rated_pairs(seed):
    similarity, pairs, ratings = draw(seed)
    ratings = np.round(ratings, 1)  # ties
    expected = spearmanr([similarity[a, b] for a, b in pairs], ratings).statistic
    assert word_similarity_statistic(similarity, pairs, ratings)(np.ones((1, 30)))[0] == pytest.approx(
        expected
    )
    statistic = word_similarity_pair_statistic(similarity, pairs, ratings)
    assert statistic(np.ones(30 * 29 // 2)) == pytest.approx(expected)


def test_the_pairs_of_one_half_of_the_words_give_the_score_of_that_half():
    similarity, pairs, ratings = draw(1, m=300)
    half = np.arange(30) < 15
    inside = half[pairs].all(axis=1)
    ranks = [np.argsort(np.argsort(x)) for x in (similarity[pairs[:, 0], pairs[:, 1]], ratings)]
    expected = np.corrcoef(*(r[inside] for r in ranks))[0, 1]
    assert word_similarity_statistic(similarity, pairs, ratings)(1.0 * half[None])[0] == pytest.approx(
        expected
    )


def test_a_pair_that_alone_has_weight_is_the_pair_that_is_meant():
    similarity, pairs, ratings = draw(2, n=6, m=10)
    everywhere = list(zip(*np.triu_indices(6, 1), strict=True))
    statistic = word_similarity_pair_statistic(similarity, pairs, ratings)
    weights = np.zeros(15)
    chosen = [0, 4, 7, 9]
    for a, b in pairs[chosen]:
        weights[everywhere.index((min(a, b), max(a, b)))] = 1
    x = np.argsort(np.argsort(similarity[pairs[:, 0], pairs[:, 1]]))
    y = np.argsort(np.argsort(ratings))
    assert statistic(weights) == pytest.approx(np.corrcoef(x[chosen], y[chosen])[0, 1])


def test_the_spread_is_that_in_which_a_pair_counts_once():
    """Words that share no pair: the pairs are independent, and so their own bootstrap is right."""
    rng = np.random.default_rng(3)
    n = 2000
    pairs = np.arange(n).reshape(-1, 2)
    x = rng.standard_normal(n // 2)
    similarity = np.eye(n)
    similarity[pairs[:, 0], pairs[:, 1]] = similarity[pairs[:, 1], pairs[:, 0]] = np.tanh(x)
    statistic = word_similarity_statistic(similarity, pairs, x + rng.standard_normal(n // 2))
    draws = estimate(statistic, bootstrap_weights(n, 1000, 0)).draws
    by_pair = estimate(
        lambda w: statistic(np.repeat(w, 2, axis=1) ** 0.5), bootstrap_weights(n // 2, 1000, 1)
    ).draws
    # the draws of pairs were narrowed as those of words are: from three to one, by their standard deviations
    assert draws.std() == pytest.approx(by_pair.std() * 3**0.5, rel=0.1)


def test_permuted_words_are_all_orders_of_a_few():
    similarity, pairs, ratings = draw(4, n=5, m=7)
    exact = np.array(
        [
            spearmanr([similarity[o[a], o[b]] for a, b in pairs], ratings).statistic
            for o in permutations(range(5))
        ]
    )
    test = word_similarity_permutation(similarity, pairs, ratings, 4000, 0)
    assert test.null.mean() == pytest.approx(exact.mean(), abs=0.03)
    assert test.p == pytest.approx((exact >= exact[0] - 1e-9).mean(), abs=0.03)
    assert set(test.null.round(9)) <= set(exact.round(9))


def test_similarities_that_differ_by_rounding_are_tied_under_permutations_too():
    rng = np.random.default_rng(0)
    levels = np.triu(rng.integers(1, 4, size=(12, 12)) / 10, 1)
    similarity = levels + levels.T
    rounded = similarity * (1 + rng.choice([-1, 1], size=similarity.shape) * 2.0**-52)
    pairs = rng.permutation(np.stack(np.triu_indices(12, 1), axis=1))[:30]
    ratings = rng.normal(size=30)
    exact, found = (
        word_similarity_permutation(values, pairs, ratings, 50, rng=1) for values in (similarity, rounded)
    )
    np.testing.assert_allclose(found.null, exact.null, atol=1e-12)


def test_what_leaves_a_correlation_undefined_is_said():
    similarity, pairs, ratings = draw(5)
    with pytest.raises(ValueError, match="ratings is 1 for all 60 pairs"):
        word_similarity_statistic(similarity, pairs, np.ones(60))
    with pytest.raises(ValueError, match="similarity is 0 for all 60 pairs"):
        word_similarity_statistic(np.zeros((30, 30)), pairs, ratings)
    with pytest.raises(ValueError, match="2 pairs of words: expected at least 3"):
        word_similarity_statistic(similarity, pairs[:2], ratings[:2])
    with pytest.raises(ValueError, match="at least one permutation"):
        word_similarity_permutation(similarity, pairs, ratings, 0, 0)
    weights = np.zeros((2, 30))
    weights[:, pairs[0]] = 1
    assert np.isnan(word_similarity_statistic(similarity, pairs, ratings)(weights)).all()


@pytest.mark.slow
def test_the_interval_covers_the_truth():
    """Lists as sparse as SimLex-999 among the THINGS concepts: 110 pairs of 140 words."""
    rng = np.random.default_rng(6)

    def world(n, pairs):
        people, model = rng.standard_normal((2, n, 8))
        model += people
        people, model = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (people, model))
        i, j = pairs.T
        return model, (people[i] * people[j]).sum(axis=1) + 0.2 * rng.standard_normal(len(i))

    many = np.arange(200_000).reshape(-1, 2)
    model, ratings = world(200_000, many)
    true = spearmanr((model[many[:, 0]] * model[many[:, 1]]).sum(axis=1), ratings).statistic
    hits = []
    for _ in range(300):
        pairs = rng.permutation(np.stack(np.triu_indices(140, 1), axis=1))[:110]
        model, ratings = world(140, pairs)
        statistic = word_similarity_statistic(model @ model.T, pairs, ratings)
        found = estimate(statistic, bootstrap_weights(140, 400, rng))
        hits.append(found.low <= true <= found.high)
    assert 0.88 <= np.mean(hits) <= 0.97
