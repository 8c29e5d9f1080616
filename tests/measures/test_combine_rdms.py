"""Partial RDMs are put on one scale and averaged: known factors, and rsatoolbox."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.measures import combine_rdms, rdm, stack_partial_rdms


def partials(seed: int, factors: tuple[float, ...], noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """A complete RDM, and parts of it over random conditions, each with a factor of its own."""
    rng = np.random.default_rng(seed)
    truth = rdm(rng.normal(size=(9, 6)))
    parts = []
    for factor in factors:
        # conditions 0 and 1 are in all of them
        kept = np.append([0, 1], rng.choice(np.arange(2, 9), size=4, replace=False))
        part = np.where(np.eye(9), 0, np.nan)
        errors = np.exp(noise * rng.normal(size=truth.shape))
        part[np.ix_(kept, kept)] = (factor * truth * np.sqrt(errors * errors.T))[np.ix_(kept, kept)]
        parts.append(part)
    return truth, np.array(parts)


@given(seed=st.integers(0, 10**6), factors=st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=5).map(tuple))
@settings(max_examples=50, deadline=None)
def test_proportional_parts_become_equal(seed: int, factors: tuple[float, ...]) -> None:
    truth, parts = partials(seed, factors)
    combined = combine_rdms(parts)
    middle = np.exp(np.mean(np.log(factors)))
    np.testing.assert_allclose(combined.scales, middle / np.array(factors), rtol=1e-9)
    there = ~np.isnan(parts).all(axis=0)
    np.testing.assert_allclose(combined.rdm[there], middle * truth[there], rtol=1e-9)
    assert np.isnan(combined.rdm[~there]).all()
    off = ~np.eye(9, dtype=bool)
    np.testing.assert_array_equal(combined.seen[off], (~np.isnan(parts)).sum(axis=0)[off])


def test_parts_that_meet_only_by_way_of_others() -> None:
    """A chain: each part shares three conditions with the next."""
    truth = rdm(np.random.default_rng(0).normal(size=(12, 8)))
    names = [tuple(range(start, start + 6)) for start in (0, 3, 6)]
    blocks = [
        factor * truth[np.ix_(rows, rows)] for factor, rows in zip((1.0, 50.0, 0.02), names, strict=True)
    ]
    stack, conditions = stack_partial_rdms(blocks, names)
    assert conditions == tuple(range(12))
    np.testing.assert_allclose(combine_rdms(stack).scales, [1, 1 / 50, 50], rtol=1e-9)


@pytest.mark.parametrize("partial", [True, False])
def test_equals_rsatoolbox(partial: bool) -> None:
    """Where parts are proportional, or all have the same pairs. Its unit is another one."""
    from rsatoolbox.rdm import RDMs
    from rsatoolbox.rdm.combine import from_partials, rescale

    factors = (1.0, 5.0, 0.3)
    rng = np.random.default_rng(2)
    parts = (
        partials(1, factors)[1] if partial else np.array([f * rdm(rng.normal(size=(9, 4))) for f in factors])
    )
    rows = [np.flatnonzero((~np.isnan(part)).sum(axis=0) > 1) for part in parts]
    rdms = [part[np.ix_(kept, kept)] for part, kept in zip(parts, rows, strict=True)]
    names = [[f"c{row}" for row in kept] for kept in rows]
    theirs = from_partials(
        [RDMs(r[None], pattern_descriptors={"conds": n}) for r, n in zip(rdms, names, strict=True)]
    )
    stack, conditions = stack_partial_rdms(rdms, names)
    assert list(conditions) == theirs.pattern_descriptors["conds"]
    at = np.triu_indices(len(conditions), 1)
    np.testing.assert_array_equal(stack[:, at[0], at[1]], theirs.dissimilarities)
    with np.errstate(invalid="ignore"):  # its mean of a pair that nobody has
        mean = rescale(theirs, method="simple", threshold=1e-24).mean().dissimilarities[0]
    ours = combine_rdms(stack).rdm[at]
    np.testing.assert_allclose(ours / np.nanmean(ours), mean / np.nanmean(mean), rtol=1e-6)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_order_does_not_matter_and_factors_only_change_the_unit(seed: int) -> None:
    _, parts = partials(seed, (1.0, 2.0, 3.0, 4.0), noise=0.5)
    rng = np.random.default_rng(seed)
    order, subjects = rng.permutation(9), rng.permutation(4)
    at = np.ix_(order, order)
    whole = combine_rdms(parts)
    turned = combine_rdms(np.array([parts[s][at] for s in subjects]))
    np.testing.assert_allclose(turned.rdm, whole.rdm[at], rtol=1e-9)
    factors = np.exp(rng.normal(size=4))
    scaled = combine_rdms(parts * factors[:, None, None])
    np.testing.assert_allclose(scaled.rdm, whole.rdm * np.exp(np.log(factors).mean()), rtol=1e-9)


def test_parts_without_a_common_scale_are_refused() -> None:
    truth = rdm(np.random.default_rng(3).normal(size=(8, 6)))
    stack, _ = stack_partial_rdms([truth[:4, :4], truth[4:, 4:]], ["abcd", "efgh"])
    with pytest.raises(ValueError, match=r"rdms\[0\] and rdms\[1\] share no pair that is not zero"):
        combine_rdms(stack)
    with pytest.raises(ValueError, match=r"rdms\[1\] of shape \(4, 4\) has 0 pairs"):
        combine_rdms([truth[:4, :4], np.where(np.eye(4), 0, np.nan)])


@pytest.mark.parametrize(
    ("rdms", "ids", "message"),
    [
        ([np.zeros((2, 2))], ["ab", "cd"], "1 rdms and 2 lists of ids"),
        ([], [], "0 rdms and 0 lists of ids"),
        ([np.zeros((2, 3))], ["ab"], r"rdms\[0\] has shape \(2, 3\) for 2 ids"),
        ([np.zeros((3, 3))], ["aba"], r"ids\[0\] has 'a' twice"),
    ],
)
def test_bad_parts(rdms: list[np.ndarray], ids: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        stack_partial_rdms(rdms, ids)
