"""Bootstrap, and the choice of a layer."""

from __future__ import annotations

import time

import numpy as np
import pytest

from benchmark.inference import (
    bootstrap_weights,
    estimate,
    mean_statistic,
    rdm_statistic,
    select_layer,
)


def test_weights_are_counts_of_a_resample() -> None:
    weights = bootstrap_weights(30, 2000, np.random.default_rng(0))
    assert weights.shape == (2000, 30)
    assert (weights.sum(axis=1) == 30).all()
    assert weights.mean() == 1
    assert weights.var() == pytest.approx(1 - 1 / 30, rel=0.02)
    np.testing.assert_array_equal(weights, bootstrap_weights(30, 2000, np.random.default_rng(0)))
    with pytest.raises(ValueError, match="draws is 0"):
        bootstrap_weights(3, 0, np.random.default_rng(0))


def test_estimate_agrees_with_the_standard_error_of_a_mean() -> None:
    values = np.random.default_rng(1).normal(size=200)
    found = estimate(mean_statistic(values), bootstrap_weights(200, 4000, np.random.default_rng(2)))
    assert found.score == pytest.approx(values.mean())
    half = 1.96 * values.std() / np.sqrt(200)
    assert found.high - found.score == pytest.approx(half, rel=0.1)
    assert found.score - found.low == pytest.approx(half, rel=0.1)
    assert found.undefined == 0


def test_undefined_draws_are_left_out_and_counted() -> None:
    values = [np.nan, np.nan, 1.0, 2.0]
    weights = np.array([[2.0, 2, 0, 0], [1, 1, 1, 1], [0, 0, 4, 0]])
    found = estimate(mean_statistic(values), weights)
    assert found.undefined == 1
    np.testing.assert_array_equal(np.isnan(found.draws), [True, False, False])
    assert 1 <= found.low <= found.high <= 1.5
    nothing = estimate(mean_statistic([np.nan] * 4), weights)
    assert np.isnan([nothing.score, nothing.low, nothing.high]).all()


def test_one_layer_is_its_plain_estimate() -> None:
    statistic = mean_statistic(np.arange(20.0))
    found = select_layer({"only": statistic}, 20, 50, np.random.default_rng(0))
    plain = estimate(statistic, bootstrap_weights(20, 50, np.random.default_rng(0)))
    assert (found.layer, found.score, found.low, found.high) == ("only", plain.score, plain.low, plain.high)
    np.testing.assert_array_equal(found.draws, plain.draws)


def test_layers_that_are_alike_score_what_one_would() -> None:
    statistic = mean_statistic(np.random.default_rng(0).normal(size=40))
    found = select_layer({"a": statistic, "b": statistic}, 40, 100, np.random.default_rng(1))
    one = select_layer({"a": statistic}, 40, 100, np.random.default_rng(1))
    assert found.layer == "a"
    assert found.score == pytest.approx(one.score, abs=1e-12)
    # The same weights, and halves of a draw that weigh nearly the same: differences of models are paired.
    assert np.corrcoef(found.draws, one.draws)[0, 1] > 0.98


def test_choosing_among_noise_gains_nothing() -> None:
    """Thirty layers of noise: the best on all concepts is far above zero, the score is not."""
    naive, honest = [], []
    for seed in range(60):
        values = np.random.default_rng(seed).normal(size=(30, 24))
        statistics = {str(i): mean_statistic(v) for i, v in enumerate(values)}
        found = select_layer(statistics, 24, 2, np.random.default_rng(seed))
        naive.append(values.mean(axis=1).max())
        assert values[int(found.layer)].mean() == naive[-1]
        honest.append(found.score)
    assert np.mean(naive) > 0.35
    assert abs(np.mean(honest)) < 3 * np.std(honest) / np.sqrt(60)


def test_a_clear_best_layer_is_chosen_and_keeps_its_score() -> None:
    rng = np.random.default_rng(3)
    layers = {"low": rng.normal(size=60), "high": rng.normal(size=60) + 3, "none": np.full(60, np.nan)}
    statistics = {name: mean_statistic(values) for name, values in layers.items()}
    found = select_layer(statistics, 60, 300, np.random.default_rng(0))
    assert found.layer == "high"
    assert found.score == pytest.approx(layers["high"].mean(), abs=1e-9)
    assert found.low < found.score < found.high
    assert found.high - found.low == pytest.approx(4 * layers["high"].std() / np.sqrt(60), rel=0.3)
    assert found.undefined == 0


def test_the_interval_covers_the_truth() -> None:
    """Two layers of the same true mean: an interval that is too narrow covers it far less than 95 %."""
    covered = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        shared = rng.normal(size=40)
        statistics = {name: mean_statistic(shared + 0.3 * rng.normal(size=40)) for name in "ab"}
        found = select_layer(statistics, 40, 200, rng)
        covered += found.low <= 0 <= found.high
    assert covered / 150 > 0.88


def test_layers_that_tie_up_to_rounding_go_to_the_first() -> None:
    """Means of the same hits in another order: .0777...77 and ...78."""
    hits = np.random.default_rng(0).permutation(np.repeat([0.7, 0.1, 0.0], [8, 9, 73]))
    for gain in (1e-15, -1e-15):
        layers = {"first": mean_statistic(hits), "second": mean_statistic(hits + gain)}
        found = select_layer(layers, 90, 20, np.random.default_rng(1))
        alone = select_layer(
            {"first": layers["first"], "again": layers["first"]}, 90, 20, np.random.default_rng(1)
        )
        assert found.layer == "first"
        np.testing.assert_array_equal(found.draws, alone.draws)


def test_no_layer_defined() -> None:
    nothing = mean_statistic([np.nan] * 6)
    found = select_layer({"a": nothing, "b": nothing}, 6, 5, np.random.default_rng(0))
    assert np.isnan(found.score)
    assert found.undefined == 5
    with pytest.raises(ValueError, match="statistics is empty"):
        select_layer({}, 6, 5, np.random.default_rng(0))
    with pytest.raises(ValueError, match="n is 1"):
        select_layer({"a": nothing}, 1, 5, np.random.default_rng(0))


@pytest.mark.slow
def test_a_thousand_draws_of_1854_concepts_take_seconds() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 1854, 1854))
    a, b = (np.triu(m, 1) + np.triu(m, 1).T for m in (a, b))
    start = time.process_time()
    estimate(rdm_statistic(a, b), bootstrap_weights(1854, 1000, rng))
    assert time.process_time() - start < 20
