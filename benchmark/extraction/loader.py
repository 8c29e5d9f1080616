"""Batches of preprocessed stimuli, decoded by threads ahead of the network."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from PIL import Image

from benchmark.datasets.types import Stimuli

#: Batches that are decoded or waiting while the network works on one.
AHEAD = 2


def batches(
    stimuli: Stimuli, preprocess: Callable[[Image.Image], torch.Tensor], size: int
) -> Iterator[tuple[int, torch.Tensor]]:
    """Yield ``(start, batch)`` in stimulus order.

    Parameters
    ----------
    stimuli : Stimuli
    preprocess : callable
        Image to tensor of one shape for all stimuli; called in several threads at once.
    size : int
        Stimuli a batch; the last one may be smaller.

    Yields
    ------
    start : int
        Index of the first stimulus of the batch.
    batch : Tensor, shape (b, c, h, w)
    """

    def load(index: int) -> torch.Tensor:
        return preprocess(stimuli.image(index))

    starts = deque(range(0, len(stimuli), size))
    waiting: deque[tuple[int, list[Future[torch.Tensor]]]] = deque()
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        try:
            while starts or waiting:
                while starts and len(waiting) <= AHEAD:
                    start = starts.popleft()
                    stop = min(start + size, len(stimuli))
                    waiting.append((start, [pool.submit(load, i) for i in range(start, stop)]))
                start, futures = waiting.popleft()
                yield start, torch.stack([future.result() for future in futures])
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
