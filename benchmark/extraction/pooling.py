"""Pooling: from the activation of a layer to one vector a stimulus."""

from __future__ import annotations

import torch

#: How an activation can become a vector.
POOLINGS = ("average", "max", "cls", "none")


def pool(activation: torch.Tensor, how: str) -> torch.Tensor:
    """Pool the activation of one layer to one vector a stimulus.

    Parameters
    ----------
    activation : Tensor, shape (n, d), (n, c, h, w) or (n, t, d)
        Vectors, channel maps, or token sequences.
    how : {"average", "max", "cls", "none"}
        Mean or maximum over positions or tokens; the first token of a sequence (channel maps have no such
        token: they are averaged); or every value, flattened.

    Returns
    -------
    Tensor, shape (n, d)
        Vectors come back as they are.

    Raises
    ------
    ValueError
        If the activation has another number of dimensions and is to be pooled.
    """
    if activation.ndim == 2 or how == "none":
        return activation.flatten(1)
    if activation.ndim == 4:
        activation = activation.flatten(2).transpose(1, 2)
        how = "average" if how == "cls" else how
    if activation.ndim != 3:
        raise ValueError(
            f"activation of shape {tuple(activation.shape)}; expected (n, d), (n, c, h, w) or (n, t, d)"
        )
    if how == "cls":
        return activation[:, 0]
    return activation.mean(1) if how == "average" else activation.amax(1)
