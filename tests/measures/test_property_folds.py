"""Stratified folds and F1 over them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from benchmark.measures import f1_over_folds, stratified_folds


def drawn(seed: int, n: int, m: int, folds: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    labels = np.zeros((n, m), dtype=bool)
    for j in range(m):
        labels[rng.permutation(n)[: rng.integers(folds, n - folds + 1)], j] = True
    return labels


@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_every_fold_holds_its_share_of_both_classes(seed, folds):
    labels = drawn(seed, 17, 4, folds)
    dealt = stratified_folds(labels, folds, seed)
    for j in range(4):
        for rows in (labels[:, j], ~labels[:, j], np.ones(17, dtype=bool)):
            sizes = np.bincount(dealt[rows, j], minlength=folds)
            assert len(sizes) == folds
            assert sizes.min() >= 1
            assert sizes.max() - sizes.min() <= 1


def test_which_rows_share_a_fold_is_random():
    labels = np.arange(20)[:, None] < 10
    first = [tuple(stratified_folds(labels, 5, seed)[:10, 0]) for seed in range(20)]
    assert len(set(first)) == 20
    assert first[0] == tuple(stratified_folds(labels, 5, 0)[:10, 0])


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_f1_is_that_of_scikit_learn_averaged_over_folds(seed):
    labels = drawn(seed, 20, 3, 4)
    predicted = np.random.default_rng(seed).random(labels.shape) < 0.4
    dealt = stratified_folds(labels, 4, seed)
    expected = [
        np.mean([f1_score(labels[f == k, j], predicted[f == k, j], zero_division=0.0) for k in range(4)])
        for j, f in enumerate(dealt.T)
    ]
    np.testing.assert_allclose(f1_over_folds(labels, predicted, dealt), expected)


def test_a_label_with_fewer_rows_than_folds_is_refused():
    with pytest.raises(ValueError, match="label 1 has 2 positive and 8 negative rows: too few for 3 folds"):
        stratified_folds(np.arange(10)[:, None] < [5, 2], 3, 0)
    with pytest.raises(ValueError, match="folds is 1"):
        stratified_folds(np.arange(10)[:, None] < 5, 1, 0)
