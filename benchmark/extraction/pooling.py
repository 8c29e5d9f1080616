"""Pooling: from the activation of a layer to one vector a stimulus."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import torch

from benchmark.common.did_you_mean import did_you_mean

#: How an activation can become a vector; and ``projection:SIZE``.
POOLINGS = ("average", "max", "cls", "patches", "none")

_PROJECTION = re.compile(r"projection:([1-9][0-9]*)")


def projection_size(how: str) -> int | None:
    """The length of the vectors of ``projection:SIZE``; None for another pooling.

    Raises
    ------
    ValueError
        If there is no such pooling.
    """
    found = _PROJECTION.fullmatch(how)
    if found is None and how not in POOLINGS:
        raise ValueError(f"unknown pooling {how!r}; known: {', '.join(POOLINGS)}, projection:SIZE")
    return int(found[1]) if found else None


def declared_poolings(given: str | Mapping[str, str], layers: Sequence[str]) -> dict[str, str]:
    """Pooling of each layer that ``params: {pooling: ...}`` speaks of.

    Parameters
    ----------
    given : str or mapping of str to str
        One pooling for all layers, or by layer name or ``/regex/``; of two that fit, the later one counts.
    layers : sequence of str
        The names there are.

    Raises
    ------
    ValueError
        If there is no such layer or pooling.
    """
    if isinstance(given, str):
        given = {"//": given}
    found: dict[str, str] = {}
    for name, how in given.items():
        projection_size(how)
        if len(name) > 1 and name.startswith("/") and name.endswith("/"):
            named = [layer for layer in layers if re.search(name[1:-1], layer)]
        else:
            named = [layer for layer in layers if layer == name]
        if not named:
            raise ValueError(f"params.pooling: no layer {name!r}; {did_you_mean(name, layers, most=3)}")
        found |= dict.fromkeys(named, how)
    return found


def pool(activation: torch.Tensor, how: str, leading: int = 0) -> torch.Tensor:
    """Pool the activation of one layer to one vector a stimulus.

    Parameters
    ----------
    activation : Tensor, shape (n, d), (n, c, h, w) or (n, t, d)
        Vectors, channel maps, or token sequences.
    how : {"average", "max", "cls", "patches", "none"}
        Mean or maximum over positions or tokens; the first token of a sequence, or the mean of those after
        the first ``leading`` ones (channel maps have no such tokens: they are averaged); or every value,
        flattened.
    leading : int
        Tokens before the patches: the class token and registers.

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
        how = "average" if how in ("cls", "patches") else how
    if activation.ndim != 3:
        raise ValueError(
            f"activation of shape {tuple(activation.shape)}; expected (n, d), (n, c, h, w) or (n, t, d)"
        )
    if how == "cls":
        return activation[:, 0]
    if how == "patches":
        activation, how = activation[:, leading:], "average"
    if how == "max":
        return activation.amax(1)
    # sums are float32 whatever the arithmetic of the network
    if activation.device.type == "cpu" and activation.dtype != torch.float32:
        # a CPU makes a copy in float32 first: that of one stimulus stays in the processor's cache
        return torch.stack([one.mean(0, dtype=torch.float32) for one in activation])
    return activation.mean(1, dtype=torch.float32)
