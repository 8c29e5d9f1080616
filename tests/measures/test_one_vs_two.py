"""1 vs 2 against its definition, and its two tests."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from benchmark.measures import one_vs_two, one_vs_two_permutation


def case(seed: int, m: int = 12, c: int = 10, signal: float = 1.0) -> tuple[np.ndarray, ...]:
    """Wrong images that lie near what they show, as far as ``signal`` goes."""
    rng = np.random.default_rng(seed)
    right, shown, taken = (rng.normal(size=(k, 15)) for k in (c, m, m))
    wrong = signal * shown + rng.normal(size=shown.shape)
    words = [np.corrcoef(concept, right)[:m, m:] for concept in (shown, taken)]
    return wrong, right, words[0], words[1]


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


def test_bad_input() -> None:
    wrong, right, true, predicted = case(3)
    for arrays, message in (
        ((wrong[:0], right, true[:0], predicted[:0]), "features_wrong has shape .* at least one"),
        ((wrong, right[:2], true[:, :2], predicted[:, :2]), r"features_right has shape \(2, 15\)"),
        ((wrong, right, true[:, :4], predicted), r"true_words has shape \(12, 4\): expected \(12, 10\)"),
        ((wrong * 0, right, true, predicted), "features_wrong"),
        ((wrong, right, true, predicted * 0), "predicted_words"),
    ):
        with pytest.raises(ValueError, match=message):
            one_vs_two(*arrays)
    with pytest.raises(ValueError, match="n is 0"):
        one_vs_two_permutation(wrong, right, true, predicted, 0, np.random.default_rng(0))
