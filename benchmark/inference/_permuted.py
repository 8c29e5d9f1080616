"""RDM correlations under permutations of the models' conditions.

RDMs come by name, for error messages: of models, and of the subjects of a target.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from benchmark.inference._pairs import NO_VARIANCE, Used, by_pairs, links, standardised
from benchmark.inference._reranked import Ranking
from benchmark.measures._blocks import blocks
from benchmark.measures._checks import Float64, Floats
from benchmark.measures._threads import in_threads
from benchmark.measures.compare import upper_triangle

NamedRDMs = dict[str, Floats]
Orders = Sequence[np.ndarray]

#: Rows of an RDM that are permuted together. They fit a processor's cache
_ROWS = 64


def over_all_pairs(
    models: NamedRDMs, targets: Sequence[NamedRDMs], method: str, orders: Orders, workers: int | None
) -> tuple[Float64, Float64]:
    """Mean correlations over subjects (m, t), and in each of the ``orders`` (n, m, t). No pair is missing."""
    x = np.stack([standardised(rdm, method, name) for name, rdm in models.items()])
    y = np.stack([_mean_standardised(subjects, method) for subjects in targets])
    score = _inner(np.arange(x.shape[1]), x, y)
    if len(x) <= len(y):
        return score, np.array(in_threads(partial(_inner, x=x, y=y), orders, workers))
    # permuting the models is permuting the targets by the inverse
    inverse_orders = [np.argsort(order) for order in orders]
    transposed = in_threads(partial(_inner, x=y, y=x), inverse_orders, workers)
    return score, np.transpose(transposed, (0, 2, 1))


def over_measured_pairs(
    models: NamedRDMs, subjects: NamedRDMs, method: str, orders: Orders, workers: int | None
) -> tuple[Float64, Float64]:
    """Mean correlations over subjects (m,), each over its own pairs, and in each of the ``orders`` (n, m).

    A permutation brings other pairs of a model to those that a subject has. So each time their mean and
    variance are taken anew, or they are ranked anew. NaN where they have no variance.
    """
    rdms = np.stack([standardised(rdm, method, name) for name, rdm in models.items()])
    rankings = [Ranking(rdm) for rdm in rdms] if method == "spearman" else []
    all_orders = [np.arange(rdms.shape[1]), *orders]
    total = np.zeros((len(all_orders), len(rdms)))
    for used, members in by_pairs(subjects.values()):
        if used is None:
            used = np.ones(rdms.shape[1] * (rdms.shape[1] - 1) // 2, dtype=bool)
        group = {name: rdm for i, (name, rdm) in enumerate(subjects.items()) if i in members}
        target = _mean_standardised(group, method, used) * (len(group) / len(subjects))
        share = links(used) / (2 * used.sum())
        if rankings:
            reranked = partial(_reranked, rankings=rankings, target=target, share=share)
            total += np.array(in_threads(reranked, all_orders, workers))
        else:
            total += _linear(rdms, target, share, method, all_orders, workers)
    return total[0], total[1:]


def _mean_standardised(subjects: NamedRDMs, method: str, used: Used | None = None) -> Float64:
    """The mean of the subjects' standardised RDMs, divided by the number of ordered pairs in use.

    With this scale, twice the sum of products above the diagonal is the mean of the correlations.
    """
    n = len(next(iter(subjects.values())))
    total = np.zeros((n, n))
    for name, rdm in subjects.items():
        total += standardised(rdm, method, name, used)
    return total / (len(subjects) * (n * (n - 1) if used is None else 2 * int(used.sum())))


def _inner(order: np.ndarray, x: Float64, y: Float64) -> Float64:
    """Sums over pairs of x, its conditions in ``order``, times y: (m, n, n), (t, n, n) -> (m, t)."""
    n = len(order)
    total = np.zeros((len(x), len(y)))
    for rows in blocks(n, _ROWS):
        # Entries above the diagonal blocks count twice.
        start, stop = rows.start, rows.stop
        permuted = np.take(x[:, order[rows]], order[start:], axis=2, mode="clip")
        permuted[:, :, stop - start :] *= 2
        total += permuted.reshape(len(x), -1) @ y[:, rows, start:].reshape(len(y), -1).T
    return total


def _linear(
    rdms: Float64, target: Float64, share: Float64, method: str, orders: Orders, workers: int | None
) -> Float64:
    """Correlations (n, m) with ``target`` over the pairs in use; a ``share`` is one over their number."""
    x, y = np.concatenate([rdms, rdms**2]), np.stack([target, share])
    sums = np.array(in_threads(partial(_inner, x=x, y=y), orders, workers))
    products, means, squares = sums[:, : len(rdms), 0], sums[:, : len(rdms), 1], sums[:, len(rdms) :, 1]
    variance = squares if method == "cosine" else squares - means**2
    correlations: Float64 = products / np.sqrt(np.where(variance > NO_VARIANCE, variance, np.nan))
    return correlations


def _reranked(order: np.ndarray, rankings: list[Ranking], target: Float64, share: Float64) -> Float64:
    """Spearman correlations (m,) with ``target``. Models are ranked anew among the pairs in use."""
    inverse = np.argsort(order)  # permuting the models is permuting the target by the inverse
    here = np.ix_(inverse, inverse)
    values, shares = upper_triangle(target[here]), upper_triangle(share[here])
    copies = (shares > 0).astype(np.uint8)
    correlations = np.empty(len(rankings))
    for i, ranking in enumerate(rankings):
        ranks = ranking.centred(copies)
        variance = 2 * float((ranks * shares) @ ranks)
        correlations[i] = 2 * float(ranks @ values) / np.sqrt(variance) if variance > 0 else np.nan
    return correlations
