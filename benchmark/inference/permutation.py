"""Permutation test of an RDM correlation, and the correction for many tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from benchmark.inference.rdm_comparison import permutation_compare
from benchmark.measures._checks import Float64, as_rdm, as_rdms
from benchmark.measures.permutation import PermutationTest

#: With more conditions than ``_LARGE`` a permutation of an RDM takes tens of milliseconds
_PERMUTATIONS, _PERMUTATIONS_LARGE, _LARGE = 1000, 200, 500


def permutations_for(n: int) -> int:
    """Number of permutations of an RDM that a test takes, the same for all tasks.

    Parameters
    ----------
    n : int
        Number of conditions.

    Returns
    -------
    int
        1,000, or 200 where the RDM is large.

    Examples
    --------
    >>> from benchmark.inference import permutations_for
    >>> permutations_for(92), permutations_for(1854)
    (1000, 200)
    """
    return _PERMUTATIONS_LARGE if n > _LARGE else _PERMUTATIONS


def permutation_test_rdm(
    model_rdm: ArrayLike, rdms: ArrayLike, method: str, n: int, rng: np.random.Generator | int
) -> PermutationTest:
    """Test an RDM correlation, averaged over subjects, against permutations of the model's conditions.

    Rows and columns are permuted together (Mantel test). The pairs of an RDM are not independent; only its
    conditions can be exchanged.

    Parameters
    ----------
    model_rdm : array_like, shape (n_conditions, n_conditions)
        The model's RDM. No pair may be NaN.
    rdms : array_like, shape (s, n_conditions, n_conditions)
        One RDM per subject. Pairs may be NaN: each subject is compared over the pairs that it has.
    method : str
        ``pearson``, ``spearman`` or ``cosine``.
    n : int
        Number of permutations.
    rng : numpy.random.Generator or int
        Source of the permutations, or its seed.

    Returns
    -------
    PermutationTest

    Raises
    ------
    ValueError
        If ``n`` is less than one, an argument is not an RDM, shapes differ, or all dissimilarities of an RDM
        are equal.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import permutation_test_rdm
    >>> from benchmark.measures import rdm
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=(10, 20))
    >>> subjects = np.stack([rdm(truth + rng.normal(size=truth.shape)) for _ in range(3)])
    >>> test = permutation_test_rdm(rdm(truth), subjects, "spearman", n=199, rng=0)
    >>> round(test.score, 2), round(test.p, 3)
    (0.4, 0.005)
    """
    subjects = as_rdms(rdms, "rdms", missing=True)
    test = permutation_compare(as_rdm(model_rdm, "model_rdm"), subjects[None], n, rng, method)
    return PermutationTest(test.null[:, 0, 0], float(test.p[0, 0]), float(test.score[0, 0]))


def fdr(p: ArrayLike) -> Float64:
    """Benjamini-Hochberg adjusted p-values.

    Reject the tests whose adjusted p-value is at most q. The expected share of false discoveries is then at
    most q, for independent or positively dependent tests.

    Parameters
    ----------
    p : array_like
        p-values of any shape. NaN means no test: it stays NaN and is not counted.

    Returns
    -------
    ndarray
        Adjusted p-values of the same shape, within [0, 1].

    Raises
    ------
    ValueError
        If a value is outside [0, 1].

    References
    ----------
    Benjamini & Hochberg (1995), Journal of the Royal Statistical Society B 57, 289-300.

    Examples
    --------
    The p-values of four layers; the third layer has no score.

    >>> import numpy as np
    >>> from benchmark.inference import fdr
    >>> fdr([0.01, 0.04, np.nan, 0.03]).round(3)
    array([0.03, 0.04,  nan, 0.04])
    """
    values = np.array(p, dtype=np.float64)
    tested = ~np.isnan(values)
    tests = values[tested]
    if ((tests < 0) | (tests > 1)).any():
        raise ValueError(f"p of shape {values.shape} has values outside [0, 1]")
    order = np.argsort(tests)
    scaled = tests[order] * len(tests) / np.arange(1, len(tests) + 1)
    adjusted = np.empty(len(tests))
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    values[tested] = adjusted
    return values
