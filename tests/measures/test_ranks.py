"""Ranks and inversions by counting sorts, against scipy and against counting every pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from benchmark.measures import _ranks
from benchmark.measures._ranks import (
    average_ranks,
    doubled_ranks,
    integer_order,
    inversions,
    ranks_of_rows,
    settled,
    sort_order,
)

rng = np.random.default_rng(0)
HARD = {
    "normal": rng.normal(size=5000),
    "many ties": np.round(rng.normal(size=5000), 1),
    "an outlier: all keys but a few are the same": np.append(rng.normal(size=5000), 1e6),
    "neighbours that are just told apart": 1 + 2e-13 * rng.integers(0, 9, 999),
    "range beyond float64": np.array([1e308, -1e308, 1e308, 0]),
    "subnormal": np.array([1e-320, 2e-320, 1e-320, 5e-324]),
    "all the same": np.full(7, 0.3),
    "one": np.array([2.0]),
    "zeros of both signs": np.array([0.0, -0.0, 1.0, 0.0]),
}


@pytest.mark.parametrize("name", HARD)
def test_ranks_equal_scipy(name: str) -> None:
    np.testing.assert_array_equal(average_ranks(HARD[name]), stats.rankdata(HARD[name]))
    both = np.stack([HARD[name], HARD[name][::-1]])
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(ranks_of_rows(both), stats.rankdata(both, axis=1))


@given(arrays.arrays(np.float64, (3, 12), elements=st.integers(-4, 4).map(lambda value: value / 10)))
def test_ranks_of_rows_are_those_of_each_row(rows) -> None:
    np.testing.assert_array_equal(ranks_of_rows(rows), np.stack([average_ranks(row) for row in rows]))


@pytest.mark.parametrize("part", [3, 100, 2**24])
@pytest.mark.parametrize("name", HARD)
def test_ranks_made_part_by_part_are_the_same(name: str, part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for size in ("_PART", "_PASSED"):
        monkeypatch.setattr(_ranks, size, part)
    np.testing.assert_array_equal(doubled_ranks(HARD[name]), 2 * average_ranks(HARD[name]))


def test_values_tied_one_by_one_are_tied_over_all_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ranks, "_PART", 10)
    chain = np.append(1 + 5e-14 * np.arange(100), [2.0, 0.5])
    np.testing.assert_array_equal(doubled_ranks(chain), [103.0] * 100 + [204, 2])


@given(
    arrays.arrays(np.float64, st.integers(1, 60), elements=st.floats(allow_nan=False, allow_infinity=False))
)
@settings(max_examples=200, deadline=None)
def test_any_values_are_sorted_and_their_ties_known(values: np.ndarray) -> None:
    order, starts = sort_order(values)
    found = values[order]
    np.testing.assert_array_equal(found, np.sort(values))
    largest = np.abs(values).max()
    with np.errstate(over="ignore"):
        gaps = found[1:] - found[:-1]
    np.testing.assert_array_equal(starts[1:], gaps > 1e-13 * np.abs(found[1:]) + 1e-14 * largest)
    assert starts[0]


@given(
    arrays.arrays(np.float64, st.integers(2, 60), elements=st.integers(-5, 9).map(float)), st.integers(0, 99)
)
@settings(max_examples=100, deadline=None)
def test_rounding_does_not_tell_ties_apart(values: np.ndarray, seed: int) -> None:
    noise = np.random.default_rng(seed).uniform(-1, 1, (2, len(values))) * 1e-15 * np.abs(values).max()
    first, second = values + noise
    np.testing.assert_array_equal(average_ranks(first), stats.rankdata(values))
    np.testing.assert_array_equal(settled(first), settled(second))
    assert len(np.unique(settled(first))) == len(np.unique(values))
    np.testing.assert_allclose(settled(first), values, rtol=0, atol=1e-12 * np.abs(values).max())


def test_integers_are_sorted_stably() -> None:
    keys = rng.integers(0, 2**32, 5000, dtype=np.uint32)
    keys[::3] = keys[0]
    np.testing.assert_array_equal(integer_order(keys), np.argsort(keys, kind="stable"))


@pytest.mark.parametrize("n", [1, 2, 3, 63, 64, 65, 128, 129, 1000])
def test_inversions_are_the_pairs_out_of_order(n: int) -> None:
    for _ in range(3):
        permutation = rng.permutation(n).astype(np.uint32)
        expected = sum(int((permutation[:i] > permutation[i]).sum()) for i in range(n))
        assert inversions(permutation) == expected
    assert inversions(np.arange(n, dtype=np.uint32)) == 0
    assert inversions(np.arange(n, dtype=np.uint32)[::-1]) == n * (n - 1) // 2
