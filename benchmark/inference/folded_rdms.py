"""RDMs that were predicted fold by fold: their correlation with subjects, and a test with new fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from benchmark.inference.rdm_statistics import rdm_pair_statistic, rdm_statistic
from benchmark.inference.statistics import PairStatistic, Statistic
from benchmark.measures._checks import Float64, as_rdms
from benchmark.measures._ranks import ranks_of_rows
from benchmark.measures.compare import is_constant, require_varied, upper_triangle
from benchmark.measures.permutation import PermutationTest, student_p

#: Fewer conditions than this have one pair at most, and no correlation
_FEWEST = 3


@dataclass(frozen=True)
class FoldedRDMs:
    """The RDM of the test conditions of each fold, from a fit on the other folds.

    Attributes
    ----------
    folds : tuple of ndarray of int
        The test conditions of each fold. With repeated folds a condition is in several.
    rdms : tuple of ndarray
        For each fold an RDM (m, m) of its m test conditions.

    Raises
    ------
    ValueError
        If the numbers or shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import FoldedRDMs
    >>> from benchmark.measures import rdm
    >>> features = np.random.default_rng(0).normal(size=(8, 3))
    >>> folds = (np.arange(4), np.arange(4, 8))
    >>> FoldedRDMs.of(rdm(features), folds).rdms[1].shape
    (4, 4)
    """

    folds: tuple[np.ndarray, ...]
    rdms: tuple[Float64, ...]

    def __post_init__(self) -> None:
        shapes = [np.shape(rdm) for rdm in self.rdms]
        if not shapes or shapes != [(len(fold), len(fold)) for fold in self.folds]:
            raise ValueError(
                f"folds of {[len(fold) for fold in self.folds]} conditions have RDMs of shapes {shapes}: "
                "expected (m, m) for each fold of m conditions"
            )

    @classmethod
    def of(cls, rdm: ArrayLike, folds: Sequence[np.ndarray]) -> FoldedRDMs:
        """The parts of one RDM (n, n) that lie within ``folds``."""
        whole = np.asarray(rdm, dtype=np.float64)
        return cls(tuple(folds), tuple(whole[np.ix_(fold, fold)] for fold in folds))


def folded_rdm_statistic(folded: FoldedRDMs, rdms: ArrayLike, method: str = "spearman") -> Statistic:
    """Correlation of predicted RDMs with those of subjects, in each fold, averaged over the folds.

    Predictions of two folds come from two fits, so they are never compared with one another. A fold in which
    all predicted dissimilarities are equal counts as 0: nothing is predicted there.

    Parameters
    ----------
    folded : FoldedRDMs
        The predictions.
    rdms : array_like, shape (s, n, n)
        One RDM per subject, over all n conditions. No pair may be NaN.
    method : str
        As for :func:`benchmark.inference.rdm_statistic`.

    Returns
    -------
    Statistic
        Weights (b, n) -> means (b,). A fold in which fewer than three conditions have weight is left out;
        NaN where no fold is left.

    Raises
    ------
    ValueError
        If ``rdms`` are no RDMs, or a subject's dissimilarities within a fold are all equal.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import FoldedRDMs, bootstrap_weights, estimate, folded_rdm_statistic
    >>> from benchmark.measures import rdm
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=(30, 20))
    >>> subjects = np.stack([rdm(truth + 0.5 * rng.normal(size=truth.shape)) for _ in range(3)])
    >>> folded = FoldedRDMs.of(rdm(truth), np.arange(30).reshape(3, 10))
    >>> found = estimate(folded_rdm_statistic(folded, subjects), bootstrap_weights(n=30, draws=500, rng=0))
    >>> round(found.score, 2), found.low < found.score < found.high
    (0.75, True)
    """
    subjects = as_rdms(rdms, "rdms")
    parts: list[tuple[np.ndarray, Statistic]] = [
        (fold, rdm_statistic(rdm, _within(subjects, fold), method) if _varies(rdm) else _zero)
        for fold, rdm in zip(folded.folds, folded.rdms, strict=True)
    ]

    def statistic(weights: Float64) -> Float64:
        found = np.full((len(parts), len(weights)), np.nan)
        for i, (fold, part) in enumerate(parts):
            if weights[:, fold].any():
                found[i] = part(weights[:, fold])
        return _mean_defined(found)

    return statistic


def folded_rdm_pair_statistic(folded: FoldedRDMs, rdms: ArrayLike, method: str = "spearman") -> PairStatistic:
    """The value of :func:`folded_rdm_statistic` as a function of the weights of pairs.

    Parameters
    ----------
    folded : FoldedRDMs
        The predictions.
    rdms : array_like, shape (s, n, n)
        One RDM per subject.
    method : str
        As for :func:`folded_rdm_statistic`.

    Returns
    -------
    PairStatistic
        Weights of all pairs (n (n - 1) / 2,), row by row of the upper triangle -> the mean correlation. Pairs
        of two folds are not read.

    Raises
    ------
    ValueError
        As :func:`folded_rdm_statistic`.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import FoldedRDMs, folded_rdm_pair_statistic
    >>> from benchmark.measures import rdm
    >>> rng = np.random.default_rng(0)
    >>> predicted, subject = (rdm(rng.normal(size=(8, 9))) for _ in range(2))
    >>> folded = FoldedRDMs.of(predicted, np.arange(8).reshape(2, 4))
    >>> round(folded_rdm_pair_statistic(folded, subject[None])(np.ones(28)), 2)
    -0.14
    """
    subjects = as_rdms(rdms, "rdms")
    n = subjects.shape[1]
    number = np.zeros((n, n), dtype=np.intp)
    number[np.triu_indices(n, 1)] = np.arange(n * (n - 1) // 2)
    number += number.T
    parts = [
        (
            number[np.ix_(fold, fold)][np.triu_indices(len(fold), 1)],
            rdm_pair_statistic(rdm, _within(subjects, fold), method) if _varies(rdm) else None,
        )
        for fold, rdm in zip(folded.folds, folded.rdms, strict=True)
    ]

    def statistic(weights: Float64) -> float:
        found = [
            part(weights[pairs]) if part is not None else (0.0 if weights[pairs].any() else np.nan)
            for pairs, part in parts
        ]
        return float(_mean_defined(np.array(found)[:, None])[0])

    return statistic


def permutation_test_folded(
    predict: Callable[[np.ndarray], Sequence[FoldedRDMs]],
    folded: FoldedRDMs,
    rdms: ArrayLike,
    n: int,
    rng: np.random.Generator | int,
    method: str = "spearman",
) -> PermutationTest:
    r"""Test predicted RDMs against those of permuted targets, which are predicted anew.

    Conditions of the target are permuted, rows and columns together, and everything that is fitted is fitted
    again. To permute after the fit is wrong: two conditions of different folds take part in the prediction
    of each other. A fit is dear, so there are few permutations, and p is that of Student's t, as for
    :func:`benchmark.inference.permutation_test_encoding`.

    Parameters
    ----------
    predict : callable
        ``predict(orders)`` gives predictions for the target in each of the ``orders`` (n, k) of its
        conditions.
    folded : FoldedRDMs
        The predictions of the target as it is.
    rdms : array_like, shape (s, k, k)
        One RDM per subject.
    n : int
        Number of permutations, at least two.
    rng : numpy.random.Generator or int
        Source of the permutations, or its seed.
    method : str
        As for :func:`folded_rdm_statistic`.

    Returns
    -------
    PermutationTest

    Raises
    ------
    ValueError
        If ``n`` is less than two, or as :func:`folded_rdm_statistic`.

    Examples
    --------
    Nothing is fitted here, so the prediction does not depend on the target.

    >>> import numpy as np
    >>> from benchmark.inference import FoldedRDMs, permutation_test_folded
    >>> from benchmark.measures import rdm
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=(30, 20))
    >>> subject = rdm(truth + rng.normal(size=truth.shape))
    >>> folded = FoldedRDMs.of(rdm(truth), np.arange(30).reshape(3, 10))
    >>> unmoved = lambda orders: [folded] * len(orders)
    >>> test = permutation_test_folded(unmoved, folded, subject[None], 20, rng=0)
    >>> round(test.score, 2), test.p < 0.001
    (0.5, True)
    """
    if n < 2:
        raise ValueError(f"n is {n}: at least two permutations are needed")
    subjects = as_rdms(rdms, "rdms")
    generator = np.random.default_rng(rng)
    orders = np.stack([generator.permutation(subjects.shape[1]) for _ in range(n)])
    ones = np.ones((1, subjects.shape[1]))
    score = float(folded_rdm_statistic(folded, subjects, method)(ones)[0])
    null = np.array(
        [
            _unweighted(again, subjects, order, method)
            for order, again in zip(orders, predict(orders), strict=True)
        ]
    )
    return PermutationTest(null=null, p=student_p(score, null), score=score)


def _unweighted(folded: FoldedRDMs, subjects: Float64, order: np.ndarray, method: str) -> float:
    """:func:`folded_rdm_statistic` of the subjects' conditions in ``order``, with all weights one."""
    parts = [
        _mean_correlation(rdm, _within(subjects, order[fold]), method)
        for fold, rdm in zip(folded.folds, folded.rdms, strict=True)
        if len(fold) >= _FEWEST
    ]
    return float(np.mean(parts)) if parts else float("nan")


def _mean_correlation(rdm: Float64, subjects: Float64, method: str) -> float:
    """Mean over subjects of the correlation with a predicted RDM; 0 where nothing is predicted."""
    upper = np.triu_indices(len(rdm), 1)
    rows = np.concatenate([rdm[None], subjects])[:, upper[0], upper[1]]
    for i, row in enumerate(rows[1:]):
        require_varied(row, f"rdms[{i}] has dissimilarities within a fold", method)
    if is_constant(rows[0]):
        return 0.0
    if method == "spearman":
        rows = ranks_of_rows(rows)
    if method != "cosine":
        rows = rows - rows.mean(axis=1, keepdims=True)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return float((rows[1:] @ rows[0]).mean())


def _zero(weights: Float64) -> Float64:
    """Nothing is predicted: 0, and NaN where a correlation is undefined."""
    return np.where((weights > 0).sum(axis=1) >= _FEWEST, 0.0, np.nan)


def _varies(rdm: Float64) -> bool:
    return not is_constant(upper_triangle(rdm))


def _within(subjects: Float64, fold: np.ndarray) -> Float64:
    part: Float64 = subjects[:, fold][:, :, fold]
    return part


def _mean_defined(found: Float64) -> Float64:
    """Mean (b,) over the rows of ``found`` (folds, b) that are not NaN."""
    defined = ~np.isnan(found)
    count = defined.sum(axis=0)
    total = np.where(defined, found, 0).sum(axis=0)
    mean: Float64 = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    return mean


@dataclass(frozen=True)
class FittedScores:
    """Scores of one layer's fitted RDMs, with those of its RDM without a fit beside them.

    Attributes
    ----------
    spearman, pearson : callable
        Statistic of weights (b, n) of concepts, as :func:`folded_rdm_statistic`.
    gain : callable
        Spearman of the fitted RDMs minus that of the RDM without a fit, in the same pairs.
    pairs : callable
        Makes Spearman a statistic of weights of pairs, as :func:`folded_rdm_pair_statistic`.
    p : float
        Of Spearman, by permutations that are fitted again.
    unweighted : float
        Spearman of the RDM without a fit.
    null_mean : float
        Mean Spearman of the permutations.
    """

    spearman: Callable[[Float64], Float64]
    pearson: Callable[[Float64], Float64]
    gain: Callable[[Float64], Float64]
    pairs: Callable[[], Callable[[Float64], float]]
    p: float
    unweighted: float
    null_mean: float


def fitted_scores(
    folded: FoldedRDMs,
    unfitted: ArrayLike,
    rdms: ArrayLike,
    permuted: Callable[[np.ndarray], Sequence[FoldedRDMs]],
    permutations: int,
    seed: int,
) -> FittedScores:
    """Score fitted RDMs beside the RDM without a fit.

    Parameters
    ----------
    folded : FoldedRDMs
        Fitted RDMs of the test concepts of each fold.
    unfitted : array_like, shape (n, n)
        The RDM without a fit.
    rdms : array_like, shape (s, n, n)
        The target's RDMs.
    permuted : callable
        From orders (m, n) of the concepts to the RDMs fitted to the target in each order.
    permutations : int
        Number of orders.
    seed : int
        Seed of the orders.

    Returns
    -------
    FittedScores

    Raises
    ------
    ValueError
        If all dissimilarities of a subject within a fold are equal.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import FoldedRDMs, fitted_scores
    >>> from benchmark.measures import rdm
    >>> rng = np.random.default_rng(0)
    >>> subject = rdm(rng.normal(size=(12, 9)))
    >>> folded = FoldedRDMs.of(subject, np.arange(12).reshape(3, 4))
    >>> alone = rdm(rng.normal(size=(12, 9)))
    >>> scores = fitted_scores(folded, alone, subject[None], lambda orders: [folded for _ in orders], 20, 0)
    >>> scores.spearman(np.ones((1, 12))).round(3)
    array([1.])
    """
    subjects = as_rdms(rdms, "rdms")
    plain = FoldedRDMs.of(unfitted, folded.folds)
    spearman, without = (folded_rdm_statistic(f, subjects, "spearman") for f in (folded, plain))
    test = permutation_test_folded(permuted, folded, subjects, permutations, seed)
    return FittedScores(
        spearman=spearman,
        pearson=folded_rdm_statistic(folded, subjects, "pearson"),
        gain=lambda weights: spearman(weights) - without(weights),
        pairs=partial(folded_rdm_pair_statistic, folded, subjects, "spearman"),
        p=test.p,
        unweighted=float(without(np.ones((1, subjects.shape[1])))[0]),
        null_mean=test.chance,
    )
