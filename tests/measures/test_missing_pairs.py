"""RDMs with missing pairs are compared over the pairs that both have: scipy and rsatoolbox say the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmark.measures import compare_rdms, rdm
from benchmark.measures.compare import METHODS

N = 10
AT = np.triu_indices(N, 1)
RSATOOLBOX = {
    "pearson": "corr",
    "spearman": "spearman",
    "kendall": "tau-a",
    "rho-a": "rho-a",
    "cosine": "cosine",
    "corr_cov": "corr_cov",
    "cosine_cov": "cosine_cov",
}


def pair(seed: int, levels: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N, 5))
    a, b = rdm(x), rdm(x + rng.normal(size=x.shape))
    if levels:
        a, b = (np.round(m * levels) / levels for m in (a, b))
    return a, b


def without(matrix: np.ndarray, seed: int, share: float = 0.4) -> np.ndarray:
    """``matrix`` with a share of its pairs NaN."""
    drawn = np.triu(np.random.default_rng(seed).random(matrix.shape) < share, 1)
    return np.where(drawn | drawn.T, np.nan, matrix)


def tau_a(x: np.ndarray, y: np.ndarray) -> float:
    signs = np.sign(x[:, None] - x) * np.sign(y[:, None] - y)
    return float(signs.sum() / (len(x) * (len(x) - 1)))


def rho_a(x: np.ndarray, y: np.ndarray) -> float:
    n = len(x)
    centred = [stats.rankdata(values) - (n + 1) / 2 for values in (x, y)]
    return float(12 * centred[0] @ centred[1] / (n**3 - n))


def whitened(x: np.ndarray, y: np.ndarray, used: np.ndarray, centre: bool) -> float:
    """With the covariance of the dissimilarities in use, inverted."""
    contrasts = (np.eye(N)[AT[0]] - np.eye(N)[AT[1]])[used]
    inverse = np.linalg.inv((contrasts @ contrasts.T) ** 2)
    x, y = (values - values.mean() if centre else values for values in (x, y))
    return float(x @ inverse @ y / np.sqrt((x @ inverse @ x) * (y @ inverse @ y)))


def by_hand(a: np.ndarray, b: np.ndarray, method: str) -> float:
    """Drop the pairs that one of the two does not have, and compare what is left."""
    used = ~np.isnan(a[AT]) & ~np.isnan(b[AT])
    x, y = a[AT][used], b[AT][used]
    return {
        "pearson": lambda: stats.pearsonr(x, y)[0],
        "spearman": lambda: stats.spearmanr(x, y)[0],
        "kendall": lambda: tau_a(x, y),
        "rho-a": lambda: rho_a(x, y),
        "cosine": lambda: x @ y / np.sqrt((x @ x) * (y @ y)),
        "corr_cov": lambda: whitened(x, y, used, centre=True),
        "cosine_cov": lambda: whitened(x, y, used, centre=False),
    }[method]()


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 10**6), tied=st.booleans(), both=st.booleans())
@settings(max_examples=30, deadline=None)
def test_equals_what_is_left_without_the_missing_pairs(
    method: str, seed: int, tied: bool, both: bool
) -> None:
    a, b = pair(seed, levels=4 if tied else None)
    b = without(b, seed)
    a = without(a, seed + 1) if both else a
    assert compare_rdms(a, b, method) == pytest.approx(by_hand(a, b, method), abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("levels", [None, 3])
def test_equals_rsatoolbox_where_both_have_the_same_pairs(method: str, levels: int | None) -> None:
    """It refuses two RDMs with different missing pairs."""
    from rsatoolbox.rdm import RDMs, compare

    for seed in range(4):
        a, b = (without(matrix, seed) for matrix in pair(seed, levels=levels))
        expected = compare(RDMs(a[None]), RDMs(b[None]), method=RSATOOLBOX[method])[0, 0]
        assert compare_rdms(a, b, method) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_order_of_conditions_and_of_arguments_does_not_matter(method: str, seed: int) -> None:
    a, b = (without(matrix, seed + i, 0.3) for i, matrix in enumerate(pair(seed)))
    value = compare_rdms(a, b, method)
    order = np.random.default_rng(seed).permutation(N)
    at = np.ix_(order, order)
    assert compare_rdms(a[at], b[at], method) == pytest.approx(value, abs=1e-9)
    assert compare_rdms(b, a, method) == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_a_stack_of_complete_and_partial_rdms(method: str) -> None:
    stack = [
        without(matrix, seed, share) for seed, share in ((0, 0), (1, 0.3), (2, 0.5)) for matrix in pair(seed)
    ]
    found = compare_rdms(np.array(stack[:3]), np.array(stack[3:]), method)
    expected = [[compare_rdms(a, b, method) for b in stack[3:]] for a in stack[:3]]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)


def _with(matrix: np.ndarray, i: int, j: int, value: float = np.nan) -> np.ndarray:
    changed = matrix.copy()
    changed[i, j] = value
    return changed


def _only(matrix: np.ndarray, *kept: tuple[int, int]) -> np.ndarray:
    left = np.where(np.eye(len(matrix)), matrix, np.nan)
    for i, j in kept:
        left[i, j] = left[j, i] = matrix[i, j]
    return left


COMPLETE = pair(0)[0]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (_with(COMPLETE, 2, 2), r"b of shape \(10, 10\) has NaN on its diagonal in row 2: write 0 there"),
        (_with(COMPLETE, 2, 5), r"is NaN in row 2, column 5, and [0-9.]+ the other way: write"),
        (_only(COMPLETE), r"b of shape \(10, 10\) has 0 pairs of conditions that are not NaN: at least 3"),
        (_only(COMPLETE, (0, 1)), "has 1 pair of conditions that are not NaN: at least 3"),
        (_only(COMPLETE[:3, :3], (0, 1), (1, 2)), "b of shape .* has 2 pairs of conditions that are not NaN"),
        (_with(without(COMPLETE, 0), 2, 2, np.inf), "b of shape .* is not finite in row 2"),
        (
            np.where(np.isnan(without(COMPLETE, 0)), np.nan, 0.3 * (1 - np.eye(N))),
            r"b has \d+ dissimilarities in use that are all equal: undefined",
        ),
    ],
)
def test_bad_input_is_one_line(bad: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        compare_rdms(COMPLETE[: len(bad), : len(bad)], bad)
    assert "\n" not in str(error.value)


def test_two_rdms_that_share_no_pairs() -> None:
    first = _only(COMPLETE, (0, 1), (0, 2), (1, 2))
    with pytest.raises(ValueError, match=r"a and b\[1\] share 0 pairs of conditions that are not NaN"):
        compare_rdms(first, np.stack([first, _only(COMPLETE, (3, 4), (3, 5), (4, 5))]))


def test_rows_with_one_pair_or_none_are_no_fault() -> None:
    a, b = pair(1)
    few = _only(b, (0, 1), (1, 2), (2, 3), (0, 3))
    assert compare_rdms(a, few, "pearson") == pytest.approx(by_hand(a, few, "pearson"), abs=1e-12)
