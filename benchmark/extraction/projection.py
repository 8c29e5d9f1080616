"""Random projection of whole activations to a declared size."""

from __future__ import annotations

import hashlib

import numpy as np
import torch


class Projection:
    r"""A sparse random projection :math:`\mathbb{R}^d \to \mathbb{R}^k` that keeps inner products.

    Every value is given a random sign and added to one of the k outputs, each of which gets d / k values (to
    the next whole number):

    .. math:: y_j = \sum_{i : h(i) = j} s_i x_i

    For all x, y the expectation of :math:`\langle Px, Py \rangle` is :math:`\langle x, y \rangle`, and its
    variance at most :math:`(\|x\|^2 \|y\|^2 + \langle x, y \rangle^2) / k`, as for a dense Gaussian matrix
    (Johnson-Lindenstrauss); but it takes d additions instead of d k, and 5 bytes a value instead of 4 k.

    The same for the same ``layer``, ``size`` and d, wherever it is made: it is drawn from the raw bits of a
    PCG64 that these seed.

    Parameters
    ----------
    layer : str
    size : int
        k.
    width : int
        d. Where it is not greater than k, vectors come back as they are.
    device : torch.device

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
        # the places come of the order of the draws, the signs of their lowest bits: ties are out of reach
        order = torch.from_numpy(np.argsort(raw, kind="stable").astype(np.int32))
        signs = torch.from_numpy((raw & 1).astype(np.int8) * 2 - 1)
        self._order = order.to(device)
        self._signs = signs[order.long()].to(device)

    def __call__(self, vectors: torch.Tensor) -> torch.Tensor:
        """Project, shape (n, d) to (n, k), float32; one vector at a time, so that no copy of all is made."""
        if self.width <= self.size:
            return vectors
        full = -(-self.width // self.size) * self.size
        projected = torch.empty(len(vectors), self.size, dtype=torch.float32, device=vectors.device)
        for row, vector in zip(projected, vectors, strict=True):
            placed = torch.zeros(full, dtype=torch.float32, device=vectors.device)
            torch.mul(vector.index_select(0, self._order), self._signs, out=placed[: self.width])
            torch.sum(placed.view(-1, self.size), 0, out=row)
        return projected
