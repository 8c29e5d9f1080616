"""Clustering of categories: against scikit-learn, pair by pair, and by property."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import squareform
from sklearn.metrics import roc_auc_score

from benchmark.inference import category_pair_statistic, category_statistic
from benchmark.measures import category_clustering, category_clustering_permutation

N = 10
seeds = st.integers(0, 2**32 - 1)


def drawn(seed: int, n: int = N, tied: bool = True) -> tuple[np.ndarray, list[str | None]]:
    """An RDM with ties, and categories; some conditions have none."""
    rng = np.random.default_rng(seed)
    pairs = n * (n - 1) // 2
    values = rng.integers(1, 12, pairs) / 4.0 if tied else rng.random(pairs)
    categories = [*"abab", *rng.choice(["a", "b", "c", ""], n - 4)]
    return squareform(values), [name or None for name in categories]


def kinds(rdm, categories, weights=None):
    """Is a pair between categories, its dissimilarity and its weight, for each pair that takes part."""
    w = np.ones(len(rdm)) if weights is None else weights
    rows = [
        (categories[i] != categories[j], rdm[i, j], w[i] * w[j])
        for i, j in combinations(range(len(rdm)), 2)
        if categories[i] and categories[j] and not np.isnan(rdm[i, j])
    ]
    return tuple(map(np.array, zip(*rows, strict=True)))


@given(seeds)
def test_the_index_is_the_area_under_the_roc_curve(seed):
    rdm, categories = drawn(seed)
    rdm[0, 5] = rdm[5, 0] = np.nan
    found = category_clustering(rdm, categories)
    between, values, _ = kinds(rdm, categories)
    assert found.auc == pytest.approx(roc_auc_score(between, values), abs=1e-12)
    assert found.within == pytest.approx(values[~between].mean())
    assert found.between == pytest.approx(values[between].mean())


@given(seeds)
def test_that_of_one_category_is_its_pairs_against_those_of_its_members_with_others(seed):
    rdm, categories = drawn(seed)
    found = category_clustering(rdm, categories)
    assert set(found.categories) == set(categories) - {None}
    for name, auc in zip(found.categories, found.by_category, strict=True):
        inside = [rdm[i, j] for i, j in combinations(range(N), 2) if categories[i] == categories[j] == name]
        across = [
            rdm[i, j]
            for i in range(N)
            for j in range(N)
            if categories[i] == name and categories[j] not in (name, None)
        ]
        if not inside:
            assert np.isnan(auc)
            continue
        passed = [(b > w) + (b == w) / 2 for b in across for w in inside]
        assert auc == pytest.approx(np.mean(passed), abs=1e-12)


@given(seeds, st.permutations(range(N)))
def test_neither_scale_nor_order_nor_names_matter_and_a_reversed_scale_reverses(seed, order):
    rdm, categories = drawn(seed)
    auc = category_clustering(rdm, categories).auc
    moved = rdm[np.ix_(order, order)]
    renamed = [categories[i] and f"the {categories[i]}s" for i in order]
    assert category_clustering(np.exp(moved) - np.eye(N), renamed).auc == pytest.approx(auc, abs=1e-12)
    reversed_rdm = (9.0 - rdm) * (1 - np.eye(N))
    assert category_clustering(reversed_rdm, categories).auc == pytest.approx(1 - auc, abs=1e-12)


def test_clusters_score_one_whatever_their_distances():
    categories = ["a", "a", "b", "b", "c", None]
    apart = np.array([[x != y for y in categories] for x in categories], dtype=float)
    rdm = squareform(np.linspace(0.1, 0.2, 15)) + apart
    found = category_clustering(rdm, categories)
    assert found.auc == 1
    assert found.by_category[:2].tolist() == [1, 1]
    assert np.isnan(found.by_category[2])


@pytest.mark.parametrize("categories", [[None] * 4, ["a"] * 4, ["a", "b", "c", "d"]])
def test_without_pairs_of_both_kinds_nothing_is_defined(categories):
    rdm = squareform(np.arange(1.0, 7.0))
    assert np.isnan(category_clustering(rdm, categories).auc)
    test = category_clustering_permutation(rdm, categories, 9, 0)
    assert np.isnan([test.score, test.p]).all()
    assert np.isnan(category_statistic(rdm, categories)(np.ones((1, 4)))).all()


def test_the_number_of_categories_is_checked():
    with pytest.raises(ValueError, match="categories has length 2: expected 3"):
        category_clustering(np.zeros((3, 3)), ["a", "b"])


@given(seeds)
def test_chance_is_one_half_over_all_permutations(seed):
    rdm, _ = drawn(seed, n=5)
    labels = set(permutations("aabbb"))
    assert np.mean([category_clustering(rdm, order).auc for order in labels]) == pytest.approx(0.5)


def test_the_permutation_test_permutes_categories():
    rdm, categories = drawn(3)
    test = category_clustering_permutation(rdm, categories, 2000, np.random.default_rng(0))
    assert test.score == pytest.approx(category_clustering(rdm, categories).auc, abs=1e-12)
    rng, known = np.random.default_rng(1), [i for i, name in enumerate(categories) if name]
    drawn_anew = []
    for _ in range(500):
        shuffled: list[str | None] = [None] * N
        for i, j in zip(known, rng.permutation(known), strict=True):
            shuffled[i] = categories[j]
        drawn_anew.append(category_clustering(rdm, shuffled).auc)
    for q in (5, 50, 95):
        assert np.percentile(test.null, q) == pytest.approx(np.percentile(drawn_anew, q), abs=0.04)


@given(seeds)
def test_the_statistic_of_pairs_is_the_weighted_area(seed):
    rdm, categories = drawn(seed)
    w = np.random.default_rng(seed).integers(0, 3, N).astype(float)
    w[:4] += 1
    between, values, weights = kinds(rdm, categories, w)
    expected = roc_auc_score(between, values, sample_weight=weights)
    statistic = category_pair_statistic(rdm, categories)
    assert statistic(np.outer(w, w)[np.triu_indices(N, 1)]) == pytest.approx(expected, abs=1e-12)


@given(seeds)
def test_the_statistic_of_concepts_keeps_placements_and_stays_in_range(seed):
    rdm, categories = drawn(seed)
    statistic = category_statistic(rdm, categories)
    auc = category_clustering(rdm, categories).auc
    assert statistic(np.full((2, N), 2.0)) == pytest.approx([auc, auc], abs=1e-12)
    w = np.random.default_rng(seed).multinomial(N, np.full(N, 1 / N)) + np.array([1] * 4 + [0] * (N - 4))
    between, values, weights = kinds(rdm, categories, w)
    placed = np.array(
        [
            np.mean([(b > v) + (b == v) / 2 for b in values[between]])
            if not across
            else np.mean([(v > a) + (v == a) / 2 for a in values[~between]])
            for across, v in zip(between, values, strict=True)
        ]
    )
    a, b = (np.average(placed[kind], weights=weights[kind]) for kind in (~between, between))
    found = statistic(w[None].astype(float))[0]
    if 0 < auc < 1 and 0 < a < 1 and 0 < b < 1:
        logit = sum(np.log(p / (1 - p)) for p in (a, b)) - np.log(auc / (1 - auc))
        assert found == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-9)
    assert 0 <= found <= 1


def test_placements_follow_the_index_that_is_computed_anew():
    """To first order in the weights: the error falls with the square of the step."""
    rdm, categories = drawn(8, tied=False)
    concepts, pairs = category_statistic(rdm, categories), category_pair_statistic(rdm, categories)
    direction = np.random.default_rng(0).standard_normal(N)
    errors = []
    for step in (0.1, 0.01):
        w = 1 + step * direction
        errors.append(concepts(w[None])[0] - pairs(np.outer(w, w)[np.triu_indices(N, 1)]))
    assert abs(errors[1]) < abs(errors[0]) / 50
    assert abs(errors[0]) < 0.01
