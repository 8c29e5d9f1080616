r"""Paired comparison of two models: how their difference changes when concepts weigh unequally.

A score is computed anew with weights 1/2 and 3/2 (balanced repeated replication with Fay's factor 1/2), and
again with both exchanged. The mean square of the change is its variance. It is taken twice:

- *concepts*: half of the concepts weigh 3/2. A pair of concepts weighs the product of its two weights. A
  concept that suits one model moves all of its pairs; this is counted once. The noise of a single pair is
  counted twice, once for each of its concepts. A jackknife and a bootstrap over concepts count it two and
  three times.
- *pairs*: half of the pairs weigh 3/2. The noise of a pair is counted once, and what a concept does to all
  of its pairs is lost.

So the variance is that of the concepts less that of the pairs, as in dyadic cluster-robust variances, and at
least that of the pairs. Where a score is a mean over concepts there are no pairs, and the comparison is the
paired t-test, up to the drawing of the halves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.linalg import hadamard
from scipy.special import stdtr, stdtrit

from benchmark.inference.statistics import PairStatistic, Statistic
from benchmark.measures._checks import Float64

#: Number of halvings of the concepts, and of the pairs; a power of two
HALVINGS = 64
#: Distance of the weights from one. Greater weights change the level of a score near its greatest value;
#: smaller ones change too few of the outcomes of 2 vs 2
_STEP = 0.5
#: Changes and differences below this are rounding
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Perturbed:
    """A score, and its changes with the weights of concepts and of pairs.

    Attributes
    ----------
    score : float
        The score with all weights one.
    concepts : ndarray, shape (h,)
        Score with weights 3/2 on one half of the concepts and 1/2 on the other, less the score with the two
        exchanged. NaN where one of them is undefined.
    pairs : ndarray, shape (h,)
        The same for halves of the pairs. 0 for a score that is not computed from pairs.
    n : int
        Number of concepts.
    """

    score: float
    concepts: Float64
    pairs: Float64
    n: int


class PairedDifference(NamedTuple):
    """Difference of two scores, its 95 % interval, and the two-sided p-value."""

    difference: float
    low: float
    high: float
    p: float


class PairedDifferences(NamedTuple):
    """Differences of every two of m scores: the first with each after it, then the second, and so on.

    Attributes
    ----------
    difference, low, high, p : ndarray, shape (m * (m - 1) / 2,)
        As of :class:`PairedDifference`.
    """

    difference: Float64
    low: Float64
    high: Float64
    p: Float64


def perturbed(
    statistic: Statistic, n: int, rng: np.random.Generator | int, pairs: PairStatistic | None = None
) -> Perturbed:
    """Compute a score with halves of the concepts, and of the pairs of concepts, weighing more.

    Parameters
    ----------
    statistic : Statistic
        Weights (b, n) of concepts -> values (b,).
    n : int
        Number of concepts.
    rng : numpy.random.Generator or int
        Source of the halves, or its seed. Use the same seed for all models that are compared.
    pairs : PairStatistic, optional
        The same score, computed anew from weights of the pairs of concepts, row by row of the upper triangle.
        Give it for any score in which two concepts meet: a correlation of RDMs, 2 vs 2.

    Returns
    -------
    Perturbed
        All changes are NaN if ``pairs`` is undefined with all weights one, or if there is one concept, which
        cannot be halved.

    Examples
    --------
    >>> from benchmark.inference import mean_statistic, perturbed
    >>> result = perturbed(mean_statistic([1.0, 0.0, 1.0, 1.0]), n=4, rng=0)
    >>> result.score, result.concepts[:3], result.pairs[:3]
    (0.75, array([ 0.   , -0.125,  0.25 ]), array([0., 0., 0.]))
    """
    score = float(statistic(np.ones((1, n)))[0])
    undefined = np.full(HALVINGS, np.nan)
    if n == 1:
        return Perturbed(score, undefined, undefined, n)
    generator = np.random.default_rng(rng)
    steps = _STEP * _halves(n, generator)
    if pairs is None:
        changes = statistic(1 + steps) - statistic(1 - steps)
        return Perturbed(score, changes, np.zeros(HALVINGS), n)
    i, j = np.triu_indices(n, 1)
    if np.isnan(pairs(np.ones(len(i)))):
        return Perturbed(score, undefined, undefined, n)
    of_concepts, of_pairs = np.empty((2, HALVINGS))
    for h, step in enumerate(steps):
        up, down = 1 + step, 1 - step
        of_concepts[h] = pairs(up[i] * up[j]) - pairs(down[i] * down[j])
        # Drawn one by one: for many concepts all of them together do not fit in memory.
        half = np.where(generator.integers(2, size=len(i), dtype=np.int8) == 1, _STEP, -_STEP)
        of_pairs[h] = pairs(1 + half) - pairs(1 - half)
    return Perturbed(score, of_concepts, of_pairs, n)


def _halves(n: int, rng: np.random.Generator) -> Float64:
    """Signs (h, n) of the concepts in each halving, centred, so that all weights have the same sum.

    The columns of a Hadamard matrix are orthogonal: if each concept changes a score on its own, the mean
    square over its rows is exactly the sum of the squares of these changes. Its first column has one sign.
    Where there are more concepts than columns, the matrix is repeated with its rows in another order.
    """
    design = hadamard(HALVINGS)[:, 1:]
    blocks = [rng.permutation(design) for _ in range(-(-n // design.shape[1]))]
    signs = np.hstack(blocks)[:, :n].astype(np.float64)
    centred: Float64 = signs - signs.mean(axis=1, keepdims=True)
    return centred


def paired_difference(a: Perturbed, b: Perturbed) -> PairedDifference:
    r"""Difference a - b of the scores of two models on the same concepts, with its p-value.

    With :math:`V_c` and :math:`V_p`, the mean squares of the differences of the changes with concepts and
    with pairs, the variance is :math:`\max(V_c - V_p, V_p)`. The difference over its standard error is
    compared with Student's t of :math:`(n - 1) (V / V_c)^2` degrees of freedom, with V the variance, and at
    most n - 1 (Satterthwaite 1946).

    Parameters
    ----------
    a, b : Perturbed
        From :func:`perturbed`, with the same number of concepts and the same seed.

    Returns
    -------
    PairedDifference
        A positive difference means that a is greater. NaN where a score or the variance is undefined. If
        nothing changes the difference, p is 1 for scores that are equal, else 0.

    Raises
    ------
    ValueError
        If the numbers of concepts or of halvings differ.

    References
    ----------
    Judkins (1990), Journal of Official Statistics 6, 223-239 (Fay's method); Efron & Stein (1981), Annals of
    Statistics 9, 586-596 (how often a jackknife counts what two units share); Aronow, Samii & Assenova
    (2015), Political Analysis 23, 564-577 (dyadic cluster-robust variance); Satterthwaite (1946), Biometrics
    Bulletin 2, 110-114.

    Examples
    --------
    RSA of two models with the same subject. The second model has more noise.

    >>> import numpy as np
    >>> from benchmark.inference import paired_difference, perturbed, rdm_pair_statistic, rdm_statistic
    >>> from benchmark.measures import rdm
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=(24, 20))
    >>> subjects = rdm(truth + 0.5 * rng.normal(size=truth.shape))[None]
    >>> def model(noise):
    ...     found = rdm(truth + noise * rng.normal(size=truth.shape))
    ...     scores = [make(found, subjects) for make in (rdm_statistic, rdm_pair_statistic)]
    ...     return perturbed(scores[0], n=24, rng=1, pairs=scores[1])
    >>> result = paired_difference(model(noise=0.5), model(noise=1.0))
    >>> round(result.difference, 2), round(result.low, 2), round(result.high, 2), round(result.p, 4)
    (0.15, -0.05, 0.34, 0.1261)
    """
    return PairedDifference(*(float(values[0]) for values in paired_differences([a, b])))


def paired_differences(scores: Sequence[Perturbed]) -> PairedDifferences:
    """Differences of every two of several models (:func:`paired_difference`), computed together.

    Parameters
    ----------
    scores : sequence of Perturbed
        Of two or more models, with the same number of concepts and the same seed.

    Returns
    -------
    PairedDifferences
        In the order of ``itertools.combinations``.

    Raises
    ------
    ValueError
        If the numbers of concepts or of halvings differ.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import mean_statistic, paired_differences, perturbed
    >>> right = np.random.default_rng(0).random((3, 40)) < [[0.9], [0.6], [0.5]]
    >>> found = paired_differences([perturbed(mean_statistic(of), n=40, rng=1) for of in right])
    >>> found.difference.round(3), found.p.round(3)
    (array([0.225, 0.525, 0.3  ]), array([0.005, 0.   , 0.006]))
    """
    n = scores[0].n
    shapes = [(len(one.concepts), len(one.pairs)) for one in scores]
    for one, shape in zip(scores, shapes, strict=True):
        if one.n != n or shape != shapes[0]:
            raise ValueError(
                f"a has {n} concepts and {shapes[0][0]} halvings, b {one.n} and {shape[0]}: expected the same"
            )
    score, concepts, pairs = (
        np.array([getattr(one, name) for one in scores]) for name in ("score", "concepts", "pairs")
    )
    # one model with all after it: every pair at once would not fit in memory for many models
    rows = [
        (score[i] - score[i + 1 :], *(_mean_square(of[i] - of[i + 1 :]) for of in (concepts, pairs)))
        for i in range(len(scores) - 1)
    ]
    difference, whole, single = (np.concatenate(of) for of in zip(*rows, strict=True))
    return _tested(difference, whole, single, n)


def _tested(difference: Float64, whole: Float64, single: Float64, n: int) -> PairedDifferences:
    """Interval and p-value from the mean squares of the changes with concepts, and with pairs."""
    # Changes are taken about the mean of the sample, which costs one degree of freedom.
    whole = whole * (n / (n - 1) if n > 1 else np.nan)
    error = np.sqrt(np.fmax(whole - single, single))
    error[np.isnan(difference) | np.isnan(whole) | np.isnan(single)] = np.nan
    with np.errstate(divide="ignore", invalid="ignore"):  # nothing changes the difference: set below
        freedom = (n - 1) * np.minimum(1.0, error**2 / whole) ** 2
        p = 2 * stdtr(freedom, -np.abs(difference) / error)
        width = error * stdtrit(freedom, 0.975)
    fixed = error <= _ROUNDING
    p[fixed] = np.abs(difference[fixed]) <= _ROUNDING
    width[fixed] = 0.0
    return PairedDifferences(difference, difference - width, difference + width, p)


def _mean_square(changes: Float64) -> Float64:
    """Mean square (m,) over the halvings of changes (m, h) that are defined; NaN if none is."""
    defined = ~np.isnan(changes)
    count = defined.sum(axis=1)
    total = np.where(defined, changes, 0.0)
    squares = np.einsum("ij,ij->i", total, total)
    return np.where(count > 0, squares / np.maximum(count, 1), np.nan)
