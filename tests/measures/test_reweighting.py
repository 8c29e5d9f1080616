"""Reweighted RDMs: the normal equations beside explicit pairs, and no stimulus in training and test."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls
from sklearn.linear_model import Ridge

from benchmark.measures import FeatureDissimilarities, RDMDissimilarities, rdm, reweighted_rdms
from benchmark.measures.reweighting import nonnegative_solution

N, F = 24, 5


@pytest.fixture
def features():
    return np.random.default_rng(0).normal(size=(N, F)) * [1, 2, 0.5, 1, 3] + 7


@pytest.fixture
def targets(features):
    rng = np.random.default_rng(1)
    found = []
    for _ in range(2):
        noise = rng.normal(size=(N, N))
        found.append(rdm(features * rng.gamma(0.5, size=F), metric="sqeuclidean") + np.abs(noise + noise.T))
        np.fill_diagonal(found[-1], 0)
    return np.array(found)


def explicit(features, rows):
    """Squared differences of each feature over the pairs of ``rows``."""
    i, j = np.triu_indices(len(rows), 1)
    return (features[rows[i]] - features[rows[j]]) ** 2


def of_pairs(target, rows):
    return target[np.ix_(rows, rows)][np.triu_indices(len(rows), 1)]


@settings(max_examples=20, deadline=None)
@given(st.integers(3, 12), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_sums_over_pairs_are_those_of_explicit_pairs(n, f, seed):
    rng = np.random.default_rng(seed)
    x, rows = rng.normal(size=(n + 2, f)) + 3, rng.permutation(n + 2)[:n]
    y = rdm(rng.normal(size=(n + 2, 4)))[None]
    found = FeatureDissimilarities(x).moments(rows, y)
    pairs, known = explicit(x, rows), of_pairs(y[0], rows)
    np.testing.assert_allclose(found.products, pairs.T @ pairs, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.sums, pairs.sum(axis=0), rtol=1e-9)
    np.testing.assert_allclose(found.shared[:, 0], pairs.T @ known, rtol=1e-9, atol=1e-9)
    assert found.level[0] == pytest.approx(known.mean())


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 15), st.integers(0, 2**32 - 1))
def test_weights_that_are_not_negative_are_those_of_scipy(f, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(f + 5, f)), rng.normal(size=f + 5)
    start = rng.random(f) < 0.5
    np.testing.assert_allclose(nonnegative_solution(x.T @ x, x.T @ y, start), nnls(x, y)[0], atol=1e-8)


def dense(features, targets, folds, shares, nonnegative):
    """As reweighted_rdms, from explicit pairs, one target at a time."""

    def fit(train, test, target, share):
        x, y = explicit(features, train), of_pairs(target, train)
        mean, spread = x.mean(axis=0), x.std(axis=0)
        z = (x - mean) / spread
        ridge = Ridge(alpha=share * (z**2).sum(), positive=nonnegative, tol=1e-12).fit(z, y)
        return ridge.predict((explicit(features, test) - mean) / spread)

    names = np.unique(folds)
    for fold in names:
        train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        columns = []
        for target in targets:
            means = []
            for share in shares:
                inner = []
                for other in names[names != fold]:
                    rest = np.flatnonzero((folds != fold) & (folds != other))
                    own = np.flatnonzero(folds == other)
                    inner.append(np.corrcoef(fit(rest, own, target, share), of_pairs(target, own))[0, 1])
                means.append(np.mean(inner))
            columns.append(fit(train, test, target, shares[int(np.argmax(means))]))
        yield test, np.column_stack(columns)


@pytest.mark.parametrize("nonnegative", [False, True])
def test_predictions_are_those_of_explicit_pairs_and_nested_folds(features, targets, nonnegative):
    folds, shares = np.random.default_rng(2).permutation(N) % 4, np.array([10.0, 0.1, 0.001])
    found = reweighted_rdms(
        FeatureDissimilarities(features), targets, folds, nonnegative=nonnegative, penalties=shares
    )
    for k, (test, predicted) in enumerate(dense(features, targets, folds, shares, nonnegative)):
        assert found.folds[k].tolist() == test.tolist()
        np.testing.assert_allclose(found.predicted[k], predicted, rtol=1e-4 if nonnegative else 1e-9)
    assert not nonnegative or (found.weights >= 0).all()


def test_a_target_is_fitted_as_it_is_alone(features, targets):
    predictors, folds = FeatureDissimilarities(features), np.arange(N) % 3
    both = reweighted_rdms(predictors, targets, folds)
    alone = reweighted_rdms(predictors, targets[1], folds)
    np.testing.assert_allclose(both.predicted[2][:, 1], alone.predicted[2][:, 0], rtol=1e-8)


def test_pairs_of_a_test_stimulus_do_not_count(features, targets):
    """What is measured for the stimuli of a fold changes nothing that is predicted for that fold."""
    folds = np.arange(N) % 4
    before = reweighted_rdms(FeatureDissimilarities(features), targets[0], folds)
    other, held = targets[0].copy(), folds == 1
    other[held] = other[:, held] = 9.0
    np.fill_diagonal(other, 0)
    after = reweighted_rdms(FeatureDissimilarities(features), other, folds)
    np.testing.assert_array_equal(before.predicted[1], after.predicted[1])


def test_the_rdms_of_layers_are_weighted_as_features_are(features, targets):
    layers = [rdm(features[:, [p]], metric="sqeuclidean") for p in range(F)]
    folds = np.arange(N) % 4
    by_features, by_layers = (
        reweighted_rdms(predictors, targets, folds)
        for predictors in (FeatureDissimilarities(features), RDMDissimilarities(layers))
    )
    np.testing.assert_allclose(by_features.weights, by_layers.weights, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(by_features.predicted[0], by_layers.predicted[0], rtol=1e-6)


def test_weighted_layers_of_rsatoolbox():
    """A sum of three RDMs with known weights is found, as its ModelWeighted finds it."""
    from rsatoolbox.model import ModelWeighted
    from rsatoolbox.model.fitter import fit_regress_nn
    from rsatoolbox.rdm import RDMs

    rng = np.random.default_rng(0)
    layers = np.array([rdm(rng.normal(size=(N, 6))) for _ in range(3)])
    target = np.einsum("l,lij->ij", [2.0, 0.0, 0.5], layers)
    found = reweighted_rdms(RDMDissimilarities(layers), target, np.arange(N) % 3).weights.mean(axis=0)[:, 0]
    theirs = fit_regress_nn(ModelWeighted("layers", layers), RDMs(target[None]), method="corr")
    np.testing.assert_allclose(found / np.linalg.norm(found), theirs / np.linalg.norm(theirs), atol=1e-4)


def test_a_feature_that_does_not_vary_has_no_weight(features, targets):
    features[:, 2] = 4.0
    found = reweighted_rdms(FeatureDissimilarities(features), targets[0], np.arange(N) % 4, nonnegative=False)
    assert (found.weights[:, 2] == 0).all()
    assert (found.weights[:, 0] != 0).all()


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        (np.arange(N) % 2, "2 values.*three folds or more"),
        (np.minimum(np.arange(N), 3), "the rarest 1 times.*three stimuli or more"),
        (np.arange(5), r"24 stimuli.*expected \(t, n, n\) and \(n,\)"),
    ],
)
def test_folds_that_do_not_fit_are_refused(features, targets, folds, message):
    with pytest.raises(ValueError, match=message):
        reweighted_rdms(FeatureDissimilarities(features), targets, folds)


def test_a_penalty_of_zero_is_refused(features, targets):
    with pytest.raises(ValueError, match="greater than zero"):
        reweighted_rdms(FeatureDissimilarities(features), targets, np.arange(N) % 3, penalties=[0.0])
