"""Zero-shot mapping: learners against scikit-learn, precision and retrieval against their definitions."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.metrics import average_precision_score
from sklearn.neighbors import KNeighborsRegressor

from benchmark.measures.property_mapping import (
    INNER_FOLDS,
    PENALTIES,
    average_precision,
    fold_labels,
    hit_rates,
    nearest_mean,
    retrieval_places,
    ridge_by_precision,
    zero_shot,
)
from benchmark.representation import cosine_network as network


def draw(seed, n=40, d=15, v=9):
    rng = np.random.default_rng(seed)
    targets = rng.integers(5, 30, (n, v)) * (rng.random((n, v)) < 0.4)
    targets[np.arange(n), rng.integers(v, size=n)] = 7
    features = targets @ rng.standard_normal((v, d)) + 20 * rng.standard_normal((n, d))
    return features, targets.astype(float)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 60), st.integers(2, 10), st.integers(0, 99))
def test_folds_are_even_and_hold_every_row(n, folds, seed):
    if folds > n:
        with pytest.raises(ValueError, match=f"folds is {folds} for {n} rows"):
            fold_labels(n, folds, seed)
        return
    counts = np.bincount(fold_labels(n, folds, seed), minlength=folds)
    assert counts.sum() == n
    assert np.ptp(counts) <= 1


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 200), st.integers(1, 8))
def test_nearest_neighbours_are_those_of_scikit_learn(seed, k):
    x, y = draw(seed)
    oracle = KNeighborsRegressor(k).fit(x[:30], y[:30])
    assert np.allclose(nearest_mean(x[:30], y[:30], x[30:], k), oracle.predict(x[30:]))


def test_more_neighbours_than_training_rows_are_refused():
    with pytest.raises(ValueError, match="neighbours is 4 for 3 training rows"):
        nearest_mean(np.eye(3), np.eye(3), np.eye(3), 4)


@pytest.mark.parametrize("seed, d", [(0, 6), (1, 60)])
def test_ridge_is_scikit_learns_with_every_part_fitted_anew(seed, d):
    x, y = draw(seed, d=d)
    train, test = x[:33], x[33:]
    labels = fold_labels(33, INNER_FOLDS, seed)
    scale = ((train - train.mean(axis=0)) ** 2).sum() / 33
    precision = []
    for penalty in scale * PENALTIES:
        held_out = np.empty((33, y.shape[1]))
        for label in range(INNER_FOLDS):
            part = labels == label
            held_out[part] = Ridge(penalty).fit(train[~part], y[:33][~part]).predict(train[part])
        precision.append(
            np.mean([average_precision_score(t > 0, p) for t, p in zip(y[:33], held_out, strict=True)])
        )
    best = scale * PENALTIES[int(np.argmax(precision))]
    expected = Ridge(best).fit(train, y[:33]).predict(test)
    assert np.allclose(ridge_by_precision(train, y[:33], test, seed), expected, atol=1e-6)


def test_ridge_of_features_that_do_not_vary_is_the_mean():
    _, y = draw(0)
    assert np.allclose(ridge_by_precision(np.ones((40, 3)), y, np.ones((2, 3)), 0), y.mean(axis=0))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 200))
def test_average_precision_is_that_of_scikit_learn(seed):
    _, y = draw(seed, n=5)
    predicted = np.random.default_rng(seed).standard_normal(y.shape)
    expected = [average_precision_score(t > 0, p) for t, p in zip(y, predicted, strict=True)]
    assert np.allclose(average_precision(predicted, y), expected)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=6))
def test_average_precision_of_ties_is_the_mean_over_their_orders(properties):
    """Against all orders of the properties that keep their strengths sorted."""
    strengths, there = (np.array(column) for column in zip(*properties, strict=True))
    if not there.any():
        return
    expected = []
    for order in map(list, permutations(range(len(properties)))):
        if (np.diff(strengths[order]) <= 0).all():
            places = np.flatnonzero(there[order]) + 1
            expected.append(np.mean(np.arange(1, len(places) + 1) / places))
    assert average_precision([strengths], [there])[0] == pytest.approx(np.mean(expected))


def test_a_row_without_properties_has_no_precision():
    assert np.isnan(average_precision([[1.0, 2.0]], [[0, 0]])).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 200), st.integers(1, 12))
def test_hits_are_shares_of_random_orders_of_ties(seed, k):
    rng = np.random.default_rng(seed)
    true = rng.integers(0, 2, (10, 3)) + 0.0
    true[:, 0] = 1
    guess = rng.integers(0, 2, (10, 3)) + 0.0
    hits = hit_rates(*retrieval_places(guess, true), k)
    assert np.allclose(hits.sum(axis=1), min(k, 10))
    for i in range(10):
        length = np.linalg.norm(guess[i]) or 1
        cosines = [guess[i] @ row / np.linalg.norm(row) / length for row in true]
        above = sum(value > cosines[i] + 1e-9 for value in cosines)
        alike = sum(abs(value - cosines[i]) <= 1e-9 for value in cosines)
        assert hits[i, i] == pytest.approx(np.mean([above + place < k for place in range(alike)]))


def test_a_target_of_zeros_has_no_place():
    with pytest.raises(ValueError, match="has a row of zeros, 1"):
        retrieval_places(np.eye(2), [[1, 0], [0, 0]])


def test_no_row_is_predicted_with_its_own_target():
    x, y = draw(1)
    labels = fold_labels(40, 10, 0)
    for learner in (nearest_mean, lambda *rows: ridge_by_precision(*rows, 0)):
        before = zero_shot(x, y, labels, learner)
        changed = y.copy()
        changed[3] = 100
        after = zero_shot(x, changed, labels, learner)
        fold = labels == labels[3]
        assert np.array_equal(before[fold], after[fold])
        assert not np.allclose(before[~fold], after[~fold])


def test_the_batched_network_is_one_network_a_fold(monkeypatch):
    monkeypatch.setattr(network, "HIDDEN", 16)
    x, y = draw(2, n=12)
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    labels = fold_labels(12, 3, 0)
    found = network.cosine_network(x, y, labels, seed=5, steps=[30])

    generator = torch.Generator().manual_seed(5)
    start = [torch.randn(shape, generator=generator) * (2 / shape[0]) ** 0.5 for shape in ((15, 16), (16, 9))]
    for label in range(3):
        train = labels != label
        one = torch.nn.Sequential(torch.nn.Linear(15, 16), torch.nn.ReLU(), torch.nn.Linear(16, 9))
        with torch.no_grad():
            for layer, weights in zip((one[0], one[2]), start, strict=True):
                layer.weight.copy_(weights.T)
                layer.bias.zero_()
        optimiser = torch.optim.Adam(one.parameters(), lr=1e-3)
        shown, wanted = (torch.tensor(a[train], dtype=torch.float32) for a in (x, y))
        for _ in range(30):
            optimiser.zero_grad()
            loss = (1 - torch.cosine_similarity(one(shown), wanted)).mean() / 2
            loss.backward()
            optimiser.step()
        expected = one(torch.tensor(x[~train], dtype=torch.float32)).detach().numpy()
        assert np.allclose(found[~train], expected, atol=1e-4)


def test_the_network_stops_where_its_inner_folds_are_best(monkeypatch):
    """Each fold has the prediction of the number of steps that is best on its own training rows."""
    monkeypatch.setattr(network, "HIDDEN", 16)
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(30, 15)), rng.integers(0, 3, (30, 9)) + 0.0  # nothing to learn
    y[:, 0] += 1
    labels, steps = fold_labels(30, 3, 1), [1, 20, 60]
    found = network.cosine_network(x, y, labels, 7, [60, 20, 1, 20])
    alone = {step: network.cosine_network(x, y, labels, 7, [step]) for step in steps}
    best = []
    for label in range(3):
        rows = labels != label
        inner = fold_labels(rows.sum(), 5, 7)
        inside = [network.cosine_network(x[rows], y[rows], inner, 7, [step]) for step in steps]
        best.append(steps[int(np.argmax([average_precision(p, y[rows]).mean() for p in inside]))])
        assert found[~rows] == pytest.approx(alone[best[-1]][~rows], abs=1e-5)
    assert sorted(best) == steps  # else the folds would not be told apart
