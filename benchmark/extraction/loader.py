"""Batches of preprocessed stimuli, decoded by threads ahead of the network."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import torch

#: Batches that are decoded or waiting while the network works on one.
AHEAD = 2


def batches(
    count: int, load: Callable[[int], torch.Tensor], size: int, *, pinned: bool = False
) -> Iterator[tuple[int, torch.Tensor]]:
    """Yield ``(start, batch)`` in stimulus order.

    Parameters
    ----------
    count : int
        Number of stimuli.
    load : callable
        Index of a stimulus to its preprocessed image, a tensor of one shape for all; called in several
        threads at once.
    size : int
        Stimuli a batch; the last one may be smaller.
    pinned : bool
        Give batches in page-locked memory, from which a GPU copies while it computes.

    Yields
    ------
    start : int
        Index of the first stimulus of the batch.
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
