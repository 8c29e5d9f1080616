"""Decoding of all properties together, beside scikit-learn's logistic regression in a loop on all cores."""

from __future__ import annotations

from time import process_time
from typing import Any

import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.linear_model import LogisticRegression

from benchmark.measures import BalancedLogistic, stratified_folds

pytestmark = pytest.mark.benchmark

#: Concepts, features and properties: those of CSLB in the last block of ResNet-34
N, D, M, FOLDS = 638, 512, 390, 5
LOOP = "scikit-learn's LogisticRegression in a loop, joblib"
#: Every how manieth regression the loop does
STEP = 10


def problem(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features like those of a network, of length one, and properties of 5 to 80 concepts that they hold."""
    rng = np.random.default_rng(seed)
    hidden = rng.standard_normal((N, 60)) * np.linspace(1.5, 0.2, 60)
    features = np.maximum(hidden @ rng.standard_normal((60, D)) / 6 + rng.normal(1, 0.5, (N, D)), 0)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    strength = hidden @ rng.standard_normal((60, M)) + 2 * rng.standard_normal((N, M))
    rank = (-strength).argsort(axis=0).argsort(axis=0)
    return features, rank < rng.choice([5, 6, 7, 8, 10, 13, 17, 25, 40, 80], M)


def test_all_properties_and_folds(beside: Any) -> None:
    features, labels = problem()
    fold = stratified_folds(labels, FOLDS, 0)
    train = np.hstack([fold != k for k in range(FOLDS)])
    labels = np.tile(labels, (1, FOLDS))
    part = range(0, M * FOLDS, STEP)

    def one(j: int, **options: Any) -> LogisticRegression:
        rows = train[:, j]
        model = LogisticRegression(class_weight="balanced", **options)
        return model.fit(features[rows], labels[rows, j])

    def loop() -> Any:
        return Parallel(n_jobs=-1)(delayed(one)(j) for j in part)

    fits = BalancedLogistic(features).fit(labels, train)
    for j in part[::10]:
        exact = one(j, tol=1e-9, max_iter=10000)
        assert np.abs(exact.coef_[0] - fits.coefficients[:, j]).max() < 1e-4
    loop()  # starts the workers
    beside(
        f"property decoding, {N} concepts, {D} features, {M} properties, {FOLDS} folds",
        LOOP,
        ours=lambda: BalancedLogistic(features).fit(labels, train),
        peer=loop,
        at_least=15,
        rounds=3,
        peer_scale=STEP,
    )


#: Features of the 36 convolutions of ResNet-34, global max pooled
WIDTHS = [64] * 7 + [128] * 9 + [256] * 13 + [512] * 7


def test_all_convolutions_of_resnet34_in_a_minute() -> None:
    """In CPU seconds, which other programs change less than the clock on the wall."""
    features, labels = problem()
    fold = stratified_folds(labels, FOLDS, 0)
    train = np.hstack([fold != k for k in range(FOLDS)])
    labels = np.tile(labels, (1, FOLDS))
    start = process_time()
    for width in WIDTHS:
        rows = features[:, :width] / np.linalg.norm(features[:, :width], axis=1, keepdims=True)
        BalancedLogistic(rows).decisions(labels, train)
    assert process_time() - start < 60
