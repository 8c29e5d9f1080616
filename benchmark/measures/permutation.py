"""The result of a permutation test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from benchmark.measures._checks import Float64


def exceedance_p(score: float | Float64, null: Float64) -> Float64:
    """One-sided p-value of a score: (1 + #{null >= score}) / (1 + n).

    A null value that equals the score up to rounding counts as reaching it.

    Parameters
    ----------
    score : float or ndarray, shape (...)
        The score, or one score per test.
    null : ndarray, shape (n, ...)
        The same score under each of n permutations.

    Returns
    -------
    ndarray, shape (...)
        Never zero. A small value says that few permutations reach the score.
    """
    p: Float64 = (1 + (null >= np.asarray(score) - 1e-12).sum(axis=0)) / (1 + len(null))
    return p


def student_p(score: float, null: Float64) -> float:
    r"""One-sided p-value of a score beside few permutations, whose scores are close to normal.

    Parameters
    ----------
    score : float
        The score.
    null : ndarray, shape (n,)
        The same score under each of n permutations, n >= 2.

    Returns
    -------
    float
        That of :math:`t = (s - m) / (d \sqrt{1 + 1/n})` with n - 1 degrees of freedom, for the score s, and
        the mean m and the standard deviation d of the permutations. NaN where the permutations are all equal.

    Examples
    --------
    >>> round(student_p(1.0, np.array([-0.5, 0.0, 0.5])), 3)
    0.113
    """
    scale = null.std(ddof=1) * np.sqrt(1 + 1 / len(null))
    return float(special.stdtr(len(null) - 1, -(score - null.mean()) / scale)) if scale > 0 else np.nan


@dataclass(frozen=True)
class PermutationTest:
    """A score beside its null distribution.

    Attributes
    ----------
    null : ndarray, shape (n,)
        The score under each permutation.
    p : float
        One-sided, (1 + #{null >= score}) / (1 + n): never zero. NaN for a score that is NaN.
    score : float
        The score that was tested.
    """

    null: Float64
    p: float
    score: float

    @classmethod
    def of(cls, score: float, null: Float64) -> PermutationTest:
        """Test ``score`` against ``null`` (n,), the same score under each permutation.

        A null value that equals the score up to rounding counts as reaching it. The p of a score that is NaN
        is NaN.
        """
        p = float("nan") if np.isnan(score) else float(exceedance_p(score, null))
        return cls(null=null, p=p, score=score)

    @property
    def chance(self) -> float:
        """Mean of the null distribution."""
        return float(np.mean(self.null))
