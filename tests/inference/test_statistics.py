"""Statistics of weights against resampling done by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.inference import (
    SubjectKernels,
    SubjectRDMs,
    bootstrap_weights,
    cka_statistic,
    grouped_mean_statistic,
    mean_statistic,
    pair_statistic,
    rdm_scoring_cost,
    rdm_statistic,
    values_of,
)
from benchmark.measures import compare_rdms, rdm


def rdms(seed: int, n: int = 11, subjects: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 6))
    return rdm(x), np.array([rdm(x + rng.normal(size=x.shape)) for _ in range(subjects)])


def ranked(matrix: np.ndarray) -> np.ndarray:
    from scipy.stats import rankdata

    at = np.triu_indices(len(matrix), 1)
    result = np.zeros(matrix.shape)
    result[at] = rankdata(matrix[at])
    return result + result.T


@given(seed=st.integers(0, 10**6), method=st.sampled_from(["pearson", "spearman"]))
@settings(max_examples=30, deadline=None)
def test_rdm_statistic_is_the_correlation_over_resampled_pairs(seed: int, method: str) -> None:
    model, subjects = rdms(seed)
    weights = bootstrap_weights(11, 5, np.random.default_rng(seed))
    found = rdm_statistic(model, subjects, method)(weights)
    one, many = model, subjects
    if method == "spearman":
        one, many = ranked(model), np.array([ranked(s) for s in subjects])
    for value, counts in zip(found, weights.astype(int), strict=True):
        sample = np.repeat(np.arange(11), counts)
        i, j = np.triu_indices(len(sample), 1)
        pairs = sample[i] != sample[j]
        a, b = sample[i][pairs], sample[j][pairs]
        expected = np.mean([np.corrcoef(one[a, b], s[a, b])[0, 1] for s in many])
        assert value == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_rdm_statistic_with_all_weights_one_is_the_comparison(method: str) -> None:
    model, subjects = rdms(0)
    score = rdm_statistic(model, subjects, method)(np.ones((1, 11)))[0]
    assert score == pytest.approx(np.mean([compare_rdms(model, s, method) for s in subjects]), abs=1e-12)
    one = rdm_statistic(model, subjects[0], method)(np.ones((1, 11)))[0]
    assert one == pytest.approx(compare_rdms(model, subjects[0], method), abs=1e-12)


def test_a_half_is_the_correlation_of_the_sub_rdms() -> None:
    model, subjects = rdms(1)
    half = np.arange(11) < 6
    found = rdm_statistic(model, subjects)(half[None].astype(float))[0]
    at = np.ix_(half, half)
    assert found == pytest.approx(np.mean([compare_rdms(model[at], s[at], "pearson") for s in subjects]))


def test_undefined_draws_are_nan() -> None:
    model, subjects = rdms(2)
    weights = np.zeros((3, 11))
    weights[0, 4] = 11
    weights[1, [4, 5]] = 5
    weights[2, [4, 5, 6]] = 4
    found = rdm_statistic(model, subjects)(weights)
    assert np.isnan(found[:2]).all()
    assert np.isfinite(found[2])
    flat = 0.5 * (1 - np.eye(11))
    flat[0, 1] = flat[1, 0] = 0.9
    without = np.ones((1, 11))
    without[0, 0] = 0
    assert np.isnan(rdm_statistic(flat, subjects)(without))[0], "no variance among the pairs with weight"
    with pytest.raises(ValueError, match=r"model_rdm of shape .* all equal"):
        rdm_statistic(1 - np.eye(11), subjects)
    with pytest.raises(ValueError, match="expected the same conditions"):
        rdm_statistic(model[:5, :5], subjects)
    with pytest.raises(ValueError, match=r"weights has shape \(1, 4\): expected \(b, 11\)"):
        rdm_statistic(model, subjects)(np.ones((1, 4)))
    with pytest.raises(ValueError, match="method is 'kendall'"):
        rdm_statistic(model, subjects, "kendall")


@given(seed=st.integers(0, 10**6), k=st.integers(3, 10))
@settings(max_examples=30, deadline=None)
def test_pair_statistic_is_the_mean_over_resampled_pairs(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.random((k, k))
    values[rng.random((k, k)) < 0.2] = np.nan
    weights = bootstrap_weights(k, 4, rng)
    for value, counts in zip(pair_statistic(values)(weights), weights.astype(int), strict=True):
        sample = np.repeat(np.arange(k), counts)
        drawn = [
            values[min(a, b), max(a, b)] for i, a in enumerate(sample) for b in sample[i + 1 :] if a != b
        ]
        drawn = [v for v in drawn if not np.isnan(v)]
        expected = np.mean(drawn) if drawn else np.nan
        assert value == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_mean_statistic() -> None:
    statistic = mean_statistic([1.0, np.nan, 4.0])
    found = statistic(np.array([[1.0, 1, 1], [3, 5, 0], [0, 3, 0]]))
    np.testing.assert_allclose(found, [2.5, 1, np.nan])
    with pytest.raises(ValueError, match=r"values has shape \(3,\): expected \(4,\)"):
        mean_statistic([1.0, 2, 3], n=4)


def test_grouped_mean_statistic() -> None:
    statistic = grouped_mean_statistic([1.0, 0.0, np.nan, 1.0], [0, 0, 2, 2])
    found = statistic(np.array([[1.0, 1, 1], [2, 0, 1], [0, 5, 0]]))
    np.testing.assert_allclose(found, [2 / 3, 3 / 5, np.nan])
    with pytest.raises(ValueError, match="group names concept 2"):
        statistic(np.ones((1, 2)))
    with pytest.raises(ValueError, match="expected two"):
        grouped_mean_statistic([1.0], [0, 1])
    with pytest.raises(ValueError, match="expected indices"):
        grouped_mean_statistic([1.0], [0.5])


@pytest.mark.parametrize("missing", ["none", "of a subject", "of a model"])
def test_models_that_share_a_target_have_the_values_that_each_has_alone(missing: str) -> None:
    rng = np.random.default_rng(0)
    subjects, layers = (np.stack([rdm(rng.normal(size=(12, 9))) for _ in range(3)]) for _ in range(2))
    if missing != "none":
        (subjects if missing == "of a subject" else layers)[1, [0, 4], [4, 0]] = np.nan
    weights = bootstrap_weights(12, 40, rng=1)
    target = SubjectRDMs(subjects, "spearman")
    together = values_of([target.statistic(layer) for layer in layers], weights)
    for layer, values in zip(layers, together, strict=True):
        assert np.array_equal(values, rdm_statistic(layer, subjects, "spearman")(weights), equal_nan=True)


def test_kernels_that_share_a_target_have_the_values_that_each_has_alone() -> None:
    subject, *layers = (x @ x.T for x in np.random.default_rng(0).normal(size=(4, 12, 5)))
    weights = bootstrap_weights(12, 40, rng=1)
    target = SubjectKernels([subject])
    together = values_of([target.statistic(layer) for layer in layers], weights)
    for layer, values in zip(layers, together, strict=True):
        assert np.array_equal(values, cka_statistic(layer, [subject])(weights), equal_nan=True)


def test_moments_of_a_target_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    target = SubjectRDMs(rdm(rng.normal(size=(8, 9))))
    calls = []
    compute = SubjectRDMs._weighted
    monkeypatch.setattr(SubjectRDMs, "_weighted", lambda *of: calls.append(1) or compute(*of))
    values_of([target.statistic(rdm(rng.normal(size=(8, 9)))) for _ in range(3)], np.ones((1, 8)))
    assert len(calls) == 1


def test_cost_grows_with_conditions_layers_and_subjects() -> None:
    def seconds(n: int, subjects: int, layers: int) -> float:
        cost = rdm_scoring_cost(n, subjects, layers, permutations=200)
        assert cost is not None
        assert cost.memory is not None
        return cost.seconds

    assert rdm_scoring_cost(48, 4, 6, permutations=1000) is None
    assert seconds(2400, 1, 10) == pytest.approx(4 * seconds(1200, 1, 10))
    assert seconds(1200, 1, 10) < seconds(1200, 1, 20) < seconds(1200, 4, 20)
