"""What is done to features before an RDM, against the definitions of scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmark.measures import rdm
from benchmark.representation.concepts import (
    STANDARDISE,
    UndefinedFeaturesError,
    feature_rdm,
    standardised,
)

NAMES = tuple("abcdefghijkl")


@given(seed=st.integers(0, 10**6), scale=st.sampled_from([1e-6, 1.0, 1e6]))
@settings(max_examples=30, deadline=None)
def test_means_and_spreads_are_taken_away_over_the_concepts(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    x = scale * (rng.normal(size=(12, 5)) + 10 * rng.normal(size=5))
    np.testing.assert_array_equal(standardised(x, "none"), x)
    np.testing.assert_allclose(standardised(x, "centre"), x - x.mean(axis=0))
    np.testing.assert_allclose(standardised(x, "zscore"), stats.zscore(x, axis=0), atol=1e-9)
    np.testing.assert_allclose(
        feature_rdm(x, NAMES, "cosine", "zscore"), rdm(stats.zscore(x, axis=0), "cosine"), atol=1e-9
    )


@pytest.mark.parametrize("metric", ["correlation", "cosine", "euclidean"])
def test_a_shift_of_a_feature_changes_nothing_once_centred_and_its_scale_nothing_once_z_scored(
    metric: str,
) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(12, 6))
    shift, scale = rng.normal(size=6), rng.uniform(0.5, 2, size=6)
    for how, other in (("centre", x + shift), ("zscore", x * scale + shift)):
        np.testing.assert_allclose(
            feature_rdm(x, NAMES, metric, how), feature_rdm(other, NAMES, metric, how), atol=1e-9
        )
    assert not np.allclose(feature_rdm(x, NAMES, metric), feature_rdm(x * scale, NAMES, metric), atol=1e-3)


def test_a_feature_that_is_the_same_for_every_concept_is_rounding_and_becomes_zero() -> None:
    x = np.random.default_rng(1).normal(size=(12, 3))
    x[:, 1] = 0.1 + 1e-9 * np.arange(12)
    for how in STANDARDISE[1:]:
        assert not standardised(x, how)[:, 1].any()


def test_features_of_two_concepts_apart_from_their_mean_are_undefined_where_a_row_is_flat() -> None:
    x = np.zeros((12, 3))
    x[:6] = [1, 2, 3]
    x[6:] = [2, 3, 4]
    with pytest.raises(UndefinedFeaturesError, match="correlation undefined"):
        feature_rdm(x, NAMES, "correlation", "centre")
