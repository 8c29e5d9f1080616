r"""A linear transformation of features that is fitted to people's odd-one-out choices.

The features X of objects become :math:`XW`, and the similarity of two objects the dot product of their rows.
People's choice between the three pairs of a triplet is a softmax of the three similarities. The loss is the
mean cross-entropy over triplets plus :math:`\lambda \|W - \alpha I\|_F^2`, :math:`\alpha` the mean of W's
diagonal: with a great penalty the transformation is a change of scale, and the choices those without it.
Muttenthaler et al. 2023 (ICLR; NeurIPS).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize

from benchmark.measures._checks import Float64, as_matrix
from benchmark.measures.odd_one_out import Triplets, as_triplets, odd_one_out_hits

#: Penalties from which the probe chooses, the greatest first: each fit starts from the one before
PENALTIES = (1.0, 0.1, 0.01, 0.001, 0.0001)
#: Principal components of the features that the probe transforms, at most
COMPONENTS = 256
#: Folds of objects. A triplet is scored where all three of its objects are in one fold
FOLDS = 3
#: Share of the training objects on which the penalty is chosen
_HELD_OUT = 1 / 3
_ITERATIONS = 100


def fit_triplet_probe(
    features: ArrayLike, triplets: ArrayLike, penalty: float, start: Float64 | None = None
) -> Float64:
    r"""Fit the transformation W.

    Parameters
    ----------
    features : array_like, shape (k, d)
        One row per object.
    triplets : array_like of int, shape (m, 3)
        Rows of objects. The third is the odd one out.
    penalty : float
        :math:`\lambda`, greater than zero.
    start : ndarray, shape (d, d), optional
        Where the search begins. Default: the identity.

    Returns
    -------
    ndarray, shape (d, d)

    Raises
    ------
    ValueError
        If there is no triplet, a triplet names an object that is not there, or the penalty is not positive.

    References
    ----------
    Muttenthaler, Dippel, Linhardt, Vandermeulen & Kornblith (2023), Human alignment of neural network
    representations, ICLR; Muttenthaler et al. (2023), Improving neural network representations using human
    similarity judgments, NeurIPS (the scaled identity).

    Examples
    --------
    People go by the first feature; the second is greater and says nothing.

    >>> import numpy as np
    >>> from benchmark.measures import fit_triplet_probe
    >>> features = np.array([[1.0, 3], [1, -3], [-1, 3], [-1, -3]])
    >>> fitted = fit_triplet_probe(features, [[0, 1, 2], [0, 1, 3], [2, 3, 0], [2, 3, 1]], penalty=0.01)
    >>> bool(abs(fitted[0, 0]) > 3 * abs(fitted[1, 1]))
    True
    """
    x = as_matrix(features, "features").astype(np.float64)
    chosen = as_triplets(triplets, len(x))
    if not len(chosen) or not penalty > 0:
        raise ValueError(f"{len(chosen)} triplets and penalty {penalty}: expected triplets, and above zero")
    d = x.shape[1]
    first = np.eye(d) if start is None else start
    found = minimize(
        _loss,
        first.ravel(),
        (x, chosen, penalty),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": _ITERATIONS},
    )
    fitted: Float64 = found.x.reshape(d, d)
    return fitted


def probed_hits(
    features: ArrayLike,
    triplets: ArrayLike,
    rng: np.random.Generator,
    penalties: Sequence[float] = PENALTIES,
) -> tuple[Float64, Float64]:
    """Hits of a probe on triplets of objects that took no part in its fit.

    The objects are dealt into three folds. The probe of a fold is fitted to the triplets of which no object
    is in the fold, and scored on those of which all three are: a ninth of all triplets. Within the training
    objects a third is held out in the same way to choose the penalty, by the cross-entropy. The features are
    centred, reduced to at most 256 principal components, and scaled to a mean square length of one; no choice
    is used for that.

    Parameters
    ----------
    features : array_like, shape (k, d)
        One row per object.
    triplets : array_like of int, shape (m, 3)
        Rows of objects. The third is the odd one out.
    rng : numpy.random.Generator
        Deals the objects into folds.
    penalties : sequence of float
        The penalties from which to choose.

    Returns
    -------
    hits : ndarray, shape (m,)
        As :func:`benchmark.measures.odd_one_out_hits`; NaN for a triplet whose objects are in several folds.
    chosen : ndarray, shape (folds,)
        The penalty of each fold.

    Raises
    ------
    ValueError
        If a fold has no triplet to fit to, to choose by, or to score.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.measures import odd_one_out_hits, probed_hits, similarities
    >>> rng = np.random.default_rng(0)
    >>> known = rng.normal(size=(45, 2))  # what people go by, which the model has in weak features
    >>> triplets = np.array([rng.choice(45, size=3, replace=False) for _ in range(3000)])
    >>> alike = similarities(known, "dot")
    >>> right = odd_one_out_hits(alike, triplets) == 1
    >>> features = np.hstack([known, 3 * rng.normal(size=(45, 4))])
    >>> hits, penalties = probed_hits(features, triplets[right], rng)
    >>> bool(np.nanmean(hits) > odd_one_out_hits(similarities(features, "dot"), triplets[right]).mean() + 0.2)
    True
    """
    x = _reduced(as_matrix(features, "features").astype(np.float64))
    answers = as_triplets(triplets, len(x))
    fold = rng.permutation(len(x)) % FOLDS
    hits, best = np.full(len(answers), np.nan), np.empty(FOLDS)
    for f in range(FOLDS):
        training = np.flatnonzero(fold != f)
        held_out = np.zeros(len(x), dtype=bool)
        held_out[rng.permutation(training)[: round(_HELD_OUT * len(training))]] = True
        fitted_to = _within(answers, (fold != f) & ~held_out)
        chosen_by, scored = _within(answers, held_out), _within(answers, fold == f)
        if not (fitted_to.any() and chosen_by.any() and scored.any()):
            raise ValueError(
                f"{len(answers)} triplets of {len(x)} objects are too few for a probe: a third of the "
                "objects must hold triplets of their own"
            )
        best[f], start = _chosen_penalty(x, answers[fitted_to], answers[chosen_by], penalties)
        transformed = x @ fit_triplet_probe(x, answers[_within(answers, fold != f)], best[f], start)
        hits[scored] = odd_one_out_hits(transformed @ transformed.T, answers[scored])
    return hits, best


def _chosen_penalty(
    x: Float64, training: Triplets, held_out: Triplets, penalties: Sequence[float]
) -> tuple[float, Float64]:
    """The penalty of the least cross-entropy on held-out triplets, and its transformation."""
    fitted, losses = [], []
    start = None
    for penalty in penalties:
        start = fit_triplet_probe(x, training, penalty, start)
        fitted.append(start)
        losses.append(_cross_entropy(x @ start, held_out)[0])
    best = int(np.argmin(losses))
    return penalties[best], fitted[best]


def _reduced(x: Float64) -> Float64:
    """The features on their leading principal components, with a mean square length of one."""
    left, strengths, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    reduced: Float64 = (left * strengths)[:, :COMPONENTS]
    return reduced / max(float(np.sqrt((reduced**2).sum(axis=1).mean())), 1e-300)


def _within(triplets: Triplets, objects: np.ndarray) -> np.ndarray:
    return np.asarray(objects[triplets].all(axis=1))


def _loss(w: Float64, x: Float64, triplets: Triplets, penalty: float) -> tuple[float, Float64]:
    """The loss and its gradient, both for W as a vector."""
    d = x.shape[1]
    transformation = w.reshape(d, d)
    entropy, gradient = _cross_entropy(x @ transformation, triplets)
    away = transformation - np.trace(transformation) / d * np.eye(d)
    return entropy + penalty * float((away**2).sum()), (x.T @ gradient + 2 * penalty * away).ravel()


def _cross_entropy(z: Float64, triplets: Triplets) -> tuple[float, Float64]:
    """Mean cross-entropy of people's choices, and its gradient by the transformed features ``z`` (k, d)."""
    k, m = len(z), len(triplets)
    similarity = (z @ z.T).ravel()
    i, j, odd = triplets.T
    pairs = np.stack([i * k + j, i * k + odd, j * k + odd])
    logits = similarity[pairs]
    logits -= logits.max(axis=0)
    shares = np.exp(logits)
    total = shares.sum(axis=0)
    entropy = float((np.log(total) - logits[0]).mean())
    shares /= total
    shares[0] -= 1
    by_pair = np.bincount(pairs.ravel(), weights=shares.ravel(), minlength=k * k).reshape(k, k) / m
    return entropy, (by_pair + by_pair.T) @ z
