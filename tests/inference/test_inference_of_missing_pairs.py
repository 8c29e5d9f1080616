"""Interval, permutation test and noise ceiling over the pairs that each subject has, against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmark.inference import (
    bootstrap_compare,
    bootstrap_weights,
    noise_ceiling,
    permutation_compare,
    permutation_test_rdm,
    rdm_statistic,
)
from benchmark.measures import rdm

N = 12
AT = np.triu_indices(N, 1)
METHODS = ("pearson", "spearman", "cosine")


def people(
    seed: int, s: int = 4, share: float = 0.3, levels: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """A complete RDM, and RDMs of subjects who each lack a share of the pairs."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N, 6))
    rdms = np.array([rdm(x + rng.normal(size=x.shape)) for _ in range(s)])
    if levels:
        rdms = np.round(rdms * levels) / levels
    drawn = np.triu(rng.random(rdms.shape) < share, 1)
    return rdm(x), np.where(drawn | drawn.transpose(0, 2, 1), np.nan, rdms)


def correlation(x: np.ndarray, y: np.ndarray, method: str) -> float:
    if method == "cosine":
        return float(x @ y / np.sqrt((x @ x) * (y @ y)))
    return float((stats.spearmanr if method == "spearman" else stats.pearsonr)(x, y)[0])


def mean_correlation(
    model: np.ndarray, rdms: np.ndarray, method: str, copies: np.ndarray | None = None
) -> float:
    """Mean over subjects, each over its own pairs, each pair repeated as often as it was drawn."""
    times = np.ones(len(AT[0]), dtype=int) if copies is None else np.outer(copies, copies)[AT].astype(int)
    values = []
    for subject in rdms:
        used = ~np.isnan(subject[AT]) & ~np.isnan(model[AT]) & (times > 0)
        if used.sum() >= 3:
            x, y = (np.repeat(m[AT][used], times[used]) for m in (model, subject))
            values.append(correlation(x, y, method))
    return float(np.mean(values)) if values else np.nan


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 10**6), tied=st.booleans())
@settings(max_examples=20, deadline=None)
def test_score_is_the_mean_over_subjects_of_what_is_left(method: str, seed: int, tied: bool) -> None:
    model, rdms = people(seed, levels=4 if tied else None)
    expected = mean_correlation(model, rdms, method)
    one = np.ones((1, N))
    assert rdm_statistic(model, rdms, method)(one)[0] == pytest.approx(expected, abs=1e-10)
    assert bootstrap_compare(model, rdms[None], method, weights=one).score[0, 0] == pytest.approx(
        expected, abs=1e-10
    )
    assert permutation_compare(model, rdms[None], 2, 0, method).score[0, 0] == pytest.approx(
        expected, abs=1e-10
    )


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_order_of_stimuli_and_of_subjects_does_not_matter(method: str, seed: int) -> None:
    model, rdms = people(seed)
    rng = np.random.default_rng(seed)
    order, subjects = rng.permutation(N), rng.permutation(len(rdms))
    at = np.ix_(order, order)
    weights = bootstrap_weights(N, 20, 0)
    values = rdm_statistic(model, rdms, method)(weights)
    turned = rdm_statistic(model[at], np.array([rdms[s][at] for s in subjects]), method)(weights[:, order])
    np.testing.assert_allclose(turned, values, atol=1e-10)
    np.testing.assert_allclose(
        noise_ceiling(np.array([rdms[s][at] for s in subjects]), method),
        noise_ceiling(rdms, method),
        atol=1e-10,
    )


@pytest.mark.parametrize("method", ["pearson", "cosine", "spearman"])
def test_draws_are_of_the_copies_of_the_pairs_that_are_there(method: str) -> None:
    """Very few pairs, so that draws leave subjects out. Models may lack pairs too."""
    model, rdms = people(3, share=0.6)
    other = people(4, s=1, share=0.2)[1][0]
    weights = bootstrap_weights(N, 40, 1)
    found = bootstrap_compare(np.stack([model, other]), [rdms, rdms[:2]], method, weights=weights)
    for m, compared in enumerate((model, other)):
        for t, subjects in enumerate((rdms, rdms[:2])):
            expected = [mean_correlation(compared, subjects, method, counts) for counts in weights]
            np.testing.assert_allclose(found.draws[:, m, t], expected, atol=1e-9)
    if method != "spearman":
        np.testing.assert_allclose(
            rdm_statistic(model, rdms, method)(weights), found.draws[:, 0, 0], atol=1e-9
        )


def test_a_subject_whose_pairs_are_not_in_a_draw_is_left_out_of_it() -> None:
    model, rdms = people(5, s=2, share=0)
    rdms[1, 4:, :] = rdms[1, :, 4:] = np.nan
    rdms[1][np.diag_indices(N)] = 0
    later = np.where(np.arange(N) < 4, 0.0, 1.0)[None]
    alone = rdm_statistic(model, rdms[:1])(later)
    np.testing.assert_allclose(rdm_statistic(model, rdms)(later), alone, atol=1e-12)
    assert np.isnan(rdm_statistic(model, rdms[1:])(later)).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("levels", [None, 3])
def test_null_is_that_of_permuted_models(method: str, levels: int | None) -> None:
    model, rdms = people(6, levels=levels)
    other = people(7, levels=levels)[0]
    rdms[0] = people(8, share=0)[1][0]  # a complete subject beside partial ones
    found = permutation_compare(np.stack([model, other]), [rdms, rdms[:1]], 15, 2, method)
    rng = np.random.default_rng(2)
    orders = [rng.permutation(N) for _ in range(15)]
    for m, compared in enumerate((model, other)):
        for t, subjects in enumerate((rdms, rdms[:1])):
            expected = [mean_correlation(compared[np.ix_(o, o)], subjects, method) for o in orders]
            np.testing.assert_allclose(found.null[:, m, t], expected, atol=1e-9)
    p = (1 + (found.null >= found.score).sum(axis=0)) / 16
    np.testing.assert_array_equal(found.p, p)


def test_numbers_of_a_complete_target_do_not_depend_on_one_beside_it() -> None:
    model, rdms = people(9)
    complete = people(10, share=0)[1]
    models = np.stack([model, people(11)[0]])
    alone = permutation_compare(models, [complete], 9, 0)
    beside = permutation_compare(models, [rdms, complete], 9, 0)
    np.testing.assert_array_equal(beside.null[:, :, 1], alone.null[:, :, 0])


def test_a_permutation_without_a_correlation_counts_against_the_model() -> None:
    """Most pairs of the model are alike, so that many permutations have no variance in the four pairs."""
    model = 0.5 * (1 - np.eye(N))
    for i, j, value in ((0, 1, 0.1), (1, 2, 0.2), (0, 2, 0.3)):
        model[i, j] = model[j, i] = value
    target = np.where(np.eye(N), 0, np.nan)
    for i, j, value in ((0, 1, 0.1), (1, 2, 0.3), (0, 2, 0.35), (2, 3, 0.4)):
        target[i, j] = target[j, i] = value
    test = permutation_test_rdm(model, target[None], "pearson", 99, 0)
    undefined = np.isnan(test.null)
    assert undefined.any()
    reached = undefined | (test.null >= test.score)
    assert test.p == (1 + reached.sum()) / 100


def test_models_that_are_permuted_have_all_pairs() -> None:
    model, rdms = people(12)
    with pytest.raises(
        ValueError, match=r"models\[0\] of shape \(12, 12\) has pairs that are NaN: .*exchange"
    ):
        permutation_compare(rdms[0], model[None], 9, 0)
    with pytest.raises(ValueError, match=r"model_rdm of shape .* is not finite"):
        permutation_test_rdm(rdms[0], model[None], "pearson", 9, 0)


def ceiling_by_hand(rdms: np.ndarray, method: str) -> tuple[float, float]:
    rows = []
    for values in (subject[AT] for subject in rdms):
        row, own = np.full(len(values), np.nan), ~np.isnan(values)
        if method == "spearman":
            row[own] = (stats.rankdata(values[own]) - 0.5) / own.sum()
        elif method == "pearson":
            row[own] = stats.zscore(values[own])
        else:
            row[own] = values[own] / np.sqrt(np.mean(values[own] ** 2))
        rows.append(row)
    bounds = []
    for leave_out in (True, False):
        found = []
        for i, row in enumerate(rows):
            mean = np.ma.masked_invalid([r for j, r in enumerate(rows) if j != i or not leave_out]).mean(
                axis=0
            )
            both = ~np.isnan(row) & ~np.ma.getmaskarray(mean)
            found.append(correlation(row[both], mean.data[both], method))
        bounds.append(float(np.mean(found)))
    return bounds[0], bounds[1]


@pytest.mark.parametrize("method", METHODS)
def test_noise_ceiling_is_over_the_pairs_that_are_there(method: str) -> None:
    for seed in range(3):
        _, rdms = people(seed, s=3, share=0.4)
        np.testing.assert_allclose(noise_ceiling(rdms, method), ceiling_by_hand(rdms, method), atol=1e-9)


@pytest.mark.parametrize(
    ("method", "theirs"), [("pearson", "corr"), ("cosine", "cosine"), ("spearman", "spearman")]
)
def test_noise_ceiling_equals_rsatoolbox_where_all_lack_the_same_pairs(method: str, theirs: str) -> None:
    """With different pairs it refuses."""
    from rsatoolbox.inference.noise_ceiling import boot_noise_ceiling
    from rsatoolbox.rdm import RDMs

    _, rdms = people(13, share=0)
    rdms[:, 2, 5:9] = rdms[:, 5:9, 2] = np.nan
    expected = boot_noise_ceiling(RDMs(rdms), method=theirs)
    np.testing.assert_allclose(noise_ceiling(rdms, method), expected, atol=1e-8)


def test_ceiling_of_subjects_with_nothing_in_common() -> None:
    _, rdms = people(14, s=2, share=0)
    rdms[0, 6:, :] = rdms[0, :, 6:] = np.nan
    rdms[1, :6, :] = rdms[1, :, :6] = np.nan
    rdms[:, np.arange(N), np.arange(N)] = 0
    lower, upper = noise_ceiling(rdms, "pearson")
    assert np.isnan(lower)
    assert upper == pytest.approx(1)
