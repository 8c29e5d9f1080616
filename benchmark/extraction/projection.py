"""Random projection of whole activations to vectors of a given length."""

from __future__ import annotations

import hashlib

import numpy as np
import torch


class Projection:
    r"""A sparse random projection :math:`\mathbb{R}^d \to \mathbb{R}^k` that preserves inner products.

    Every value gets a random sign and is added to one of the k outputs. Each output gets d / k values
    (rounded up):

    .. math:: y_j = \sum_{i : h(i) = j} s_i x_i

    For all x, y the expectation of :math:`\langle Px, Py \rangle` is :math:`\langle x, y \rangle`, and its
    variance is at most :math:`(\|x\|^2 \|y\|^2 + \langle x, y \rangle^2) / k`, as for a dense Gaussian matrix
    (Johnson-Lindenstrauss). But it takes d additions instead of d k, and 5 bytes per value instead of 4 k.

    The projection is the same on every machine for the same ``layer``, ``size`` and ``width``: these seed the
    PCG64 whose raw bits decide it.

    Parameters
    ----------
    layer : str
        Name of the layer.
    size : int
        Length k of the projected vectors.
    width : int
        Length d of the vectors before. If it is not greater than k, vectors are returned unchanged.
    device : torch.device
        Where the vectors are.

    References
    ----------
    Charikar, Chen & Farach-Colton (2002), Finding frequent items in data streams; Weinberger et al. (2009),
    Feature hashing for large scale multitask learning.
    """

    def __init__(self, layer: str, size: int, width: int, device: torch.device) -> None:
        self.size = size
        self.width = width
        if width <= size:
            return
        seed = hashlib.sha256(f"{layer}\0{size}\0{width}".encode()).digest()
        raw = np.random.PCG64(int.from_bytes(seed[:16], "big")).random_raw(width)
        # the order of the draws decides the places, and their lowest bits the signs; equal draws do not
        # happen
        order = torch.from_numpy(np.argsort(raw, kind="stable").astype(np.int32))
        signs = torch.from_numpy((raw & 1).astype(np.int8) * 2 - 1)
        self._order = order.to(device)
        self._signs = signs[order.long()].to(device)

    def __call__(self, vectors: torch.Tensor) -> torch.Tensor:
        """Project vectors, shape (n, d), to shape (n, k), float32; one at a time, to save memory."""
        if self.width <= self.size:
            return vectors
        full = -(-self.width // self.size) * self.size
        projected = torch.empty(len(vectors), self.size, dtype=torch.float32, device=vectors.device)
        for row, vector in zip(projected, vectors, strict=True):
            placed = torch.zeros(full, dtype=torch.float32, device=vectors.device)
            torch.mul(vector.index_select(0, self._order), self._signs, out=placed[: self.width])
            torch.sum(placed.view(-1, self.size), 0, out=row)
        return projected
