"""2 vs 2 against its definition: two columns dropped, Pearson, one pair at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.measures import two_vs_two, two_vs_two_permutation


def by_definition(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    w, i = np.corrcoef(x), np.corrcoef(y)
    k = len(x)
    margins = np.full((k, k), np.nan)
    for a in range(k):
        for b in range(k):
            if a != b:
                keep = [c for c in range(k) if c not in (a, b)]

                def corr(u: int, v: int, keep: list[int] = keep) -> float:
                    return float(np.corrcoef(w[u, keep], i[v, keep])[0, 1])

                margins[a, b] = corr(a, a) + corr(b, b) - corr(a, b) - corr(b, a)
    return margins


def spaces(seed: int, k: int, p: int, q: int, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(k, p))
    return x, x @ rng.normal(size=(p, q)) + noise * rng.normal(size=(k, q))


@given(k=st.integers(5, 14), p=st.integers(3, 9), q=st.integers(3, 9), seed=st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_every_margin_equals_the_definition(k: int, p: int, q: int, seed: int) -> None:
    x, y = spaces(seed, k, p, q)
    result = two_vs_two(x, y, margins=True)
    expected = by_definition(x, y)
    assert result.margins is not None
    np.testing.assert_allclose(result.margins, expected, rtol=0, atol=1e-10)
    above = expected[np.triu_indices(k, 1)]
    assert result.ties == 0
    assert result.accuracy == pytest.approx((above > 0).mean(), abs=1e-12)
    outcomes = np.where(np.isnan(expected), np.nan, expected > 0)
    np.testing.assert_allclose(result.per_concept, np.nanmean(outcomes, axis=1))
    np.testing.assert_array_equal(result.outcomes, outcomes)


@given(k=st.integers(5, 14), p=st.integers(3, 9), q=st.integers(3, 9), seed=st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_matched_is_the_mean_correlation_of_the_true_assignments(k: int, p: int, q: int, seed: int) -> None:
    x, y = spaces(seed, k, p, q)
    w, i = np.corrcoef(x), np.corrcoef(y)
    found = two_vs_two(x, y, margins=True).matched
    assert found is not None
    for a in range(k):
        for b in set(range(k)) - {a}:
            keep = [c for c in range(k) if c not in (a, b)]
            own = [np.corrcoef(w[c, keep], i[c, keep])[0, 1] for c in (a, b)]
            assert found[a, b] == pytest.approx(np.mean(own), abs=1e-10)
    assert np.isnan(found.diagonal()).all()
    assert two_vs_two(x, y).matched is None


def test_pairs_whose_rows_are_nearly_constant_without_a_column() -> None:
    """Two concepts alike only to each other: all of a row's variance is in the column that is dropped."""
    x, y = spaces(0, 8, 30, 10)
    x = np.linalg.qr(x.T)[0].T[:8]
    x -= x.mean(axis=1, keepdims=True)
    x[1] = x[0] + 1e-3 * x[1]
    x += 1e-5 * np.random.default_rng(1).normal(size=x.shape)
    result = two_vs_two(x, y, margins=True)
    np.testing.assert_allclose(result.margins, by_definition(x, y), rtol=0, atol=1e-10)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_symmetric_and_free_of_order_scale_and_shift(seed: int) -> None:
    x, y = spaces(seed, 10, 6, 8)
    rng = np.random.default_rng(seed)
    result = two_vs_two(x, y)
    assert two_vs_two(y, x).accuracy == result.accuracy
    order = rng.permutation(10)
    moved = two_vs_two(
        x[order] * rng.uniform(0.1, 9, (10, 1)) + rng.normal(size=(10, 1)), y[order], margins=False
    )
    assert moved.accuracy == result.accuracy
    np.testing.assert_allclose(moved.per_concept, result.per_concept[order])
    assert moved.margins is None


def test_identical_spaces_pass_every_pair_and_exchanged_concepts_fail() -> None:
    x, _ = spaces(1, 12, 20, 20)
    assert two_vs_two(x, 3 * x - 1).accuracy == 1
    exchanged = x.copy()
    exchanged[[2, 9]] = x[[9, 2]]
    result = two_vs_two(x, exchanged, margins=True)
    assert result.outcomes[2, 9] == 0
    assert result.per_concept[5] > 0.8


def test_a_tie_counts_one_half() -> None:
    x, y = spaces(2, 9, 6, 6)
    x[3] = 2 * x[7] + 1
    result = two_vs_two(x, y, margins=True)
    assert result.ties == 1
    assert result.outcomes[3, 7] == 0.5
    others = np.delete(by_definition(x, y)[np.triu_indices(9, 1)], _pair_number(9, 3, 7))
    assert result.accuracy == pytest.approx(((others > 0).sum() + 0.5) / 36)


def _pair_number(k: int, a: int, b: int) -> int:
    return list(zip(*np.triu_indices(k, 1), strict=True)).index((a, b))


def test_all_alike_pairs_of_unrelated_spaces_are_at_chance() -> None:
    rng = np.random.default_rng(3)
    scores = [two_vs_two(rng.normal(size=(20, 30)), rng.normal(size=(20, 30))).accuracy for _ in range(60)]
    assert abs(np.mean(scores) - 0.5) < 4 * np.std(scores) / np.sqrt(60)


def test_permutation_test() -> None:
    x, y = spaces(4, 15, 8, 8, noise=0.5)
    test = two_vs_two_permutation(x, y, 199, np.random.default_rng(0))
    assert test.null.shape == (199,)
    assert test.p == (1 + (test.null >= test.score).sum()) / 200
    assert test.p < 0.02
    assert test.score == two_vs_two(x, y).accuracy
    again = two_vs_two_permutation(x, y, 199, np.random.default_rng(0))
    np.testing.assert_array_equal(test.null, again.null)
    order = np.random.default_rng(0).permutation(15)
    assert test.null[0] == two_vs_two(x[order], y).accuracy


def test_p_values_are_uniform_where_nothing_is_there() -> None:
    rng = np.random.default_rng(5)
    p = [
        two_vs_two_permutation(rng.normal(size=(8, 9)), rng.normal(size=(8, 9)), 39, rng).p
        for _ in range(150)
    ]
    assert 0.4 < np.mean(p) < 0.6
    assert np.mean(np.array(p) <= 0.05) < 0.12


def test_undefined_and_bad_input() -> None:
    x, y = spaces(6, 8, 5, 5)
    constant = x.copy()
    constant[2] = 1
    with pytest.raises(ValueError, match=r"x of shape .* row 2"):
        two_vs_two(constant, y)
    one_hot = np.eye(8)
    with pytest.raises(ValueError, match=r"y of shape .*correlations with the others are all equal"):
        two_vs_two(x, one_hot)
    with pytest.raises(ValueError, match="at least 5 concepts"):
        two_vs_two(x[:4], y[:4])
    with pytest.raises(ValueError, match="x has 8 rows and y has 7"):
        two_vs_two(x, y[:7])
    with pytest.raises(ValueError, match="n is 0"):
        two_vs_two_permutation(x, y, 0, np.random.default_rng(0))
    with pytest.raises(ValueError, match="margins is None"):
        _ = two_vs_two(x, y).outcomes
