"""2 vs 2 where it is hardest to be exact: against the definition in extended precision, and permutations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from benchmark.measures import two_vs_two, two_vs_two_permutation
from benchmark.measures.two_vs_two import accuracy, counts, margins
from benchmark.measures.two_vs_two.margins import paired_sides

LONG = np.longdouble


def in_long_doubles(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Margins by the definition, with 64 bits of mantissa from the features on."""

    def unit(rows: np.ndarray) -> np.ndarray:
        rows = rows - rows.mean(axis=-1, keepdims=True)
        return rows / np.sqrt((rows * rows).sum(axis=-1, keepdims=True))

    correlations = []
    for features in (x, y):
        rows = unit(features.astype(LONG))
        correlations.append((rows[:, None] * rows[None]).sum(axis=-1))
    k = len(x)
    margins = np.full((k, k), np.nan)
    for a in range(k):
        for b in range(a + 1, k):
            left, right = (unit(np.delete(c[[a, b]], [a, b], axis=1)) for c in correlations)
            found = (left[:, None] * right[None]).sum(axis=-1)
            margins[a, b] = margins[b, a] = found[0, 0] + found[1, 1] - found[0, 1] - found[1, 0]
    return margins


def related(seed: int, k: int, p: int, q: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(k, 4))
    return tuple(shared @ rng.normal(size=(4, d)) + rng.normal(size=(k, d)) for d in (p, q))


def _large_means(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return x + 1e5 * rng.normal(size=(len(x), 1))


def _uneven_scales(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return x * 10.0 ** rng.integers(-8, 8, (len(x), 1))


def _common_part(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """All correlations are near one: what tells concepts apart is a hundredth of them."""
    return x + 30 * rng.normal(size=x.shape[1])


def _nearly_collinear(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    x = x.copy()
    x[1] = 2 * x[0] + 1e-4 * x[1]
    x[4] = -x[3] + 1e-4 * x[4]
    return x


@pytest.mark.parametrize("make", [_large_means, _uneven_scales, _common_part, _nearly_collinear])
@pytest.mark.parametrize("k, p, q", [(5, 8, 9), (6, 4, 30), (7, 40, 40), (24, 6, 8), (24, 5, 60)])
def test_margins_to_ten_digits_on_adversarial_features(make, k: int, p: int, q: int) -> None:
    x, y = related(k, k, p, q)
    x = make(x, np.random.default_rng(1))
    found = two_vs_two(x, y, margins=True).margins
    np.testing.assert_allclose(found, in_long_doubles(x, y), rtol=0, atol=1e-10)
    np.testing.assert_allclose(two_vs_two(y, x, margins=True).margins, found, rtol=0, atol=1e-10)


@pytest.mark.parametrize("p, q", [(7, 30), (30, 7), (200, 300), (150, 400)])
def test_more_concepts_than_fit_one_block(p: int, q: int) -> None:
    """Blocks on and off the diagonal, the last of another size, by low rank and by the full product."""
    k = 2 * margins.BLOCK + 11
    x, y = related(0, k, p, q)
    found = two_vs_two(x, y, margins=True)
    a, b = np.corrcoef(x), np.corrcoef(y)
    rng = np.random.default_rng(0)
    for i, j in rng.choice(k, (300, 2)):
        if i != j:
            keep = np.delete(np.arange(k), [i, j])
            c = np.corrcoef(np.vstack([a[[i, j]][:, keep], b[[i, j]][:, keep]]))
            assert found.margins[i, j] == pytest.approx(c[0, 2] + c[1, 3] - c[0, 3] - c[1, 2], abs=1e-10)
    outcomes = found.outcomes[np.triu_indices(k, 1)]
    assert found.accuracy == pytest.approx(outcomes.mean(), abs=1e-12)
    np.testing.assert_allclose(found.per_concept, np.nanmean(found.outcomes, axis=1))
    without = two_vs_two(x, y)
    assert (without.accuracy, without.ties) == (found.accuracy, found.ties)


@pytest.mark.parametrize("p", [5, 80])
def test_nothing_changes_where_no_matrix_is_kept(p: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = related(3, 70, p, 90)
    x[5] = x[60]
    kept = two_vs_two(x, y, margins=True)
    null = two_vs_two_permutation(x, y, 5, np.random.default_rng(0)).null
    monkeypatch.setattr(margins, "_KEPT", 50)
    monkeypatch.setattr(accuracy, "BLOCK", 32)
    found = two_vs_two(x, y, margins=True)
    np.testing.assert_allclose(found.margins, kept.margins, rtol=0, atol=1e-12)
    assert (found.accuracy, found.ties) == (kept.accuracy, kept.ties)
    np.testing.assert_array_equal(two_vs_two_permutation(x, y, 5, np.random.default_rng(0)).null, null)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_fewer_than_five_concepts_have_no_correlation_to_compare(k: int) -> None:
    x, y = related(0, 6, 5, 5)
    with pytest.raises(ValueError, match=rf"x has shape \({k}, 5\): 2 vs 2 needs at least 5 concepts"):
        two_vs_two(x[:k], y[:k])


def test_a_row_that_is_constant_without_a_column_is_refused() -> None:
    """Of two units centred rows are (1, -1) or (-1, 1): two that are alike only to each other."""
    x = np.array([[1.0, 0], [2, 0], [0, 2], [0, 3], [0, 4], [0, 5]])
    with pytest.raises(ValueError, match="undefined: a row without them is constant"):
        two_vs_two(x, np.random.default_rng(0).normal(size=(6, 9)))


def _many_ties(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x[1::2] = 3 * x[::2][: len(x[1::2])] + 2
    return x


@given(
    seed=st.integers(0, 10**6),
    k=st.integers(5, 40),
    p=st.integers(3, 50),
    q=st.integers(3, 50),
    make=st.sampled_from([lambda x: x, _many_ties, np.sign, lambda x: np.round(x, 1)]),
)
@settings(max_examples=60, deadline=None)
def test_counts_of_permutations_are_those_of_two_vs_two(seed: int, k: int, p: int, q: int, make) -> None:
    x, y = related(seed, k, p, q)
    x = make(x)
    try:
        two_vs_two(x, y)
        test = two_vs_two_permutation(x, y, 4, np.random.default_rng(seed))
    except ValueError:
        reject()  # constant rows
    rng = np.random.default_rng(seed)
    expected = [two_vs_two(x[rng.permutation(k)], y).accuracy for _ in range(4)]
    np.testing.assert_array_equal(test.null, expected)


@pytest.mark.parametrize("p, q", [(300, 12), (12, 300), (400, 500)])
def test_counts_of_permutations_of_several_blocks(p: int, q: int) -> None:
    x, y = related(5, 401, p, q)
    x[7] = 2 * x[390] - 1
    test = two_vs_two_permutation(x, y, 3, np.random.default_rng(0))
    rng = np.random.default_rng(0)
    expected = [two_vs_two(x[rng.permutation(401)], y).accuracy for _ in range(3)]
    np.testing.assert_array_equal(test.null, expected)


@pytest.mark.parametrize("p, q", [(20, 300), (700, 800)])
def test_float32_stays_within_its_error_bound(p: int, q: int) -> None:
    """And the bound is not so wide that float64 would have to do the work."""
    k = 700 if p > 600 else 300
    x, y = related(6, k, p, q)
    x[3] = x[8] + 0.2 * x[3]
    a, b, _ = paired_sides(x, y)
    counter = counts.Counter.from_sides(a, b)
    terms = counter._permuted(np.random.default_rng(0).permutation(k)[None])
    exact = two_vs_two(x[terms.orders[0]], y, margins=True).margins
    halves = np.empty((1, k, k), dtype=np.float32)
    counter._fill(terms, slice(0, k), halves)
    found = (halves + halves.swapaxes(1, 2))[0]
    upper = np.triu_indices(k, 1)
    conditioned = ~np.isnan(found)
    assert conditioned[upper].mean() > 0.99
    bound = float(terms.bounds[0, 0, 0])
    assert np.abs(found - exact)[upper][conditioned[upper]].max() < bound < 1e-4
    told = conditioned & (np.abs(found) > bound)
    passed, doubtful = np.zeros((2, k, k), dtype=bool)
    for tile in counter._tiles(terms):
        passed[tile.rows, tile.columns], doubtful[tile.rows, tile.columns] = tile.passed[0], tile.doubtful[0]
    np.testing.assert_array_equal(doubtful, np.triu(~told, 1))
    np.testing.assert_array_equal(passed, np.triu(told & (exact > 0), 1))


@pytest.mark.parametrize("k", [30, 300])
def test_entries_that_are_not_well_conditioned_are_never_decided(k: int) -> None:
    """In float32 and in float64: the share of the variance that is left is that of the definition."""
    x, y = related(8, k, 12, 40)
    x[1] = 2 * x[0] + 0.1 * x[1]
    counter = counts.Counter.from_sides(*paired_sides(x, y)[:2])
    c = np.corrcoef(x)
    np.fill_diagonal(c, np.nan)
    left = np.array([[np.nanvar(np.delete(row, j)) * (k - 2) for j in range(k)] for row in c])
    share = left / (np.nanvar(c, axis=1, keepdims=True) * (k - 1))
    least = 0.01 if k == 30 else 0.9
    off = ~np.eye(k, dtype=bool)
    np.testing.assert_array_equal(np.isnan(counter.kept.r)[off], (share <= least)[off])


def test_the_number_of_workers_changes_nothing() -> None:
    x, y = related(7, 90, 10, 120)
    nulls = [two_vs_two_permutation(x, y, 20, np.random.default_rng(0), workers=w).null for w in (1, 2, 5)]
    assert nulls[0].tobytes() == nulls[1].tobytes() == nulls[2].tobytes()
    with pytest.raises(ValueError, match="workers is 0"):
        two_vs_two_permutation(x, y, 20, np.random.default_rng(0), workers=0)
