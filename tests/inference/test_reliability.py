"""Split-half reliability: against the truth of simulated channels, and against a plain loop."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.inference import split_half_reliability


def channels(rng, n=200, noise=(0.5, 1.0, 2.0), repeats=8):
    signal = rng.normal(size=(n, len(noise), 1))
    return signal + np.array(noise)[:, None] * rng.normal(size=(n, len(noise), repeats))


def test_is_the_share_of_signal_in_the_mean():
    found = split_half_reliability(channels(np.random.default_rng(0)), 0)
    truth = 1 / (1 + np.array([0.5, 1.0, 2.0]) ** 2 / 8)
    np.testing.assert_allclose(found.value, truth, atol=0.03)
    assert (found.low < truth).all()
    assert (truth < found.high).all()
    np.testing.assert_allclose(found.ceiling, np.sqrt(found.value))


def test_two_repeats_have_one_split():
    values = channels(np.random.default_rng(1), repeats=2)
    found = split_half_reliability(values, 0)
    r = np.array([np.corrcoef(values[:, c].T)[0, 1] for c in range(3)])
    # which repeat is called first differs from stimulus to stimulus, which moves a correlation a little
    np.testing.assert_allclose(found.value, 2 * r / (1 + r), atol=0.02)


def test_noise_alone_has_none():
    values = np.random.default_rng(2).normal(size=(300, 40, 6))
    found = split_half_reliability(values, 0)
    assert abs(np.mean(found.value)) < 0.05
    assert np.isnan(found.ceiling[found.value <= 0]).all()


def test_missing_repeats_are_left_out_channel_by_channel():
    rng = np.random.default_rng(3)
    values = channels(rng)
    holes = values.copy()
    holes[:, 1, 6:] = np.nan
    found, whole = split_half_reliability(holes, 0), split_half_reliability(values, 0)
    np.testing.assert_allclose(found.value[[0, 2]], whole.value[[0, 2]])
    assert found.value[1] == pytest.approx(1 / (1 + 1 / 6), abs=0.03)
    holes[:, 2, 1:] = np.nan
    assert np.isnan(split_half_reliability(holes, 0).value[2])


def test_blocks_change_nothing(monkeypatch):
    values = channels(np.random.default_rng(4), n=30)
    whole = split_half_reliability(values, 0)
    monkeypatch.setattr("benchmark.inference.reliability._HELD", 1)
    np.testing.assert_allclose(split_half_reliability(values, 0).value, whole.value)


def test_one_repeat_is_refused():
    with pytest.raises(ValueError, match="repeats >= 2"):
        split_half_reliability(np.ones((5, 2, 1)), 0)
