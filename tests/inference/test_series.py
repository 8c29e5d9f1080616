"""Curves of models along an axis: against scipy, against the statistics of one RDM, and their latencies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import squareform
from scipy.stats import pearsonr, spearmanr

from benchmark.inference import (
    bootstrap_weights,
    curve_interval,
    latencies,
    mean_rdms,
    rdm_statistic,
    series_concept_draws,
    series_scores,
    subject_ceilings,
)

ORACLES = {"spearman": spearmanr, "pearson": pearsonr}


@pytest.fixture
def world() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    models = rng.random((3, 45))
    return models, rng.random((4, 5, 45)) + 0.3 * models[0]


@pytest.mark.parametrize("method", ORACLES)
def test_scores_equal_scipy_for_each_subject_and_time(world, method):
    models, series = world
    series = series.round(1)  # with ties
    found = series_scores(models, series, method).scores
    for m, s, t in np.ndindex(found.shape):
        assert found[m, s, t] == pytest.approx(ORACLES[method](models[m], series[s, t])[0], abs=1e-12)


def test_scores_equal_a_movie_of_rsatoolbox(world):
    rsa = pytest.importorskip("rsatoolbox.rdm")
    models, series = world
    found = series_scores(models[:1], series).scores[0]
    for s, movie in enumerate(series):
        peer = rsa.compare(rsa.RDMs(models[:1]), rsa.RDMs(movie), method="spearman")[0]
        assert found[s] == pytest.approx(peer)


@pytest.mark.parametrize("method", ORACLES)
def test_ceilings_and_draws_of_a_place_are_those_of_one_rdm(world, method):
    models, series = world
    found = series_scores(models, series, method)
    weights = bootstrap_weights(10, 20, 1)
    draws = series_concept_draws(models, series, weights, method)
    for t in range(series.shape[1]):
        rdms = np.array([squareform(row) for row in series[:, t]])
        ceilings = subject_ceilings(rdms, method)
        assert found.lower[:, t] == pytest.approx(ceilings.lower)
        assert found.upper[:, t] == pytest.approx(ceilings.upper)
        expected = rdm_statistic(squareform(models[1]), rdms, method)(weights)
        assert draws[:, 1, t] == pytest.approx(expected, abs=1e-5)


def test_the_mean_rdm_over_one_place_is_that_place(world):
    models, series = world
    counted = np.arange(5) == 2
    rdms = mean_rdms(series, counted)
    statistic = rdm_statistic(squareform(models[0]), rdms, "spearman")
    found = series_scores(models, series).scores[0, :, 2].mean()
    assert statistic(np.ones((1, 10)))[0] == pytest.approx(found)


def test_interval_is_that_of_student():
    low, high = curve_interval(np.array([[1.0], [2.0], [6.0]]))
    # 4.3027 is the quantile of Student's t with two degrees of freedom
    half = 4.302653 * np.std([1, 2, 6], ddof=1) / np.sqrt(3)
    assert (low[0], high[0]) == pytest.approx((3 - half, 3 + half))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=3, max_size=20), st.floats(-500, 500), st.floats(0.5, 50))
def test_an_onset_is_before_its_peak_and_moves_with_the_times(curve, start, step):
    times = np.arange(len(curve), dtype=np.float64)
    plain, moved = latencies([curve], times), latencies([curve], start + step * times)
    assert moved.peak == pytest.approx(start + step * plain.peak, nan_ok=True)
    assert moved.onset == pytest.approx(start + step * plain.onset, nan_ok=True, abs=1e-6)
    assert not (plain.onset > plain.peak).any()
    assert np.isnan(plain.peak[0]) == (max(curve) <= 0)


@pytest.mark.parametrize(
    ("models", "series", "message"),
    [
        (np.ones((1, 3)), np.zeros((1, 1, 3)), "all equal"),
        (np.arange(6.0)[None], np.zeros((1, 3)), "expected"),
        (np.arange(1.0)[None], np.zeros((1, 1, 1)), "at least 3"),
    ],
)
def test_bad_arguments_are_named(models, series, message):
    with pytest.raises(ValueError, match=message):
        series_scores(models, series)
