"""What the comparison of RDMs costs, so that a run can be foreseen."""

from __future__ import annotations

from benchmark.common.cost import Cost, peak_memory
from benchmark.inference.bootstrap import SPLITS
from benchmark.inference.paired import HALVINGS

#: Operations a second of a matrix product, and of sums over entries, on one core
_PRODUCTS, _SUMS = 3e10, 1e9
#: Seconds for the rank of one pair among all
_RANK = 1e-7


def rdm_scoring_cost(n: int, subjects: int, layers: int, permutations: int, draws: int = 1000) -> Cost | None:
    """Time of one core, and memory, of scoring the layers of a model by correlations of pairs.

    It counts the sums over pairs: those of the bootstrap, of the choice of a layer on halves of the
    conditions, of the permutations and of the halvings for the comparison of two models.

    Parameters
    ----------
    n : int
        Number of conditions.
    subjects : int
        Number of RDMs of the target.
    layers : int
        Number of layers.
    permutations : int
        Number of permutations of the target.
    draws : int
        Number of bootstrap samples.

    Returns
    -------
    Cost or None
        None: less than a second.

    Examples
    --------
    >>> from benchmark.inference import rdm_scoring_cost
    >>> rdm_scoring_cost(n=48, subjects=4, layers=6, permutations=1000) is None
    True
    >>> round(rdm_scoring_cost(n=1200, subjects=1, layers=10, permutations=200).seconds)
    16
    """
    matrix = n * n
    # two statistics of all conditions, and one of two halves a halving, each with a quarter of the pairs
    passes = 2 + SPLITS * 2 / 4
    forms = passes * (layers * (2 + subjects) + 2 * subjects)
    products = forms * draws * matrix / _PRODUCTS
    sums = (permutations * layers + 4 * HALVINGS * (3 + subjects)) * matrix / _SUMS
    seconds = products + sums + 3 * (layers + subjects) * matrix / 2 * _RANK
    if seconds < 1:
        return None
    held = (4 * layers + 4 * subjects + 12) * matrix + 5 * draws * n
    return Cost(seconds, (peak_memory() or 0) + 8 * held, 0)
