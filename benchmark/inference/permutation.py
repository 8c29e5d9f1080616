"""Permutation test of an RDM correlation, and the correction for many tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from benchmark.inference.rdm_comparison import permutation_compare
from benchmark.measures._checks import Float64, as_rdm, as_rdms
from benchmark.measures.permutation import PermutationTest


def permutation_test_rdm(
    model_rdm: ArrayLike, rdms: ArrayLike, method: str, n: int, rng: np.random.Generator | int
) -> PermutationTest:
    """Test an RDM correlation, averaged over subjects, against permutations of the model's conditions.

    Rows and columns are permuted together: the pairs of an RDM are not independent, the conditions are what
    can be exchanged (Mantel test).

    Parameters
    ----------
    model_rdm : array_like, shape (n_conditions, n_conditions)
    rdms : array_like, shape (s, n_conditions, n_conditions)
        One RDM a subject.
    method : str
        ``pearson``, ``spearman`` or ``cosine``.
    n : int
        Number of permutations.
    rng : numpy.random.Generator or int

    Returns
    -------
    PermutationTest

    Raises
    ------
    ValueError
        If ``n`` is less than one, an argument is no RDM, shapes differ, or all dissimilarities of one are
        equal.
    """
    subjects = as_rdms(rdms, "rdms")
    test = permutation_compare(as_rdm(model_rdm, "model_rdm"), subjects[None], n, rng, method)
    return PermutationTest(test.null[:, 0, 0], float(test.p[0, 0]), float(test.score[0, 0]))


def fdr(p: ArrayLike) -> Float64:
    """Benjamini-Hochberg adjusted p-values.

    Rejecting what is at most q keeps the expected share of false discoveries at q or below (independent or
    positively dependent tests).

    Parameters
    ----------
    p : array_like
        p-values, any shape; NaN is no test: it passes through and is not counted.

    Returns
    -------
    ndarray
        Same shape, within [0, 1].

    Raises
    ------
    ValueError
        If a value is outside [0, 1].

    References
    ----------
    Benjamini & Hochberg (1995), Journal of the Royal Statistical Society B 57, 289-300.
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
