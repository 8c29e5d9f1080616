"""RDMs predicted fold by fold: the score beside scipy, its weights, and new fits of permuted targets."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import squareform

from benchmark.inference import (
    FoldedRDMs,
    folded_rdm_pair_statistic,
    folded_rdm_statistic,
    permutation_test_folded,
)
from benchmark.measures import rdm

N = 21


@pytest.fixture
def subjects():
    rng = np.random.default_rng(0)
    return np.array([rdm(rng.normal(size=(N, 8))) for _ in range(2)])


@pytest.fixture
def folded():
    rng = np.random.default_rng(1)
    folds = tuple(np.sort(part) for part in np.split(rng.permutation(N), 3))
    return FoldedRDMs(folds, tuple(rdm(rng.normal(size=(7, 8))) for _ in folds))


def test_the_score_is_the_mean_of_the_folds(folded, subjects):
    known = [
        stats.spearmanr(squareform(predicted), squareform(subject[np.ix_(fold, fold)])).statistic
        for fold, predicted in zip(folded.folds, folded.rdms, strict=True)
        for subject in subjects
    ]
    ones = np.ones((1, N))
    assert folded_rdm_statistic(folded, subjects)(ones)[0] == pytest.approx(np.mean(known))
    pairs = folded_rdm_pair_statistic(folded, subjects)
    assert pairs(np.ones(N * (N - 1) // 2)) == pytest.approx(np.mean(known))


def test_weights_of_pairs_and_of_conditions_agree(folded, subjects):
    weights = np.random.default_rng(2).multinomial(N, np.full(N, 1 / N), size=1).astype(float)
    by_pairs = folded_rdm_pair_statistic(folded, subjects, "pearson")(
        squareform(np.outer(weights[0], weights[0]), checks=False)
    )
    assert folded_rdm_statistic(folded, subjects, "pearson")(weights)[0] == pytest.approx(by_pairs)


def test_a_fold_without_prediction_counts_as_zero(folded, subjects):
    flat = FoldedRDMs(folded.folds, (np.ones((7, 7)) - np.eye(7), *folded.rdms[1:]))
    ones = np.ones((1, N))
    rest = FoldedRDMs(folded.folds[1:], folded.rdms[1:])
    known = folded_rdm_statistic(rest, subjects)(ones)[0] * 2 / 3
    assert folded_rdm_statistic(flat, subjects)(ones)[0] == pytest.approx(known)
    assert folded_rdm_pair_statistic(flat, subjects)(np.ones(N * (N - 1) // 2)) == pytest.approx(known)


def test_a_fold_without_weight_is_left_out(folded, subjects):
    weights = np.ones((1, N))
    weights[0, folded.folds[0]] = 0
    rest = FoldedRDMs(folded.folds[1:], folded.rdms[1:])
    expected = folded_rdm_statistic(rest, subjects)(np.ones((1, N)))
    np.testing.assert_allclose(folded_rdm_statistic(folded, subjects)(weights), expected)
    assert np.isnan(folded_rdm_statistic(folded, subjects)(np.zeros((1, N)))[0])


def test_each_permutation_is_fitted_again(folded, subjects):
    """A prediction that follows the target in every order: no permutation is worse than the score."""
    copies = []

    def predict(orders):
        copies.extend(orders)
        mean = subjects.mean(axis=0)
        return [FoldedRDMs.of(mean[np.ix_(order, order)], folded.folds) for order in orders]

    own = FoldedRDMs.of(subjects.mean(axis=0), folded.folds)
    test = permutation_test_folded(predict, own, subjects, 20, rng=0)
    assert len(copies) == 20
    assert test.p > 0.05
    assert test.chance > 0.5


@pytest.mark.parametrize("method", ["spearman", "pearson", "cosine"])
def test_the_null_is_the_score_of_each_permuted_target(folded, subjects, method):
    orders = []

    def predict(given):
        orders.extend(given)
        return [folded] * len(given)

    rounded = subjects.round(1)  # ties
    test = permutation_test_folded(predict, folded, rounded, 5, rng=0, method=method)
    expected = [
        folded_rdm_statistic(folded, rounded[:, order][:, :, order], method)(np.ones((1, N)))[0]
        for order in orders
    ]
    np.testing.assert_allclose(test.null, expected, atol=1e-12)


def test_shapes_that_do_not_fit_and_one_permutation_are_refused(folded, subjects):
    with pytest.raises(ValueError, match=r"expected \(m, m\) for each fold"):
        FoldedRDMs(folded.folds, folded.rdms[:2])
    with pytest.raises(ValueError, match="at least two"):
        permutation_test_folded(lambda orders: [], folded, subjects, 1, rng=0)
