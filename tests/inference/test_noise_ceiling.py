"""Noise ceilings against rsatoolbox, and where the truth must lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import squareform
from scipy.stats import pearsonr, rankdata, spearmanr

from benchmark.inference import noise_ceiling, rdm_statistic, subject_ceilings
from benchmark.measures import rdm


def subjects(seed: int, s: int = 5, n: int = 12, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 6))
    return rdm(x), np.array([rdm(x + noise * rng.normal(size=x.shape)) for _ in range(s)])


@pytest.mark.parametrize(
    "method, theirs", [("spearman", "spearman"), ("pearson", "corr"), ("cosine", "cosine")]
)
@pytest.mark.parametrize("levels", [None, 4])
def test_equals_rsatoolbox(method: str, theirs: str, levels: int | None) -> None:
    from rsatoolbox.inference.noise_ceiling import boot_noise_ceiling
    from rsatoolbox.rdm import RDMs

    _, people = subjects(0)
    if levels:
        people = np.round(people * levels) / levels
    expected = boot_noise_ceiling(RDMs(people), method=theirs)
    np.testing.assert_allclose(noise_ceiling(people, method), expected, atol=1e-8)


@pytest.mark.parametrize("method", ["spearman", "pearson", "cosine"])
def test_the_truth_lies_within_and_nothing_above(method: str) -> None:
    truth, people = subjects(1, s=12, n=30)
    lower, upper = noise_ceiling(people, method)
    ones = np.ones((1, 30))
    of_truth = rdm_statistic(truth, people, method)(ones)[0]
    assert of_truth <= upper
    if method != "cosine":  # noise makes dissimilarities greater: a cosine takes that for shape
        assert lower - 0.02 < of_truth
    for other in people:
        assert rdm_statistic(other, people, method)(ones)[0] <= upper


def test_subjects_who_agree_have_a_ceiling_of_one() -> None:
    _, people = subjects(2)
    for method in ("spearman", "pearson", "cosine"):
        np.testing.assert_allclose(noise_ceiling(np.array([people[0], 2 * people[0]]), method), (1, 1))


def test_undefined() -> None:
    _, people = subjects(3)
    with pytest.raises(ValueError, match="at least 2 subjects"):
        noise_ceiling(people[:1])
    with pytest.raises(ValueError, match=r"rdms\[1\] of shape .* all equal"):
        noise_ceiling(np.array([people[0], 1 - np.eye(12)]))
    with pytest.raises(ValueError, match=r"rdms\[0\] of shape .* all zero"):
        noise_ceiling(np.array([0 * people[0], people[1]]), "cosine")
    with pytest.raises(ValueError, match="method is 'kendall'"):
        noise_ceiling(people, "kendall")
    opposed = 2 - people[0]
    np.fill_diagonal(opposed, 0)
    lower, upper = noise_ceiling(np.array([people[0], opposed]), "pearson")
    assert lower == pytest.approx(-1)
    assert np.isnan(upper)


@pytest.mark.human_data
@pytest.mark.parametrize("method, theirs", [("spearman", "spearman"), ("pearson", "corr")])
def test_ceilings_of_people(human_data: Path, method: str, theirs: str) -> None:
    from rsatoolbox.inference.noise_ceiling import boot_noise_ceiling
    from rsatoolbox.rdm import RDMs

    people = np.load(human_data / "cichy92" / "fmri_IT_RDMs.npz")["Net_RDM"]
    expected = boot_noise_ceiling(RDMs(people), method=theirs)
    np.testing.assert_allclose(noise_ceiling(people, method), expected, atol=1e-6)


@pytest.mark.parametrize("method", ["spearman", "pearson"])
def test_the_ceilings_of_subjects_are_their_correlations_with_the_others(method: str) -> None:
    """By hand, with scipy; their means are the noise ceiling."""
    rng = np.random.default_rng(0)
    people = np.array([squareform(rng.random(66)) for _ in range(4)])
    pairs = np.array([squareform(person) for person in people])
    values = np.array([rankdata(p) if method == "spearman" else (p - p.mean()) / p.std() for p in pairs])
    correlate = spearmanr if method == "spearman" else pearsonr
    found = subject_ceilings(people, method)
    for i, own in enumerate(values):
        assert found.lower[i] == pytest.approx(correlate(own, np.delete(values, i, 0).mean(axis=0))[0])
        assert found.upper[i] == pytest.approx(correlate(own, values.mean(axis=0))[0])
    assert noise_ceiling(people, method) == (found.lower.mean(), found.upper.mean())
