"""Matching rates: hits, ties, categories."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.measures import (
    category_matching_hits,
    category_matching_rate,
    matching_hits,
    matching_permutation,
    matching_rate,
)


@given(n=st.integers(2, 12), data=st.data(), seed=st.integers(0, 10**6), levels=st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_equals_ties_broken_at_random(n: int, data: st.DataObject, seed: int, levels: int) -> None:
    """The fractional count is the mean over tie-breaks: enumerated here by noise too small to reorder."""
    rng = np.random.default_rng(seed)
    plan = rng.integers(0, levels, size=(n, n)).astype(float)
    k = data.draw(st.integers(1, n))
    categories = rng.integers(0, 3, size=n)
    trials, category_trials = [], []
    for _ in range(300):
        order = np.argsort(-(plan + 1e-6 * rng.random((n, n))), axis=1)[:, :k]
        trials.append((order == np.arange(n)[:, None]).any(axis=1))
        category_trials.append((categories[order] == categories[:, None]).any(axis=1))
    np.testing.assert_allclose(matching_hits(plan, k), np.mean(trials, axis=0), atol=0.16)
    found = category_matching_hits(plan, list(categories), k)
    np.testing.assert_allclose(found, np.mean(category_trials, axis=0), atol=0.16)


def test_values() -> None:
    assert matching_rate(np.eye(4)) == 1
    assert matching_rate(np.roll(np.eye(4), 1, axis=1)) == 0
    assert matching_rate(np.ones((8, 8)), k=2) == pytest.approx(2 / 8)
    plan = np.array([[0.1, 0.3, 0.2], [0.0, 0.3, 0.1], [0.2, 0.1, 0.0]])
    np.testing.assert_array_equal(matching_hits(plan), [0, 1, 0])
    np.testing.assert_array_equal(matching_hits(plan, 2), [0, 1, 0])
    np.testing.assert_array_equal(matching_hits(plan, 3), [1, 1, 1])


def test_categories() -> None:
    plan = np.roll(np.eye(4), 1, axis=1)
    assert category_matching_rate(plan, ["a", "a", "b", "b"]) == 0.5
    hits = category_matching_hits(plan, ["a", "a", None, "a"])
    np.testing.assert_array_equal(hits, [1, 0, np.nan, 1])
    assert category_matching_rate(plan, ["a", "a", None, "a"]) == pytest.approx(2 / 3)
    assert np.isnan(category_matching_rate(plan, [None] * 4))


def test_the_null_of_a_rate_is_that_of_permuted_rows() -> None:
    """Every permutation of few rows, one by one."""
    rng = np.random.default_rng(3)
    plan = rng.integers(0, 3, size=(6, 6)).astype(float)
    categories = ["a", "a", "b", None, "b", "b"]
    for labels, rate in (
        (None, matching_rate),
        (categories, lambda plan: category_matching_rate(plan, categories)),
    ):
        test = matching_permutation(plan, rng, categories=labels, permutations=4000)
        assert test.score == pytest.approx(rate(plan))
        # the rows of concepts without a category never count: they stay where they are for categories
        every = [_rate_of(plan, order, labels) for order in permutations(range(6))]
        assert test.chance == pytest.approx(np.mean(every), abs=0.01)
        assert test.p == pytest.approx(np.mean(np.array(every) >= test.score - 1e-12), abs=0.03)


def _rate_of(plan: np.ndarray, order: tuple[int, ...], categories: list[str | None] | None) -> float:
    """The rate if row ``order[i]`` of the plan were that of condition i."""
    rows = plan[list(order)]
    return matching_rate(rows) if categories is None else category_matching_rate(rows, categories)


def test_a_plan_without_categories_has_no_null() -> None:
    test = matching_permutation(np.eye(4), np.random.default_rng(0), categories=[None] * 4)
    assert np.isnan(test.score)
    assert np.isnan(test.p)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"plan has shape \(2, 3\)"):
        matching_rate(np.ones((2, 3)))
    with pytest.raises(ValueError, match="k is 4: expected 1 to 3"):
        matching_rate(np.eye(3), 4)
    with pytest.raises(ValueError, match="categories has length 2: expected 3"):
        category_matching_rate(np.eye(3), ["a", "b"])
    with pytest.raises(ValueError, match="categories has length 2: expected 3"):
        matching_permutation(np.eye(3), np.random.default_rng(0), categories=["a", "b"])
