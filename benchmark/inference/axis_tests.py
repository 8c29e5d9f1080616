"""Test curves along an axis against zero, over subjects and over concepts, corrected along the axis."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import ArrayLike
from scipy import special
from scipy.spatial.distance import squareform

from benchmark.inference.permutation import fdr
from benchmark.measures._blocks import blocks
from benchmark.measures._checks import Float64, require_draws

#: With fewer subjects no result can be significant at .05: all equal signs have probability 1 / 2^s
FEWEST_SUBJECTS = 5
#: With fewer subjects their agreement is not tested: four make six pairs
FEWEST_TO_AGREE = 4
#: Up to this many subjects every combination of signs is tried
_ALL = 10
#: Permuted dissimilarities that are held at a time: 64 MB
_HELD = 2**23


@dataclass(frozen=True)
class AxisTest:
    """One-sided p-values of a curve, one at each place of its axis.

    Attributes
    ----------
    statistic : ndarray, shape (t,)
        What is tested at each place: Student's t over subjects, or the mean in standard deviations of its
        null.
    p : ndarray, shape (t,)
        Not corrected.
    p_fdr : ndarray, shape (t,)
        Corrected over the places for the false discovery rate (Benjamini & Hochberg 1995).
    p_cluster : ndarray, shape (t,)
        p of the cluster that a place belongs to; 1 outside clusters. The greatest mass under each flip or
        permutation is the null, so the chance of any false cluster is held. NaN on an axis without order.
    """

    statistic: Float64
    p: Float64
    p_fdr: Float64
    p_cluster: Float64

    def and_also(self, other: AxisTest) -> AxisTest:
        """A place passes if it passes this test and the ``other``: the greater p, and FDR of that."""
        p = np.maximum(self.p, other.p)
        return AxisTest(self.statistic, p, fdr(p), np.maximum(self.p_cluster, other.p_cluster))


def sign_flip_test(
    values: ArrayLike,
    rng: np.random.Generator | int,
    *,
    n: int = 1000,
    threshold: float = 0.05,
    ordered: bool = True,
) -> AxisTest:
    """Test whether the mean over subjects is above zero anywhere along an axis.

    If the subjects' values scatter around zero, each curve is as likely as its mirror image. So the signs of
    whole curves are flipped at random. All combinations of signs are tried for up to
    ten subjects. A cluster is a run of neighbouring places whose t is above the quantile of Student's t at
    ``threshold``, one-sided; its mass is the sum of its t.

    Parameters
    ----------
    values : array_like, shape (s, t)
        One curve per subject, s >= 5. Its subjects must be independent of one another.
    rng : numpy.random.Generator or int
        Source of the flips, or its seed. Not used where all combinations are tried.
    n : int
        Number of flips, the unflipped curves among them.
    threshold : float
        One-sided p at a single place above which clusters form. It decides which effects are found, strong
        and short or weak and long ones, and not how often a false one is.
    ordered : bool
        Whether neighbouring places are near one another. If not, there are no clusters.

    Returns
    -------
    AxisTest

    Raises
    ------
    ValueError
        If there are fewer than five subjects, or values are not finite.

    Notes
    -----
    The stimuli count as fixed. Subjects share a geometry, and a model that has nothing to do with it still
    correlates with it a little for *these* stimuli, in all subjects alike: this test then finds it. Take
    :func:`concept_permutation_test` beside it.

    References
    ----------
    Maris & Oostenveld (2007), Journal of Neuroscience Methods 164, 177-190; Nichols & Holmes (2002), Human
    Brain Mapping 15, 1-25.

    Examples
    --------
    Ten subjects, an effect from the fourth to the sixth of eight times.

    >>> import numpy as np
    >>> from benchmark.inference import sign_flip_test
    >>> rng = np.random.default_rng(0)
    >>> curves = rng.normal(size=(10, 8)) + [0, 0, 0, 2, 2, 2, 0, 0]
    >>> sign_flip_test(curves, 0).p_cluster.round(3)
    array([1.   , 1.   , 1.   , 0.001, 0.001, 0.001, 1.   , 0.202])
    """
    curves = np.asarray(values, dtype=np.float64)
    if curves.ndim != 2 or len(curves) < FEWEST_SUBJECTS:
        raise ValueError(
            f"values has shape {curves.shape}: expected (subjects, places), at least "
            f"{FEWEST_SUBJECTS} subjects"
        )
    if not np.isfinite(curves).all():
        raise ValueError(f"values of shape {curves.shape} has values that are not finite")
    flipped = _student(curves, _signs(len(curves), n, rng))
    return _from_null(flipped, -float(special.stdtrit(len(curves) - 1, threshold)), ordered)


def concept_permutation_test(
    model: ArrayLike,
    mean: ArrayLike,
    rng: np.random.Generator | int,
    *,
    n: int = 1000,
    threshold: float = 0.05,
    ordered: bool = True,
) -> AxisTest:
    """Test whether a model's RDM has to do with RDMs along an axis, by permuting its concepts.

    Rows and columns of the model are permuted together (Mantel test), the same permutation at all places, so
    that what neighbouring places share stays. The mean correlation over subjects is the correlation with the
    mean of their standardised RDMs, so that all permutations and places are one matrix product. Clusters are
    as in :func:`sign_flip_test`, from the mean in standard deviations of its null.

    Parameters
    ----------
    model : array_like, shape (pairs,)
        Standardised pairs of the model above the diagonal, row by row.
    mean : array_like, shape (t, pairs)
        Mean over subjects of the standardised pairs at each place (:func:`series_scores` gives both).
    rng : numpy.random.Generator or int
        Source of the permutations, or its seed.
    n : int
        Number of permutations.
    threshold, ordered
        As in :func:`sign_flip_test`.

    Returns
    -------
    AxisTest

    Raises
    ------
    ValueError
        If ``n`` is less than one, or the shapes differ.

    References
    ----------
    Mantel (1967), Cancer Research 27, 209-220; Maris & Oostenveld (2007), Journal of Neuroscience Methods
    164, 177-190.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import concept_permutation_test, series_scores
    >>> rng = np.random.default_rng(0)
    >>> model = rng.normal(size=45)
    >>> series = rng.normal(size=(2, 4, 45)) + np.outer([0, 2, 2, 0], model)
    >>> found = series_scores([model], series)
    >>> concept_permutation_test(found.models[0], found.mean, 0, n=199).p_cluster
    array([1.   , 0.005, 0.005, 1.   ])
    """
    require_draws(n)
    own, curves = np.asarray(model, dtype=np.float64), np.asarray(mean, dtype=np.float64)
    if own.ndim != 1 or curves.ndim != 2 or curves.shape[1:] != own.shape:
        raise ValueError(
            f"model has shape {own.shape} and mean {curves.shape}: expected (pairs,), (t, pairs)"
        )
    matrix = squareform(own)
    i, j = np.triu_indices(len(matrix), 1)
    generator = np.random.default_rng(rng)
    orders = np.array([np.arange(len(matrix)), *(generator.permutation(len(matrix)) for _ in range(n))])
    found = np.empty((len(orders), len(curves)))
    for some in blocks(len(orders), max(1, _HELD // len(own))):
        found[some] = matrix[orders[some][:, i], orders[some][:, j]] @ curves.T / len(own)
    spread = np.sqrt(np.mean(found[1:] ** 2, axis=0))
    null = np.divide(found, spread, out=np.zeros_like(found), where=spread > 0)
    return _from_null(null, -float(special.ndtri(threshold)), ordered)


def agreement_p(between: ArrayLike) -> Float64:
    """Whether subjects have anything in common at each place: one-sided p, corrected over places (FDR).

    Tested is the mean correlation of two subjects, by Student's t over the pairs of subjects. These share
    subjects, yet under the null their correlations are uncorrelated. The correlations of each subject with
    the mean of the others, which make the noise ceiling, are not, and a test of them raises false alarms.

    Parameters
    ----------
    between : array_like, shape (t, s (s - 1) / 2)
        Correlation of every two subjects at each place (:func:`series_scores`).

    Returns
    -------
    ndarray, shape (t,)
        NaN for fewer than four subjects.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import agreement_p
    >>> agreement_p([[0.1, -0.1, 0.0, 0.1, -0.2, 0.0], [0.3, 0.2, 0.3, 0.4, 0.2, 0.3]]).round(3)
    array([0.629, 0.   ])
    """
    values = np.asarray(between, dtype=np.float64)
    pairs = values.shape[1]
    if pairs < len(list(combinations(range(FEWEST_TO_AGREE), 2))):
        return np.full(len(values), np.nan)
    error = values.std(axis=1, ddof=1) / np.sqrt(pairs)
    means = values.mean(axis=1)
    t = np.divide(means, error, out=np.where(means > 0, np.inf, -np.inf), where=error > 0)
    return fdr(special.stdtr(pairs - 1, -t))


def _from_null(null: Float64, above: float, ordered: bool) -> AxisTest:
    """The test of the first row of ``null`` (n, t) against all its rows."""
    # what is equal up to rounding counts as equal
    p = (null >= null[0] - 1e-9 * np.abs(null[0])).mean(axis=0)
    cluster = _cluster_p(null, above) if ordered else np.full(len(p), np.nan)
    return AxisTest(null[0], p, fdr(p), cluster)


def _signs(subjects: int, n: int, rng: np.random.Generator | int) -> Float64:
    """Signs (n, s) of +1 and -1. The first row flips nothing."""
    if subjects <= _ALL:
        return np.array(list(product((1.0, -1.0), repeat=subjects)))
    signs = np.random.default_rng(rng).choice((1.0, -1.0), size=(n, subjects))
    signs[0] = 1.0
    return signs


def _student(curves: Float64, signs: Float64) -> Float64:
    """Student's t against zero for each row of signs, (n, t). Flips leave the sum of squares as it is."""
    s = len(curves)
    mean = signs @ curves / s
    squares = np.einsum("st,st->t", curves, curves) / s
    error = np.sqrt(np.maximum(squares - mean**2, squares * 1e-12) / (s - 1))
    t: Float64 = np.divide(mean, error, out=np.zeros_like(mean), where=error > 0)
    return t


def _cluster_p(flipped: Float64, above: float) -> Float64:
    """P of each place, from t under each flip (n, t); the first row is that of the curves themselves."""
    n, places = flipped.shape
    # a place that is in no cluster after the last one ends the clusters of a row
    t = np.zeros((n, places + 1))
    t[:, :-1] = np.where(flipped > above, flipped, 0)
    inside = t.ravel() > 0
    edges = np.flatnonzero(np.diff(inside, prepend=False))  # first inside, first outside, first inside, ...
    greatest = np.zeros(n)
    p = np.ones(places)
    if not len(edges):
        return p
    masses = np.add.reduceat(t.ravel(), edges)[::2]
    starts, stops = edges[::2], edges[1::2]
    np.maximum.at(greatest, starts // (places + 1), masses)
    for start, stop, mass in zip(starts, stops, masses, strict=True):
        if start > places:
            break
        p[start:stop] = (greatest >= mass * (1 - 1e-9)).mean()
    return p
