"""A network with one hidden layer and a cosine loss, trained for all folds of a cross-validation at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmark.measures.property_mapping import INNER_FOLDS, average_precision, fold_labels

#: Units of the hidden layer, as in Derby, Miller & Devereux 2020
HIDDEN = 1200
_RATE = 1e-3
#: Added to the length of a prediction, so that a prediction of zeros has a gradient
_LEAST = 1e-8


def cosine_network(
    features: np.ndarray,
    targets: np.ndarray,
    labels: np.ndarray,
    seed: int,
    steps: Sequence[int],
    device: str | None = None,
) -> np.ndarray:
    r"""Predict each row by a network that was trained on the rows of the other folds.

    One hidden layer of 1,200 rectified units; the loss of a row is :math:`(1 - \cos(y, \hat y)) / 2`; Adam
    with a rate of .001, each step with all training rows. After how many steps the training of a fold stops
    is chosen on its training rows, by the mean average precision of networks that did not see one of five
    inner folds. Networks of several folds are one batched network, and rows that a network does not see have
    weight zero in its loss.

    Parameters
    ----------
    features : ndarray, shape (n, d)
        Features of the concepts.
    targets : ndarray, shape (n, v)
        No row of zeros.
    labels : ndarray of int, shape (n,)
        The fold of each row, from 0.
    seed : int
        Seed of the inner folds, and of the weights with which the training starts. They are the same in each
        fold.
    steps : sequence of int
        After how many steps the training may stop, at least one number. With one nothing is chosen, and no
        inner network is trained.
    device : str, optional
        "cuda" or "mps". Default: the processor.

    Returns
    -------
    ndarray, shape (n, v)
        Only the direction of a prediction means something.

    References
    ----------
    Derby, Miller & Devereux (2020), COLING; Kingma & Ba (2015), ICLR.
    """
    candidates = sorted(set(steps))
    outside = np.arange(labels.max() + 1)[:, None] != labels
    chosen = np.zeros(len(outside), dtype=np.intp)
    if len(candidates) > 1:
        chosen = np.array(
            [
                _best(features, targets, rows, seed, candidates, device)
                for rows in map(np.flatnonzero, outside)
            ]
        )
    last = candidates[: int(chosen.max()) + 1]
    predicted = _trained(features, targets, outside, seed, last, device)
    own: np.ndarray = predicted[chosen[labels], labels, np.arange(len(labels))]
    return own.astype(np.float64)


def _best(
    features: np.ndarray,
    targets: np.ndarray,
    rows: np.ndarray,
    seed: int,
    steps: list[int],
    device: str | None,
) -> int:
    """Which of ``steps`` has the greatest mean average precision in the inner folds of these rows."""
    x, y = features[rows], targets[rows]
    labels = fold_labels(len(rows), INNER_FOLDS, seed)
    predicted = _trained(x, y, np.arange(INNER_FOLDS)[:, None] != labels, seed, steps, device)
    left_out = predicted[:, labels, np.arange(len(rows))]
    return int(np.argmax([average_precision(of_step, y).mean() for of_step in left_out]))


def _trained(
    features: np.ndarray,
    targets: np.ndarray,
    seen: np.ndarray,
    seed: int,
    steps: list[int],
    device: str | None,
) -> np.ndarray:
    """Predictions (s, b, n, v) of b networks that see the rows ``seen`` (b, n), after each of s steps."""
    import torch  # slow to import; only a binding that asks for the network needs it

    place = torch.device(device or "cpu")
    x = torch.as_tensor(features, dtype=torch.float32, device=place)
    y = torch.as_tensor(targets, dtype=torch.float32, device=place)
    y = y / y.norm(dim=1, keepdim=True)
    used = torch.as_tensor(seen, dtype=torch.float32, device=place)
    used = used / used.sum(dim=1, keepdim=True)
    networks = len(used)
    generator = torch.Generator().manual_seed(seed)

    def start(rows: int, columns: int) -> torch.Tensor:
        weights = torch.randn((rows, columns), generator=generator) * (2 / rows) ** 0.5
        batched: torch.Tensor = weights.expand(networks, rows, columns).clone().to(place)
        return batched

    parameters = [
        start(x.shape[1], HIDDEN),
        torch.zeros((networks, 1, HIDDEN), device=place),
        start(HIDDEN, y.shape[1]),
        torch.zeros((networks, 1, y.shape[1]), device=place),
    ]
    for parameter in parameters:
        parameter.requires_grad_()

    def forward() -> torch.Tensor:
        inner, inner_bias, outer, outer_bias = parameters
        hidden = torch.relu(x.expand(networks, *x.shape) @ inner + inner_bias)
        predicted: torch.Tensor = hidden @ outer + outer_bias
        return predicted

    optimiser = torch.optim.Adam(parameters, lr=_RATE, foreach=True)
    found = []
    for step in range(1, steps[-1] + 1):
        optimiser.zero_grad()
        predicted = forward()
        cosines = (predicted * y).sum(dim=2) / (predicted.norm(dim=2) + _LEAST)
        ((1 - cosines) / 2 * used).sum().backward()
        optimiser.step()
        if step in steps:
            with torch.no_grad():
                found.append(forward().cpu().numpy())
    return np.stack(found)
