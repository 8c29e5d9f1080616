"""A network with one hidden layer and a cosine loss, trained for all folds of a cross-validation at once."""

from __future__ import annotations

import numpy as np

#: Units of the hidden layer, as in Derby, Miller & Devereux 2020
HIDDEN = 1200
#: Steps of Adam, each with all training rows of a fold
STEPS = 200
_RATE = 1e-3
#: Added to the length of a prediction, so that a prediction of zeros has a gradient
_LEAST = 1e-8


def cosine_network(
    features: np.ndarray, targets: np.ndarray, labels: np.ndarray, seed: int, device: str | None = None
) -> np.ndarray:
    r"""Predict each row by a network that was trained on the rows of the other folds.

    One hidden layer of 1,200 rectified units; the loss of a row is :math:`(1 - \cos(y, \hat y)) / 2`; 200
    steps of Adam with a rate of .001, each with all training rows. The networks of all folds are one batched
    network, and rows of the test fold have weight zero in the loss of theirs. Nothing is chosen on data.

    Parameters
    ----------
    features : ndarray, shape (n, d)
        Features of the concepts.
    targets : ndarray, shape (n, v)
        No row of zeros.
    labels : ndarray of int, shape (n,)
        The fold of each row, from 0.
    seed : int
        Seed of the weights with which the training starts. They are the same in each fold.
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
    import torch  # slow to import; only a binding that asks for the network needs it

    folds = int(labels.max()) + 1
    place = torch.device(device or "cpu")
    x = torch.as_tensor(features, dtype=torch.float32, device=place)
    y = torch.as_tensor(targets, dtype=torch.float32, device=place)
    y = y / y.norm(dim=1, keepdim=True)
    used = torch.as_tensor(np.arange(folds)[:, None] != labels, dtype=torch.float32, device=place)
    used = used / used.sum(dim=1, keepdim=True)
    generator = torch.Generator().manual_seed(seed)

    def start(rows: int, columns: int) -> torch.Tensor:
        weights = torch.randn((rows, columns), generator=generator) * (2 / rows) ** 0.5
        batched: torch.Tensor = weights.expand(folds, rows, columns).clone().to(place)
        return batched

    parameters = [
        start(x.shape[1], HIDDEN),
        torch.zeros((folds, 1, HIDDEN), device=place),
        start(HIDDEN, y.shape[1]),
        torch.zeros((folds, 1, y.shape[1]), device=place),
    ]
    for parameter in parameters:
        parameter.requires_grad_()

    def forward() -> torch.Tensor:
        inner, inner_bias, outer, outer_bias = parameters
        hidden = torch.relu(x.expand(folds, *x.shape) @ inner + inner_bias)
        predicted: torch.Tensor = hidden @ outer + outer_bias
        return predicted

    optimiser = torch.optim.Adam(parameters, lr=_RATE, foreach=True)
    for _ in range(STEPS):
        optimiser.zero_grad()
        predicted = forward()
        cosines = (predicted * y).sum(dim=2) / (predicted.norm(dim=2) + _LEAST)
        ((1 - cosines) / 2 * used).sum().backward()
        optimiser.step()
    with torch.no_grad():
        everywhere = forward().cpu().numpy()
    own: np.ndarray = everywhere[labels, np.arange(len(labels))]
    return own.astype(np.float64)
