r"""How much of the variance of an RDM sets of model RDMs explain, alone and together.

In ordinary least squares, with an intercept, over the pairs of conditions i < j. The bias of a small sample
is taken away: see :func:`variance_partition`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np
from numpy.typing import ArrayLike

from benchmark.measures.regression import RDMRegression, Subset

#: More sets give too many parts for a table to be read
MOST_SETS = 3


@dataclass(frozen=True)
class VariancePartition:
    """Shares of a target's variance. Keys are tuples of names of sets, in the order that was given.

    Attributes
    ----------
    explained : dict of tuple of str to float
        R squared of each group of sets: ("a",), ("b",), ("a", "b").
    corrected : dict of tuple of str to float
        The same without the bias of the small sample. It can be negative.
    components : dict of tuple of str to float
        Parts of commonality analysis, from ``corrected``. The part ("a",) is what only a explains, ("a", "b")
        what a and b explain and no other set does. They sum to the R squared of all sets. A part of several
        sets is negative where one set suppresses what is irrelevant in another.
    raw_components : dict of tuple of str to float
        The same from ``explained``.
    """

    explained: dict[Subset, float]
    corrected: dict[Subset, float]
    components: dict[Subset, float]
    raw_components: dict[Subset, float]


def variance_partition(
    target: ArrayLike, models: Mapping[str, ArrayLike], method: str = "spearman"
) -> VariancePartition:
    r"""Variance of a target's RDM that two or three sets of model RDMs explain, alone and together.

    R squared is taken for each subject, and averaged over the subjects.

    Parameters
    ----------
    target : array_like, shape (n, n) or (s, n, n)
        The target's RDM, or one per subject.
    models : mapping of str to array_like, shape (n, n) or (m, n, n)
        Two or three sets of predictors: the RDM of a model, or of several of its layers.
    method : str
        ``spearman``: of the ranks of the dissimilarities. ``pearson``: of the dissimilarities as they are.

    Returns
    -------
    VariancePartition

    Raises
    ------
    ValueError
        If there are other than two or three sets, an argument is not an RDM, shapes differ, or all
        dissimilarities of an RDM are equal.

    Notes
    -----
    Any predictor explains something by chance. The pairs of an RDM are not independent, so an adjusted
    R squared with the number of pairs takes away far too little. Only conditions can be exchanged. So what is
    taken away is what the same predictors would explain on average of the residual e of their own fit, over
    all permutations of their conditions. No permutation is drawn, because this mean has a closed form (Mantel
    1967). With X the centred predictors and G = X'X,

    .. math:: \operatorname{E} [e' X_\pi G^{-1} X_\pi' e]
       = \frac{p A}{N} + \frac{t B}{n (n-1) (n-2)} + \frac{4 (p + t) (A + B)}{n (n-1) (n-2) (n-3)}

    where p is the rank of X, N the number of pairs, A and B are the sums of :math:`e_a e_b` over equal pairs
    a = b and over ordered pairs a, b that share one condition, and t is the trace of :math:`G^{-1}` times the
    sum of :math:`X_a X_b'` over those. A residual without relation between pairs that share a condition has
    B = 0, and the mean is close to p A / N, that of the adjusted R squared.

    References
    ----------
    Mantel (1967), Cancer Research 27, 209-220; Nimon & Oswald (2013), Organizational Research Methods 16,
    650-674 (commonality analysis); Groen et al. (2018), eLife 7, e32962 (of RDMs).

    Examples
    --------
    A subject mixes two geometries. Each model has one of them.

    >>> import numpy as np
    >>> from benchmark.measures import rdm, variance_partition
    >>> rng = np.random.default_rng(0)
    >>> shape, colour = rng.normal(size=(2, 40, 6))
    >>> subject = rdm(np.hstack([shape, colour]), "sqeuclidean")
    >>> models = {"shape": rdm(shape, "sqeuclidean"), "colour": rdm(colour, "sqeuclidean")}
    >>> parts = variance_partition(subject, models, "pearson")
    >>> {" and ".join(names): round(share, 2) for names, share in parts.components.items()}
    {'shape': 0.41, 'colour': 0.46, 'shape and colour': 0.13}
    """
    if not 2 <= len(models) <= MOST_SETS:
        raise ValueError(f"models has {len(models)} sets: expected 2 or {MOST_SETS}")
    regression = RDMRegression(target, method)
    for name, rdms in models.items():
        regression = regression.beside(name, rdms)
    ones = np.ones((1, regression.n))
    explained, corrected = {}, {}
    for subset in subsets(models):
        explained[subset] = float(regression.explained(subset, ones, corrected=False)[0])
        corrected[subset] = float(regression.explained(subset, ones)[0])
    return VariancePartition(explained, corrected, commonality(corrected), commonality(explained))


def subsets(names: Mapping[str, object] | Sequence[str]) -> list[Subset]:
    """Every group of ``names`` but the empty one, the small ones first."""
    return list(chain.from_iterable(combinations(names, size + 1) for size in range(len(names))))


def commonality(explained: Mapping[Subset, float]) -> dict[Subset, float]:
    r"""Parts of commonality analysis from the R squared of every group of sets.

    The part of a group T of all sets U is
    :math:`\sum_{V \subseteq T} (-1)^{|V| + 1} R^2(V \cup U \setminus T)`.

    Parameters
    ----------
    explained : mapping of tuple of str to float
        R squared of each group of sets, as :func:`subsets` names them.

    Returns
    -------
    dict of tuple of str to float
        They sum to the R squared of all sets.

    Examples
    --------
    >>> parts = commonality({("a",): 0.5, ("b",): 0.3, ("a", "b"): 0.6})
    >>> {names: round(share, 3) for names, share in parts.items()}
    {('a',): 0.3, ('b',): 0.1, ('a', 'b'): 0.2}
    """
    every = max(explained, key=len)

    def part(group: Subset) -> float:
        others = [name for name in every if name not in group]
        total = 0.0
        for inside in [(), *subsets(group)]:
            fitted = tuple(name for name in every if name in others or name in inside)
            total += (-1) ** (len(inside) + 1) * (explained[fitted] if fitted else 0.0)
        return total

    return {group: part(group) for group in explained}
