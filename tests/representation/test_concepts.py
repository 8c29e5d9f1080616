"""What is done to features before an RDM, against the definitions of scipy."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmark.calibration import synthetic_stimuli
from benchmark.common.errors import NotPossible, UsageError
from benchmark.datasets.stimuli import Stimuli
from benchmark.measures import rdm
from benchmark.representation.concepts import (
    STANDARDISE,
    UndefinedFeaturesError,
    concept_images,
    feature_rdm,
    image_groups,
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


@given(
    counts=st.lists(st.integers(3, 9), min_size=1, max_size=5),
    groups=st.integers(1, 3),
    seed=st.integers(0, 9),
    order=st.randoms(use_true_random=False),
)
@settings(max_examples=40, deadline=None)
def test_images_are_dealt_evenly_and_the_same_whatever_stands_beside_them(
    counts: list[int], groups: int, seed: int, order: random.Random
) -> None:
    names = NAMES[: len(counts)]
    shown = [(f"{name}{i}", name) for name, n in zip(names, counts, strict=True) for i in range(n)]
    shuffled = order.sample(shown, len(shown))

    def dealt(pairs: list[tuple[str, str]], concepts: tuple[str, ...]) -> dict[str, list[set[str]]]:
        stimuli = Stimuli("s", tuple(i for i, _ in pairs), tuple(c for _, c in pairs), "m")
        found = image_groups(stimuli, concepts, groups, seed)
        return {
            c: [{stimuli.ids[row] for row in group[k]} for group in found] for k, c in enumerate(concepts)
        }

    of_all = dealt(shown, names)
    for name, n in zip(names, counts, strict=True):
        sizes = [len(group) for group in of_all[name]]
        assert len(sizes) == groups
        assert max(sizes) - min(sizes) <= 1
        assert set().union(*of_all[name]) == {f"{name}{i}" for i in range(n)}
        assert sum(sizes) == n
    assert dealt(shuffled, names) == of_all
    assert dealt(shown, names[-1:])[names[-1]] == of_all[names[-1]]


def test_another_seed_deals_otherwise_and_one_group_is_all_images_in_order() -> None:
    stimuli = synthetic_stimuli(NAMES, test=6)
    first, second = (image_groups(stimuli, NAMES, 2, seed)[0] for seed in (0, 1))
    assert any(set(a) != set(b) for a, b in zip(first, second, strict=True))
    (whole,) = image_groups(stimuli, NAMES, 1, 5)
    for rows, images in zip(whole, concept_images(stimuli, NAMES), strict=True):
        np.testing.assert_array_equal(rows, images)


@pytest.mark.parametrize(
    ("groups", "seed", "error", "said"),
    [
        (7, 0, NotPossible, "has 6 test images of 'a', too few for 7 groups: give groups at most 6"),
        (0, 0, UsageError, "parameter 'groups' is 0: at least 1 is needed"),
        (1, -1, UsageError, "parameter 'group_seed' is -1: at least 0 is needed"),
    ],
)
def test_groups_that_cannot_be_are_refused(groups: int, seed: int, error: type, said: str) -> None:
    with pytest.raises(error, match=said):
        image_groups(synthetic_stimuli(NAMES, test=6), NAMES, groups, seed)
