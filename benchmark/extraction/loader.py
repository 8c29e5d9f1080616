"""Batches of preprocessed stimuli. Threads decode them ahead of the network."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import torch

#: Number of batches that are decoded, or ready, while the network works on one.
AHEAD = 2


def batches(
    count: int, load: Callable[[int], torch.Tensor], size: int, *, pinned: bool = False
) -> Iterator[tuple[int, torch.Tensor]]:
    """Yield batches of stimuli in their order.

    Parameters
    ----------
    count : int
        Number of stimuli.
    load : callable
        ``load(i)`` gives the preprocessed image of stimulus i. All these tensors have the same shape. Several
        threads call it at once.
    size : int
        Stimuli per batch. The last batch may be smaller.
    pinned : bool
        Whether batches are in page-locked memory. A GPU copies from there while it computes.

    Yields
    ------
    start : int
        Number of the first stimulus of the batch, from 0.
    batch : Tensor, shape (b, c, h, w)
    """
    starts = deque(range(0, count, size))
    waiting: deque[tuple[int, list[Future[torch.Tensor]]]] = deque()
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        try:
            while starts or waiting:
                while starts and len(waiting) <= AHEAD:
                    start = starts.popleft()
                    stop = min(start + size, count)
                    waiting.append((start, [pool.submit(load, i) for i in range(start, stop)]))
                start, futures = waiting.popleft()
                batch = torch.stack([future.result() for future in futures])
                yield start, batch.pin_memory() if pinned else batch
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
