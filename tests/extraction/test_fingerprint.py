"""Fingerprints tell arrays apart, and do not tell apart what only rounding changed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.extraction.fingerprint import fingerprint_of, same_fingerprint
from benchmark.extraction.store import FeatureStore
from benchmark.results import diff_keys


@given(st.integers(0, 2**32 - 1), st.integers(1, 3000), st.floats(1e-3, 1e3))
def test_the_same_after_rounding_and_another_after_a_change(seed, size, scale):
    rng = np.random.default_rng(seed)
    values = scale * rng.normal(size=size)
    fingerprint = fingerprint_of(values)
    noise = rng.normal(size=size)
    noise *= np.linalg.norm(values) / np.linalg.norm(noise)
    assert same_fingerprint(fingerprint, fingerprint_of(values + 1e-6 * noise))
    assert same_fingerprint(fingerprint, fingerprint_of(values.astype(np.float32)))
    assert not same_fingerprint(fingerprint, fingerprint_of(values + 0.01 * noise))


def test_order_sign_shape_and_scale_are_seen():
    values = np.arange(1.0, 100.0)
    fingerprint = fingerprint_of(values)
    for other in (values[::-1], -values, values[:-1], 1.001 * values, np.append(values, 0.0)):
        assert not same_fingerprint(fingerprint, fingerprint_of(other))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_have_none(bad):
    assert fingerprint_of(np.array([1.0, bad])) is None
    assert same_fingerprint(None, None)
    assert not same_fingerprint(None, fingerprint_of(np.ones(3)))


def test_it_is_the_same_on_every_machine():
    # the signs come from the raw numbers of a generator, which numpy promises to keep
    expected = [3.0, 3.741657, 4.0, -2.0, 6.0, 0.0, -2.0, 0.0, 2.0]
    fingerprint = fingerprint_of(np.array([1.0, 2.0, 3.0]))
    assert fingerprint[:2] == expected[:2]
    assert all(abs(x) in (0.0, 2.0, 4.0, 6.0) for x in fingerprint[2:])


def test_a_key_is_compared_within_the_tolerance_and_features_are_not_shared(tmp_path):
    values = np.random.default_rng(0).normal(size=100)
    one = {"plugin": "x", "fingerprint": {"output": fingerprint_of(values)}}
    near = {"plugin": "x", "fingerprint": {"output": fingerprint_of(values * (1 + 1e-7))}}
    far = {"plugin": "x", "fingerprint": {"output": fingerprint_of(values * 1.1)}}
    assert diff_keys(one, near) == []
    assert diff_keys(one, far) == ["fingerprint.output"]
    store = FeatureStore(tmp_path)
    store.put(one, {"output": np.ones((2, 2), np.float32)})
    assert store.get(near, "output") is not None
    assert store.get(far, "output") is None
    assert store.get({"plugin": "x"}, "output") is None
    store.put(far, {"output": np.zeros((2, 2), np.float32)})
    assert store.get(one, "output") is None
    assert store.get(far, "output").max() == 0
