"""Pooling: from the activation of a layer to one vector per stimulus."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import torch

from benchmark.common.did_you_mean import did_you_mean

#: How an activation can become a vector. ``projection:SIZE`` and ``grid:SIZE`` are further ways.
POOLINGS = ("average", "max", "cls", "patches", "none")

_PROJECTION = re.compile(r"projection:([1-9][0-9]*)")
_GRID = re.compile(r"grid:([1-9][0-9]*)")


def projection_size(how: str) -> int | None:
    """The length of the vectors of a projection.

    Parameters
    ----------
    how : str
        The pooling: ``projection:SIZE``, ``grid:SIZE``, or one of :data:`POOLINGS`.

    Returns
    -------
    int or None
        SIZE; None for a pooling that is not a projection.

    Raises
    ------
    ValueError
        If there is no such pooling.
    """
    match = _PROJECTION.fullmatch(how)
    if match is None and how not in POOLINGS and not _GRID.fullmatch(how):
        raise ValueError(f"unknown pooling {how!r}; known: {', '.join(POOLINGS)}, projection:SIZE, grid:SIZE")
    return int(match[1]) if match else None


def declared_poolings(declared: str | Mapping[str, str], layers: Sequence[str]) -> dict[str, str]:
    """Pooling of each layer for which ``params: {pooling: ...}`` names one.

    Parameters
    ----------
    declared : str or mapping of str to str
        A pooling for all layers, or a mapping. A key of the mapping is the name of a layer, or ``/regex/``, a
        regular expression for names. If two keys fit a layer, the later one counts.
    layers : sequence of str
        Names of all layers of the network.

    Returns
    -------
    dict of str to str
        Pooling by layer; only the layers for which one is declared.

    Raises
    ------
    ValueError
        If there is no such layer or pooling.
    """
    if isinstance(declared, str):
        declared = {"//": declared}
    poolings: dict[str, str] = {}
    for name, how in declared.items():
        projection_size(how)
        if len(name) > 1 and name.startswith("/") and name.endswith("/"):
            named = [layer for layer in layers if re.search(name[1:-1], layer)]
        else:
            named = [layer for layer in layers if layer == name]
        if not named:
            raise ValueError(f"params.pooling: no layer {name!r}; {did_you_mean(name, layers, most=3)}")
        poolings |= dict.fromkeys(named, how)
    return poolings


def pool(activation: torch.Tensor, how: str, leading: int | None = None) -> torch.Tensor:
    """Pool the activation of one layer to one vector per stimulus.

    Parameters
    ----------
    activation : Tensor, shape (n, d), (n, c, h, w) or (n, t, d)
        n vectors, channel maps, or sequences of t tokens.
    how : {"average", "max", "cls", "patches", "none", "grid:SIZE"}
        - "average", "max": mean or maximum over positions or tokens
        - "grid:6": channel maps averaged to 6 x 6 positions, all of which are kept; tokens are averaged
        - "cls": the first token of a sequence
        - "patches": the mean of the tokens after the first ``leading`` ones
        - "none": every value, flattened

        Channel maps have no tokens: "cls" and "patches" average them.
    leading : int, optional
        Number of tokens before the patches: the class token and registers. "cls" and "patches" need it.

    Returns
    -------
    Tensor, shape (n, d)
        Vectors are returned unchanged.

    Raises
    ------
    ValueError
        If the activation has another number of dimensions and ``how`` is not "none". If ``how`` is "cls" or
        "patches" and it is not known which tokens are patches, or there is no such token.

    Examples
    --------
    >>> import torch
    >>> from benchmark.extraction import pool
    >>> maps = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]])  # one stimulus, one channel, 2 x 2 positions
    >>> pool(maps, "average")
    tensor([[3.]])
    >>> pool(maps, "max")
    tensor([[6.]])
    >>> pool(maps, "none")
    tensor([[1., 2., 3., 6.]])
    >>> pool(maps.repeat_interleave(3, dim=2), "grid:2")  # 6 x 2 positions
    tensor([[1., 2., 3., 6.]])
    """
    if activation.ndim == 2 or how == "none":
        return activation.flatten(1)
    grid = _GRID.fullmatch(how)
    if grid and activation.ndim == 4:
        return torch.nn.functional.adaptive_avg_pool2d(activation.float(), int(grid[1])).flatten(1)
    how = "average" if grid else how
    if activation.ndim == 4:
        activation = activation.flatten(2).transpose(1, 2)
        how = "average" if how in ("cls", "patches") else how
    if activation.ndim != 3:
        raise ValueError(
            f"activation of shape {tuple(activation.shape)}; expected (n, d), (n, c, h, w) or (n, t, d)"
        )
    if leading is None and (how == "patches" or (how == "cls" and activation.shape[1] > 1)):
        raise ValueError(
            "how many tokens come before the patches is not known; in the class of the model, write "
            "prefix_tokens = NUMBER"
        )
    if how == "cls":
        if leading == 0:
            raise ValueError("no token comes before the patches, so there is no class token: take patches")
        return activation[:, 0]
    if how == "patches" and leading is not None:
        if leading >= activation.shape[1]:
            raise ValueError(
                f"{activation.shape[1]} tokens, and {leading} come before the patches: no patches"
            )
        activation, how = activation[:, leading:], "average"
    if how == "max":
        return activation.amax(1)
    # sums are float32, also if the network computes in another precision
    if activation.device.type == "cpu" and activation.dtype != torch.float32:
        # a CPU first makes a copy in float32: the copy of one stimulus stays in the processor's cache
        return torch.stack([tokens.mean(0, dtype=torch.float32) for tokens in activation])
    return activation.mean(1, dtype=torch.float32)
