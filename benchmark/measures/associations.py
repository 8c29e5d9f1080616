"""The geometry of association profiles: under which rule two profiles of words are compared.

A *profile* holds the strengths of the responses to a cue, or those that a network gives for an image, over a
vocabulary. Strengths are not compared as they are: a few strong words decide everything, and two cues that
share no response are equally far from each other, whatever their responses mean. Each rule here turns
profiles into rows that any dissimilarity can compare.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from benchmark.measures._checks import as_matrix

#: Added to the activation of a word before the logarithm is taken, so that a word that no walk reaches is
#: finite. The activation of all words sums to between 1 and 1 / (1 - decay)
FLOOR = 1e-9
#: The walks that are not counted carry at most this share of the activation
_REST = 1e-10


def normalised(strengths: np.ndarray) -> np.ndarray:
    """Profiles that sum to one.

    Parameters
    ----------
    strengths : ndarray, shape (n, v)
        Strengths of v words. Values below zero, which a regression may give, count as zero.

    Returns
    -------
    ndarray, shape (n, v), float64
        A profile without any strength stays zero.
    """
    kept = np.maximum(as_matrix(strengths, "strengths").astype(np.float64), 0.0)
    total = kept.sum(axis=1, keepdims=True)
    shares: np.ndarray = kept / np.where(total > 0, total, 1.0)
    return shares


def hellinger(strengths: np.ndarray) -> np.ndarray:
    """Square roots of the profiles.

    Their Euclidean distance is the Hellinger distance of the profiles, times the square root of two. Weak
    associates count more than in the strengths.

    Parameters
    ----------
    strengths : ndarray, shape (n, v)

    Returns
    -------
    ndarray, shape (n, v), float64
    """
    roots: np.ndarray = np.sqrt(normalised(strengths))
    return roots


def positive_pmi(strengths: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Positive pointwise mutual information of each profile with each word.

    ``max(0, log(p(word | profile) / p(word)))``: how much more often than at large a word is given here.

    Parameters
    ----------
    strengths : ndarray, shape (n, v)
    base : ndarray, shape (v,)
        The base rate of each word: its mean strength over the cues of the norms. A word with base rate zero
        is not in the norms. Its information is unknown, and counts as zero.

    Returns
    -------
    ndarray, shape (n, v), float64

    References
    ----------
    De Deyne, Navarro, Perfors, Brysbaert & Storms (2019). The "Small World of Words" English word association
    norms for over 12,000 cue words. Behavior Research Methods, 51.
    """
    shares = normalised(strengths)
    ratio = shares / np.where(base > 0, base, np.inf)
    information: np.ndarray = np.log(np.maximum(ratio, 1.0))
    return information


def association_graph(strengths: sparse.csr_array, base: np.ndarray) -> sparse.csr_array:
    """The steps of a walk from word to word: positive pointwise mutual information, rows that sum to one.

    Parameters
    ----------
    strengths : csr_array, shape (v, v)
        Strength of each word (column) as a response to each word (row) as a cue. The row of a word that was
        no cue is empty: no walk leaves it.
    base : ndarray, shape (v,)
        The base rate of each word, as in :func:`positive_pmi`.

    Returns
    -------
    csr_array, shape (v, v), float64
        Rows sum to one, or to zero where no response is more frequent than at large.

    References
    ----------
    De Deyne, Navarro, Perfors & Storms (2016). Structure at every scale: A semantic network account of the
    similarities between unrelated concepts. Journal of Experimental Psychology: General, 145.
    """
    table = strengths.tocoo()
    known = base[table.col] > 0
    row, column = table.row[known], table.col[known]
    information = np.log(np.maximum(table.data[known] / base[column], 1.0))
    graph = sparse.csr_array((information, (row, column)), shape=strengths.shape)
    graph.eliminate_zeros()
    total = np.asarray(graph.sum(axis=1)).ravel()
    steps: sparse.csr_array = sparse.diags_array(1.0 / np.where(total > 0, total, 1.0)) @ graph
    return steps.tocsr()


def spread(strengths: np.ndarray, graph: sparse.csr_array, decay: float) -> np.ndarray:
    """Activation of each word after a profile has spread over the association graph.

    ``p (I - decay T)^-1 = p + decay p T + decay^2 p T^2 + ...``: the sum over walks of every length. A walk
    ends at a word without responses.

    Parameters
    ----------
    strengths : ndarray, shape (n, v)
        Profiles. Each is divided by its sum.
    graph : csr_array, shape (v, v)
        T, from :func:`association_graph`.
    decay : float
        Weight of each further step, above 0 and below 1.

    Returns
    -------
    ndarray, shape (n, v), float64
        Not negative. A profile without any strength stays zero.

    Notes
    -----
    Walks are summed until the rest is a geometric series: each further step is the step before times one
    number per profile. That is so soon, because all walks are drawn to the same words. The rest is then
    summed in closed form. What this leaves out is less than 1e-10 of the activation.

    References
    ----------
    De Deyne, Navarro, Perfors & Storms (2016), as in :func:`association_graph`.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import sparse
    >>> to_the_next = sparse.csr_array(np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]))
    >>> spread(np.array([[1.0, 0.0, 0.0]]), to_the_next, decay=0.5)
    array([[1.  , 0.5 , 0.25]])
    """
    if not 0 < decay < 1:
        raise ValueError(f"decay is {decay}; expected a number above 0 and below 1")
    back = graph.T.tocsr()
    step = np.ascontiguousarray(normalised(strengths).T)
    activation = step.copy()
    while True:
        mass = step.sum(axis=0)
        following = decay * (back @ step)
        ratio = following.sum(axis=0) / np.where(mass > 0, mass, 1.0)
        unlike = np.abs(following - ratio * step).sum(axis=0)
        step = following
        activation += step
        if (unlike <= _REST * (1 - decay) ** 2 * activation.sum(axis=0)).all():
            break
    activation += step * (ratio / (1.0 - ratio))
    return np.ascontiguousarray(activation.T)


def spread_geometry(
    strengths: np.ndarray, graph: sparse.csr_array, decay: float, over: np.ndarray | None = None
) -> np.ndarray:
    """Logarithm of the activation (:func:`spread`) of each word, less its mean over the profiles.

    Parameters
    ----------
    strengths : ndarray, shape (n, v)
    graph : csr_array, shape (v, v)
    decay : float
        As in :func:`spread`.
    over : ndarray of bool, shape (n,), optional
        The profiles over which the mean is taken; None: all.

    Returns
    -------
    ndarray, shape (n, v), float64
        A row depends on the profiles over which the mean is taken.
    """
    logarithm = np.log(spread(strengths, graph, decay) + FLOOR)
    counted = logarithm if over is None else logarithm[over]
    centred: np.ndarray = logarithm - counted.mean(axis=0)
    return centred
