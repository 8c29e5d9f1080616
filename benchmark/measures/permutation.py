"""What every permutation test gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.measures._checks import Float64


def exceedance_p(score: float | Float64, null: Float64) -> Float64:
    """One-sided p (...), (1 + #{null >= score}) / (1 + n), of ``score`` (...) and ``null`` (n, ...).

    What is equal up to rounding counts as reached.
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
        One-sided, (1 + #{null >= score}) / (1 + n): never zero.
    score : float
        The score that was tested.
    """

    null: Float64
    p: float
    score: float

    @classmethod
    def of(cls, score: float, null: Float64) -> PermutationTest:
        """Test ``score`` against ``null``; what is equal up to rounding counts as reached."""
        return cls(null=null, p=float(exceedance_p(score, null)), score=score)

    @property
    def chance(self) -> float:
        """Mean of the null distribution."""
        return float(np.mean(self.null))
