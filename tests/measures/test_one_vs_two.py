"""1 vs 2 against its definition, and its two tests."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmark.measures import one_vs_two, one_vs_two_permutation


def case(seed: int, m: int = 12, c: int = 10, signal: float = 1.0) -> tuple[np.ndarray, ...]:
    """Wrong images that lie near what they show, as far as ``signal`` goes."""
    rng = np.random.default_rng(seed)
    right, shown, taken = (rng.normal(size=(k, 15)) for k in (c, m, m))
    wrong = signal * shown + rng.normal(size=shown.shape)
    words = [np.corrcoef(concept, right)[:m, m:] for concept in (shown, taken)]
    return wrong, right, words[0], words[1]


def _with_nan(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array[1, 2] = np.nan
    return array


def outcomes_by_definition(wrong, right, true, predicted) -> list[bool]:
    found = []
    for i, image in enumerate(wrong):
        row = [np.corrcoef(image, other)[0, 1] for other in right]
        found.append(np.corrcoef(row, true[i])[0, 1] > np.corrcoef(row, predicted[i])[0, 1])
    return found


@pytest.mark.parametrize("seed", range(5))
def test_equals_the_definition(seed: int) -> None:
    arrays = case(seed)
    result = one_vs_two(*arrays)
    expected = outcomes_by_definition(*arrays)
    np.testing.assert_array_equal(result.outcomes, expected)
    assert result.accuracy == np.mean(expected)
    assert result.p_binomial == pytest.approx(stats.binom.sf(sum(expected) - 1, 12, 0.5))


def test_direction() -> None:
    wrong, right, true, predicted = case(0, m=60, signal=3)
    assert one_vs_two(wrong, right, true, predicted).accuracy > 0.9
    turned = one_vs_two(wrong, right, predicted, true)
    assert turned.accuracy < 0.1
    assert turned.p_binomial > 0.99


def test_ties_count_one_half_and_are_left_out_of_the_binomial_test() -> None:
    wrong, right, true, predicted = case(1)
    predicted[3] = true[3]
    result = one_vs_two(wrong, right, true, predicted)
    assert result.ties == 1
    assert result.outcomes[3] == 0.5
    wins = int((result.outcomes == 1).sum())
    assert result.p_binomial == pytest.approx(stats.binom.sf(wins - 1, 11, 0.5))
    all_tied = one_vs_two(wrong, right, true, true)
    assert all_tied.accuracy == 0.5
    assert np.isnan(all_tied.p_binomial)


def test_permutation_test() -> None:
    arrays = case(2, m=40, signal=2)
    test = one_vs_two_permutation(*arrays, n=199, rng=np.random.default_rng(0))
    assert test.score == one_vs_two(*arrays).accuracy
    assert test.p == 1 / 200
    assert 0.4 < test.chance < 0.6
    again = one_vs_two_permutation(*arrays, n=199, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(again.null, test.null)


@given(
    seed=st.integers(0, 10**6),
    m=st.integers(1, 8),
    c=st.integers(4, 9),
    d=st.integers(3, 12),
    n=st.integers(1, 3),
)
@settings(max_examples=25, deadline=None)
def test_every_permutation_is_the_definition_with_the_right_stimuli_permuted(
    seed: int, m: int, c: int, d: int, n: int
) -> None:
    rng = np.random.default_rng(seed)
    wrong, right = rng.normal(size=(m, d)), rng.normal(size=(c, d))
    true, predicted = rng.normal(size=(2, m, c))
    test = one_vs_two_permutation(wrong, right, true, predicted, n, seed)
    assert test.score == np.mean(outcomes_by_definition(wrong, right, true, predicted))
    orders = np.random.default_rng(seed)
    for null in test.null:
        moved = right[orders.permutation(c)]
        assert null == np.mean(outcomes_by_definition(wrong, moved, true, predicted))


def test_free_of_scale_and_shift_of_every_row_and_of_the_order_of_the_right_stimuli() -> None:
    wrong, right, true, predicted = case(7)
    rng = np.random.default_rng(0)
    order = rng.permutation(len(right))
    moved = one_vs_two(
        3 * wrong + rng.normal(size=(len(wrong), 1)),
        (right * rng.uniform(0.1, 9, (len(right), 1)))[order],
        2 * true[:, order] - 1,
        0.1 * predicted[:, order],
    )
    np.testing.assert_array_equal(moved.outcomes, one_vs_two(wrong, right, true, predicted).outcomes)


def test_bad_input() -> None:
    wrong, right, true, predicted = case(3)
    for arrays, message in (
        ((wrong[:0], right, true[:0], predicted[:0]), "features_wrong has shape .* at least one"),
        ((wrong, right[:2], true[:, :2], predicted[:, :2]), r"features_right has shape \(2, 15\)"),
        ((wrong, right, true[:, :4], predicted), r"true_words has shape \(12, 4\): expected \(12, 10\)"),
        ((wrong * 0, right, true, predicted), "features_wrong"),
        ((wrong, right, true, predicted * 0), "predicted_words"),
        ((_with_nan(wrong), right, true, predicted), r"features_wrong of shape .* is not finite in row 1"),
        ((wrong, right, _with_nan(true), predicted), r"true_words of shape .* is not finite in row 1"),
    ):
        with pytest.raises(ValueError, match=message):
            one_vs_two(*arrays)
    with pytest.raises(ValueError, match="n is 0"):
        one_vs_two_permutation(wrong, right, true, predicted, 0, np.random.default_rng(0))
