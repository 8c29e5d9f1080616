"""The result of a permutation test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
