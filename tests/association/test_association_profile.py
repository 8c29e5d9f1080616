"""The compact vocabulary, and what counts as a profile."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from benchmark.association.profile import Profiles, profiles
from benchmark.common.errors import DataError
from benchmark.model import Associations

STRENGTHS = st.tuples(st.integers(1, 12), st.integers(1, 60)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.floats(0.0009765625, 1))
)


def made(strengths) -> Profiles:
    strengths = np.asarray(strengths, dtype=float)
    images = tuple(f"i{i}" for i in range(len(strengths)))
    words = tuple(f"w{i:02d}" for i in range(strengths.shape[1]))
    return profiles(images, Associations(words, strengths))


def test_strengths_sum_to_one_and_keep_their_ratios():
    found = made([[1, 3, 0], [20, 10, 10]])
    np.testing.assert_allclose(found.strengths, [[0.25, 0.75, 0], [0.5, 0.25, 0.25]])


def test_the_strongest_come_first_and_ties_keep_the_order_of_the_vocabulary():
    found = made([[1, 4, 2, 4, 2]])
    assert [word for word, _ in found.strongest(0, 4)] == ["w01", "w03", "w02", "w04"]
    assert len(found.strongest(0, 100)) == 5


def test_a_regression_below_nought_is_no_association():
    np.testing.assert_allclose(made([[-3, 1, 1]]).strengths, [[0, 0.5, 0.5]])


@pytest.mark.parametrize("row", [[0, 0], [-1, 0], [np.nan, 1], [np.inf, 1]])
def test_what_is_no_profile_is_refused(row):
    with pytest.raises(DataError):
        made([row])


def test_strengths_of_another_shape_are_refused():
    with pytest.raises(DataError, match=r"shape \(1, 2\)"):
        profiles(("a",), Associations(("x", "y", "z"), np.ones((1, 2))))


@given(STRENGTHS, st.integers(1, 40))
def test_every_image_has_its_strongest_word_and_no_word_stands_twice(strengths, size):
    found = made(strengths)
    n, v = strengths.shape
    chosen = found.compact(size)
    assert len(set(chosen)) == len(chosen)
    assert len(chosen) <= max(size, n)
    assert len(chosen) >= min(size, v)
    for image in range(n):
        assert found.vocabulary.index(found.strongest(image, 1)[0][0]) in chosen


def test_the_other_places_go_to_the_greatest_variance_between_images():
    """30 words that all images share equally, 4 that tell them apart, and a common word above all."""
    strengths = np.full((4, 35), 0.5)
    strengths[:, 0] = 9.0
    for image in range(4):
        strengths[image, 10 + image] = 5.0
    found = made(strengths)
    chosen = found.compact(8)  # one own word an image: the common one for all
    assert {0, 10, 11, 12, 13} <= set(chosen)
    by_variance = set(np.argsort(-found.strengths.var(axis=0), kind="stable")[:4])
    assert by_variance == {10, 11, 12, 13}


def test_one_image_shows_its_strongest():
    strengths = np.random.default_rng(0).random((1, 50))
    chosen = made(strengths).compact(10)
    assert list(chosen) == list(np.argsort(-strengths[0])[:10])


def test_words_are_grouped_by_the_image_they_stand_out_for():
    strengths = np.random.default_rng(1).random((5, 80))
    found = made(strengths)
    chosen = found.compact(30)
    owners = found.strengths.argmax(axis=0)[list(chosen)]
    assert (np.diff(owners) >= 0).all()
    for owner in set(owners):
        group = [
            found.strengths[owner, word] for word in chosen if found.strengths[:, word].argmax() == owner
        ]
        assert group == sorted(group, reverse=True)
