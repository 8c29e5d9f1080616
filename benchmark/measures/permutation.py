"""What every permutation test gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.measures._checks import Float64


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
        """Test ``score`` against ``null``; what is equal up to rounding counts against us."""
        reached = int((null >= score - 1e-12).sum())
        return cls(null=null, p=(1 + reached) / (1 + len(null)), score=score)

    @property
    def chance(self) -> float:
        """Mean of the null distribution."""
        return float(np.mean(self.null))
