"""How figures and pages show an RDM: the order of its concepts, and its dissimilarities as ranks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.cluster.hierarchy import average, leaves_list
from scipy.spatial.distance import squareform
from scipy.stats import rankdata


def order_of(
    arrays: Mapping[str, np.ndarray], rdm: np.ndarray | None = None
) -> tuple[np.ndarray, list[str], str]:
    """The order in which concepts are shown.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Arrays of a result. With ``categories`` concepts are sorted by category, those without one last.
    rdm : ndarray, shape (n, n), optional
        What concepts are clustered by where there are no categories; without it they keep their order.

    Returns
    -------
    order : ndarray of int, shape (n,)
    categories : list of str, length n
        In that order; empty where there are none.
    how : str
        The order in words.
    """
    if "categories" in arrays:
        names = arrays["categories"].astype(str)
        order = np.lexsort((names, names == ""))
        return order, list(names[order]), "concepts sorted by category"
    if rdm is None:
        return np.arange(len(arrays["concepts"])), [], "concepts in the order of the stimuli"
    known = np.where(np.isnan(rdm), np.nanmean(rdm), rdm)
    np.fill_diagonal(known, 0)
    order = leaves_list(average(squareform(known, checks=False)))
    return order, [], "concepts in the order of an average-linkage clustering"


def ranks_of(pairs: np.ndarray) -> np.ndarray:
    """Dissimilarities of ``pairs`` (p,) as ranks from 0, the most similar pair, to 1. NaN stays NaN."""
    ranks = np.full(len(pairs), np.nan)
    known = ~np.isnan(pairs)
    ranks[known] = (rankdata(pairs[known]) - 1) / max(1, known.sum() - 1)
    return ranks
