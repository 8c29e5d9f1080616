"""Rules of comparison for association profiles, against sums over walks that are written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from benchmark.measures.associations import (
    association_graph,
    hellinger,
    normalised,
    positive_pmi,
    spread,
    spread_geometry,
)

seeds = st.integers(0, 2**32 - 1)


def small_world(seed, words=12, density=0.3):
    """Strengths of words as responses to one another; some words are no cue, some are never given."""
    rng = np.random.default_rng(seed)
    strengths = rng.random((words, words)) * (rng.random((words, words)) < density)
    strengths[rng.integers(words)] = 0
    strengths[:, rng.integers(words)] = 0
    return strengths / np.maximum(strengths.sum(axis=1, keepdims=True), 1)


def dense_graph(strengths, base):
    steps = np.zeros_like(strengths)
    for i, j in np.argwhere((strengths > 0) & (base > 0)):
        steps[i, j] = max(0.0, np.log(strengths[i, j] / base[j]))
    for row in steps:
        if row.sum() > 0:
            row /= row.sum()
    return steps


@settings(deadline=None)
@given(seeds, st.floats(0.01, 0.97))
def test_spreading_is_the_inverse_of_one_minus_the_decayed_graph(seed, decay):
    strengths = small_world(seed)
    base = strengths.mean(axis=0)
    graph = association_graph(sparse.csr_array(strengths), base)
    np.testing.assert_allclose(graph.toarray(), dense_graph(strengths, base), atol=1e-14)
    profiles = np.random.default_rng(seed).random((5, 12))
    exact = (profiles / profiles.sum(axis=1, keepdims=True)) @ np.linalg.inv(
        np.eye(12) - decay * graph.toarray()
    )
    np.testing.assert_allclose(
        spread(profiles, graph, decay), exact, rtol=0, atol=1e-10 * exact.sum(axis=1).max()
    )


def test_two_walks_by_hand():
    # dog -> bark with .5, dog -> cat with .5; cat -> dog with 1: no walk leaves bark
    graph = sparse.csr_array(np.array([[0, 0.5, 0.5], [0, 0, 0], [1, 0, 0]]))
    # all mass on dog. Round trips dog, cat, dog weigh .5 * .4 * .4 = .08 each
    dog = 1 / (1 - 0.08)
    np.testing.assert_allclose(spread(np.array([[2.0, 0, 0]]), graph, 0.4), [[dog, 0.2 * dog, 0.2 * dog]])


@settings(deadline=None)
@given(seeds)
def test_activation_is_linear_in_the_profiles_and_the_order_of_words_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    strengths = small_world(seed)
    base = strengths.mean(axis=0)
    profiles = normalised(rng.random((3, 12)))
    order = rng.permutation(12)
    activation = spread(profiles, association_graph(sparse.csr_array(strengths), base), 0.6)
    shuffled = association_graph(sparse.csr_array(strengths[np.ix_(order, order)]), base[order])
    np.testing.assert_allclose(spread(profiles[:, order], shuffled, 0.6), activation[:, order], atol=1e-9)
    mixed = spread(profiles[:1] + profiles[1:2], association_graph(sparse.csr_array(strengths), base), 0.6)
    np.testing.assert_allclose(mixed[0], activation[:2].mean(axis=0), atol=1e-9)


def test_a_profile_without_strength_stays_zero_and_a_negative_strength_counts_as_zero():
    graph = sparse.csr_array(np.array([[0, 1.0], [1.0, 0]]))
    activation = spread(np.array([[0.0, 0.0], [-1.0, 2.0]]), graph, 0.5)
    np.testing.assert_array_equal(activation[0], [0, 0])
    np.testing.assert_allclose(activation[1], [2 / 3, 4 / 3])


@pytest.mark.parametrize("decay", [0.0, 1.0, -0.5, float("nan")])
def test_a_decay_that_is_no_share_is_refused(decay):
    with pytest.raises(ValueError, match="decay is"):
        spread(np.ones((1, 2)), sparse.csr_array((2, 2)), decay)


@given(seeds)
def test_square_roots_have_the_hellinger_distance(seed):
    first, second = np.random.default_rng(seed).dirichlet(np.ones(6), 2)
    distance = np.sqrt(0.5 * sum((np.sqrt(p) - np.sqrt(q)) ** 2 for p, q in zip(first, second, strict=True)))
    roots = hellinger(np.stack([3 * first, second]))  # a profile counts by its shares
    np.testing.assert_allclose(np.linalg.norm(roots[0] - roots[1]) / np.sqrt(2), distance)


def test_positive_information_by_hand():
    base = np.array([0.25, 0.5, 0.0])
    # given twice as often as at large, half as often, and a word that is not in the norms
    np.testing.assert_allclose(positive_pmi(np.array([[0.5, 0.25, 0.25]]), base), [[np.log(2), 0, 0]])


def test_the_geometry_of_spreading_is_centred_over_the_profiles():
    strengths = small_world(3)
    graph = association_graph(sparse.csr_array(strengths), strengths.mean(axis=0))
    profiles = np.random.default_rng(0).random((4, 12))
    rows = spread_geometry(profiles, graph, 0.5)
    expected = np.log(spread(profiles, graph, 0.5) + 1e-9)
    np.testing.assert_allclose(rows, expected - expected.mean(axis=0), atol=1e-12)
    some = spread_geometry(profiles, graph, 0.5, np.array([True, False, True, False]))
    np.testing.assert_allclose(some, expected - expected[[0, 2]].mean(axis=0), atol=1e-12)
