"""To which population a score speaks: bootstrap over concepts, over subjects, or over both, and t-tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement, product
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit

from benchmark.inference._pairs import NO_VARIANCE, Moments, by_pairs, links, standardised, weighted_pairs
from benchmark.inference.bootstrap import bootstrap_weights
from benchmark.inference.noise_ceiling import NoiseCeiling, noise_ceiling
from benchmark.inference.permutation import fdr
from benchmark.inference.rdm_comparison import bootstrap_compare
from benchmark.measures._blocks import blocks
from benchmark.measures._checks import Float64, as_rdms
from benchmark.measures._threads import in_threads

Population = Literal["concepts", "subjects", "both"]

#: Fewest conditions and subjects. With three conditions, every draw that has three pairs is the sample itself
_FEWEST_CONDITIONS, _FEWEST_SUBJECTS = 4, 2
#: With two subjects, every draw that has a lower bound is the sample itself
_FEWEST_FOR_LOWER_BOUND = 3
#: Number of standardised RDMs of subjects that are in memory at one time, twice
_TOGETHER = 8
#: Smallest variance that a t-test divides by, so that two copies of one model do not differ
_SMALLEST_VARIANCE = float(np.finfo(float).eps)


@dataclass(frozen=True)
class DualBootstrap:
    """Scores of models, the noise ceiling, and their covariance over new samples from a population.

    Rows and columns of a covariance are the m models, the lower and the upper bound of the noise ceiling.

    Attributes
    ----------
    score : ndarray, shape (m,)
        Correlation of each model with the subjects' RDMs, averaged over subjects.
    ceiling : NoiseCeiling
        The bounds. NaN with one subject.
    population : str
        ``concepts``, ``subjects`` or ``both``: what would be drawn anew.
    degrees_of_freedom : int
        One less than the number of what is drawn. For ``both``: than the smaller of the two numbers.
    covariance : ndarray, shape (m + 2, m + 2)
        The estimate. The variance of each entry, and of each difference of two entries, that follows from it
        is the bounded one. So it need not be positive definite. NaN for a bound without an estimate.
    of_draws : mapping of str to ndarray, shape (m + 2, m + 2)
        The covariance of the draws of each bootstrap that was made, not corrected: over ``concepts``, over
        ``subjects``, over ``both``.
    """

    score: Float64
    ceiling: NoiseCeiling
    population: Population
    degrees_of_freedom: int
    covariance: Float64
    of_draws: Mapping[str, Float64]

    @property
    def standard_error(self) -> Float64:
        """Standard error of each score, (m,)."""
        return np.sqrt(np.diag(self.covariance)[: len(self.score)])

    @property
    def interval(self) -> Float64:
        """95 % interval of each score, (2, m): score -/+ the quantile of Student's t times standard error."""
        width = stdtrit(self.degrees_of_freedom, 0.975) * self.standard_error
        return np.stack([self.score - width, self.score + width])


@dataclass(frozen=True)
class ModelTests:
    """p-values of t-tests.

    Attributes
    ----------
    chance : ndarray, shape (m,)
        Is the score above 0? One-sided.
    pairs : ndarray, shape (m, m)
        Do two models differ? Two-sided, symmetric, not corrected. NaN on the diagonal.
    pairs_fdr : ndarray, shape (m, m)
        The same p-values, adjusted over all pairs of models (Benjamini-Hochberg). If pairs of at most q are
        reported, the expected share of false discoveries among them is at most q.
    ceiling : ndarray, shape (m,)
        Does the score differ from the lower bound of the noise ceiling? Two-sided. NaN without an estimate.
    """

    chance: Float64
    pairs: Float64
    pairs_fdr: Float64
    ceiling: Float64


def dual_bootstrap(
    models: ArrayLike,
    subjects: ArrayLike,
    method: str = "spearman",
    *,
    rng: np.random.Generator | int,
    population: Population = "both",
    draws: int = 1000,
    workers: int | None = None,
) -> DualBootstrap:
    r"""Uncertainty of RDM correlations over new concepts, over new subjects, or over both.

    With n conditions and s subjects, let :math:`V_c`, :math:`V_s` and :math:`V_{cs}` be the variances of a
    score when conditions, subjects or both are resampled, :math:`a = n / (n - 1)`, :math:`b = s / (s - 1)`.
    The variance is :math:`a V_c` for new ``concepts`` and :math:`b V_s` for new ``subjects``. Resampling both
    counts the noise of the single measurements three times. So for ``both`` it is

    .. math:: a V_c + b V_s - a b (V_{cs} - V_c - V_s),

    which is :math:`2 (V_c + V_s) - V_{cs}` in large samples, but at least each of the two others and at most
    :math:`V_{cs}`. The bounds apply to the variance of each score and of each difference of two scores.

    Parameters
    ----------
    models : array_like, shape (m, n, n)
        One RDM per model, n >= 4 unless only subjects are resampled. (n, n) is one RDM. Pairs may be NaN.
    subjects : array_like, shape (s, n, n)
        One RDM per subject, s >= 2 unless only concepts are resampled. (n, n) is one RDM. Pairs may be NaN:
        each subject is compared over the pairs that it and the model have.
    method : str
        ``spearman``, ``pearson`` or ``cosine``. For ``spearman`` ranks are taken once, over the whole sample.
    rng : numpy.random.Generator or int
        Source of the resamples, or its seed. The same seed gives the same numbers for any number of workers.
    population : str
        ``concepts``, ``subjects`` or ``both``: to which population the numbers speak.
    draws : int
        Number of resamples, at least two. The bootstrap over both uses those of the other two together.
    workers : int, optional
        Number of threads. The default is as many as a matrix product may take.

    Returns
    -------
    DualBootstrap

    Raises
    ------
    ValueError
        If the population is not known, there are too few subjects, conditions or draws, shapes differ, or as
        :func:`bootstrap_compare`.

    Notes
    -----
    Pairs of two copies of one condition are left out of a resample (:func:`bootstrap_compare`). A resample of
    subjects weights each subject's correlation by the number of its copies.

    The lower bound correlates a subject with the weighted mean of the others, without its own copies. It is
    undefined if only one subject was drawn, and has no variance over fewer than three subjects. Neither bound
    has a variance if subjects lack different pairs. For ``spearman`` the draws of the bounds use the mean of
    ranks as it is; only ``ceiling`` ranks it again.

    rsatoolbox (``eval_dual_bootstrap``) leaves out pairs of copies too, and its variances of scores and of
    their differences are the same. In the bounds of a resample of subjects it counts each distinct subject
    once, whatever its copies, and correlates a subject that was drawn alone with itself. It ranks each
    resample anew. Its tests and intervals are around the mean over resamples, not around the score.

    References
    ----------
    Schütt, Kipnis, Diedrichsen & Kriegeskorte (2023), eLife 12, e82566.

    Examples
    --------
    Two models are compared with six subjects. The standard error over new concepts and subjects is greater
    than the one over new subjects alone.

    >>> import numpy as np
    >>> from benchmark.inference import dual_bootstrap, model_tests
    >>> from benchmark.measures import rdm
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=(16, 20))
    >>> subjects = np.stack([rdm(truth + 0.8 * rng.normal(size=truth.shape)) for _ in range(6)])
    >>> models = np.stack([rdm(truth + noise * rng.normal(size=truth.shape)) for noise in (2.0, 0.3)])
    >>> both = dual_bootstrap(models, subjects, rng=0)
    >>> both.score.round(2), both.standard_error.round(2)
    (array([0.11, 0.51]), array([0.1 , 0.05]))
    >>> dual_bootstrap(models, subjects, rng=0, population="subjects").standard_error.round(2)
    array([0.03, 0.04])
    >>> low, high = both.interval.round(2)
    >>> low, high, both.degrees_of_freedom
    (array([-0.15,  0.38]), array([0.36, 0.65]), 5)
    >>> tests = model_tests(both)
    >>> tests.chance.round(3), tests.pairs[0].round(3), tests.ceiling.round(2)
    (array([0.16, 0.  ]), array([  nan, 0.012]), array([0.01, 0.99]))
    """
    people = as_rdms(subjects, "subjects", missing=True)
    s, n = people.shape[:2]
    if np.shape(models)[-2:] != (n, n):
        raise ValueError(
            f"models has shape {np.shape(models)} and subjects {people.shape}: expected the same conditions"
        )
    _require_enough(population, n, s, draws)
    generator = np.random.default_rng(rng)
    once, each = np.ones((1, n)), np.ones((1, s))
    conditions = once if population == "subjects" else bootstrap_weights(n, draws, generator)
    copies = each if population == "concepts" else bootstrap_weights(s, draws, generator)

    among = _among(people, np.vstack([once, conditions]), method, workers)
    found = bootstrap_compare(
        models, people[:, None], method, weights=conditions, rerank=False, workers=workers
    )
    spreads: dict[str, Float64] = {}
    if population != "subjects":
        spreads["concepts"] = _spread(_with_bounds(found.draws, among[1:], each))
    if population != "concepts":
        spreads["subjects"] = _spread(_with_bounds(found.score[None], among[:1], copies))
    if population == "both":
        spreads["both"] = _spread(_with_bounds(found.draws, among[1:], copies))
    return DualBootstrap(
        score=_weighted_mean(found.score[None], each)[0],
        ceiling=noise_ceiling(people, method) if s > 1 else NoiseCeiling(np.nan, np.nan),
        population=population,
        degrees_of_freedom={"concepts": n, "subjects": s, "both": min(n, s)}[population] - 1,
        covariance=_covariance(_estimate(spreads, n, s)),
        of_draws={name: _covariance(spread) for name, spread in spreads.items()},
    )


def model_tests(bootstrap: DualBootstrap) -> ModelTests:
    """t-tests of each model against chance, against each other model and against the lower noise ceiling.

    Parameters
    ----------
    bootstrap : DualBootstrap
        From :func:`dual_bootstrap`. The tests speak to its population.

    Returns
    -------
    ModelTests

    Notes
    -----
    Without a relation between two RDMs, resampling conditions overstates the variance of their correlation.
    So over ``concepts`` and ``both`` the test against chance is conservative. :func:`permutation_compare`
    holds its level.

    Over ``subjects`` and ``both`` the test against the ceiling is conservative too: in a draw with copies of
    subjects, the mean of the others is over fewer people.

    References
    ----------
    Schütt et al. (2023), eLife 12, e82566; Benjamini & Hochberg (1995), Journal of the Royal Statistical
    Society B 57, 289-300.

    Examples
    --------
    Do three models differ in front of new concepts and new subjects?

    >>> import numpy as np
    >>> from benchmark.inference import dual_bootstrap, model_tests
    >>> from benchmark.measures import rdm
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=(24, 20))
    >>> subjects = np.stack([rdm(truth + 0.8 * rng.normal(size=truth.shape)) for _ in range(8)])
    >>> models = np.stack([rdm(truth + noise * rng.normal(size=truth.shape)) for noise in (2.0, 0.9, 0.3)])
    >>> tests = model_tests(dual_bootstrap(models, subjects, rng=0))
    >>> tests.pairs_fdr.round(3)
    array([[  nan, 0.029, 0.001],
           [0.029,   nan, 0.008],
           [0.001, 0.008,   nan]])
    """
    m, degrees = len(bootstrap.score), bootstrap.degrees_of_freedom
    values = np.append(bootstrap.score, bootstrap.ceiling.lower)
    covariance = bootstrap.covariance[: m + 1, : m + 1]
    variance = np.diag(covariance)
    differences = _t(values[:, None] - values, variance[:, None] + variance - 2 * covariance)
    two_sided = 2 * stdtr(degrees, -np.abs(differences))
    pairs = two_sided[:m, :m]
    np.fill_diagonal(pairs, np.nan)
    upper = fdr(np.where(np.triu(np.ones((m, m), dtype=bool), 1), pairs, np.nan))
    return ModelTests(
        chance=stdtr(degrees, -_t(bootstrap.score, variance[:m])),
        pairs=pairs,
        pairs_fdr=np.where(np.isnan(upper), upper.T, upper),
        ceiling=two_sided[:m, m],
    )


def _t(difference: Float64, variance: Float64) -> Float64:
    t: Float64 = difference / np.sqrt(np.maximum(variance, _SMALLEST_VARIANCE))
    return t


def _require_enough(population: str, n: int, s: int, draws: int) -> None:
    if population not in get_args(Population):
        raise ValueError(f"population is {population!r}: expected 'concepts', 'subjects' or 'both'")
    if population != "concepts" and s < _FEWEST_SUBJECTS:
        raise ValueError(
            f"population is {population!r} and there is {s} subject: at least {_FEWEST_SUBJECTS} are needed; "
            "with one, numbers speak to new concepts only (population='concepts')"
        )
    if population != "subjects" and n < _FEWEST_CONDITIONS:
        raise ValueError(
            f"population is {population!r} and there are {n} conditions: at least {_FEWEST_CONDITIONS} are "
            "needed, because a draw without one of three has a single pair"
        )
    if draws < 2:
        raise ValueError(f"draws is {draws}: a variance needs at least two")


def _among(subjects: Float64, weights: Float64, method: str, workers: int | None) -> Float64:
    """Correlations between subjects in each draw, (b, s, s). NaN if they have different pairs."""
    s = len(subjects)
    correlations = np.full((len(weights), s, s), np.nan)
    groups = by_pairs(subjects)
    if s < _FEWEST_SUBJECTS or len(groups) > 1:
        return correlations
    used = groups[0][0]
    pairs, enough = weighted_pairs(weights, links(used))

    def moments(i: int) -> Moments:
        rdm = standardised(subjects[i], method, f"subjects[{i}]", used)
        return Moments.from_weights(weights, rdm, pairs, method)

    for rows, columns in combinations_with_replacement(blocks(s, _TOGETHER), 2):
        cells = [(i, j) for i, j in product(range(s)[rows], range(s)[columns]) if i < j]
        if not cells:  # the last group is of one subject
            continue
        numbers = sorted({number for cell in cells for number in cell})
        held = dict(zip(numbers, in_threads(moments, numbers, workers), strict=True))
        compared = [(held[i], held[j]) for i, j in cells]
        values = in_threads(lambda pair: pair[0].correlation(pair[1], weights, pairs), compared, workers)
        for (i, j), value in zip(cells, values, strict=True):
            correlations[:, i, j] = correlations[:, j, i] = value
    correlations[:, range(s), range(s)] = 1
    correlations[~enough] = np.nan
    return correlations


def _with_bounds(scores: Float64, among: Float64, copies: Float64) -> Float64:
    """Scores of the models, lower and upper bound in each draw, (b, m + 2).

    The mean of the subjects' standardised RDMs is never made: its correlation with each of them follows from
    the correlations ``among`` them. For copies v and correlations R the correlation of subject i with the
    mean of all is (R v)_i / sqrt(v' R v).
    """
    sums = (among @ copies[:, :, None])[..., 0]
    whole = (copies * sums).sum(axis=1)
    of_others = whole[:, None] - 2 * copies * sums + copies**2
    total = copies.sum(axis=1)
    with np.errstate(invalid="ignore"):
        others = (sums - copies) / np.sqrt(np.where(of_others > NO_VARIANCE, of_others, np.nan))
        upper = np.sqrt(whole) / total
    lower = np.where(copies > 0, copies * others, 0).sum(axis=1) / total
    if copies.shape[1] < _FEWEST_FOR_LOWER_BOUND and (copies != 1).any():
        lower = np.full(lower.shape, np.nan)
    return np.column_stack([_weighted_mean(scores, copies), lower, upper])


def _weighted_mean(correlations: Float64, copies: Float64) -> Float64:
    """Mean over the subjects that have a correlation in a draw: (b, m, s) and (b, s) -> (b, m)."""
    defined = ~np.isnan(correlations)
    with np.errstate(invalid="ignore"):
        sums = np.where(defined, correlations, 0) @ copies[:, :, None] / (defined @ copies[:, :, None])
    mean: Float64 = sums[..., 0]
    return mean


def _spread(draws: Float64) -> Float64:
    """Variance of each difference of two columns, (k + 1, k + 1). A column of zeros is added as the last.

    It is over the draws in which both are defined.
    """
    columns = np.column_stack([draws, np.zeros(len(draws))])
    differences = (np.ma.masked_invalid(columns - column[:, None]) for column in columns.T)
    return np.stack([part.var(axis=0, ddof=1).filled(np.nan) for part in differences])


def _covariance(spread: Float64) -> Float64:
    """The covariance, (k, k), that has these variances of differences, and of columns."""
    variance = spread[-1, :-1]
    covariance: Float64 = (variance[:, None] + variance - spread[:-1, :-1]) / 2
    return covariance


def _estimate(spreads: Mapping[str, Float64], n: int, s: int) -> Float64:
    """The bounded estimate of each variance, from the variances in the bootstraps that were made."""
    sizes = {"concepts": n, "subjects": s}
    alone = [size / (size - 1) * spreads[name] for name, size in sizes.items() if name in spreads]
    if "both" not in spreads:
        return alone[0]
    interaction = spreads["both"] - spreads["concepts"] - spreads["subjects"]
    estimate = sum(alone) - n / (n - 1) * s / (s - 1) * interaction
    bounded: Float64 = np.minimum(np.maximum(estimate, np.maximum(*alone)), spreads["both"])
    return bounded
