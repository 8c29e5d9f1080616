"""Batches of preprocessed stimuli. Threads decode them ahead of the network."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import torch

from benchmark.common.errors import DataError

_log = logging.getLogger(__name__)

#: Number of batches that are decoded, or ready, while the network works on one.
AHEAD = 2


def batches(
    ids: Sequence[str], load: Callable[[int], torch.Tensor], size: int, *, pinned: bool = False
) -> Iterator[tuple[int, torch.Tensor]]:
    """Yield batches of stimuli in their order.

    Parameters
    ----------
    ids : sequence of str
        Ids of the stimuli, for the error message.
    load : callable
        ``load(i)`` gives the preprocessed image of stimulus i, from 0. Several threads call it at once.
    size : int
        Stimuli per batch. The last batch may be smaller.
    pinned : bool
        Whether batches are in page-locked memory. A GPU copies from there while it computes.

    Yields
    ------
    start : int
        Number of the first stimulus of the batch, from 0.
    batch : Tensor, shape (b, c, h, w)

    Raises
    ------
    DataError
        If two preprocessed images differ in shape, in the same batch or not. A map of 15 x 23 has as many
        values as one of 23 x 15, and a mean over positions has the same length for every size: without this
        error, such features would be compared position by position, or at different scales.
    """
    starts = deque(range(0, len(ids), size))
    first: torch.Size | None = None
    waiting: deque[tuple[int, list[Future[torch.Tensor]]]] = deque()
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        try:
            while starts or waiting:
                while starts and len(waiting) <= AHEAD:
                    start = starts.popleft()
                    stop = min(start + size, len(ids))
                    waiting.append((start, [pool.submit(load, i) for i in range(start, stop)]))
                start, futures = waiting.popleft()
                images = [future.result() for future in futures]
                first = first or images[0].shape
                _require_shape(first, ids, start, images)
                batch = torch.stack(images)
                yield start, batch.pin_memory() if pinned else batch
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def in_parts(
    model: str, start: int, batch: torch.Tensor, size: int, run: Callable[[int, torch.Tensor], None]
) -> int:
    """Run a network on a batch, in parts that the memory of the device holds.

    If the device is out of memory, the part is run again in halves, and the log says so.

    Parameters
    ----------
    model : str
        Name of the model, for the log.
    start : int
        Number of the first stimulus of the batch.
    batch : Tensor, shape (b, c, h, w)
    size : int
        Most stimuli of a part.
    run : callable
        ``run(start, part)``. After it was out of memory it may be called again with the same ``start``.

    Returns
    -------
    int
        Most stimuli of a part, for the next batch.

    Raises
    ------
    torch.OutOfMemoryError
        If one stimulus alone is too much.
    """
    done = 0
    while done < len(batch):
        part = batch[done : done + size]
        try:
            run(start + done, part)
        except torch.OutOfMemoryError:
            if len(part) == 1:
                raise
            size = len(part) // 2
        else:
            done += len(part)
            continue
        # not in the handler, where the traceback still holds what the forward pass had made
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        _log.warning("%s: the device is out of memory; batches of %d stimuli from here on", model, size)
    return size


def require_one_shape(ids: Sequence[str], load: Callable[[int], torch.Tensor]) -> None:
    """Preprocess every stimulus, and raise the error of :func:`batches` if two differ in shape.

    Parameters
    ----------
    ids : sequence of str
        Ids of the stimuli.
    load : callable
        As for :func:`batches`.

    Raises
    ------
    DataError
        If two preprocessed images differ in shape.
    """
    for _ in batches(ids, load, 1):
        pass


def _require_shape(first: torch.Size, ids: Sequence[str], start: int, images: Sequence[torch.Tensor]) -> None:
    for index, image in enumerate(images, start):
        if image.shape != first:
            raise DataError(
                f"stimuli {ids[0]!r} and {ids[index]!r} have shapes {tuple(first)} and {tuple(image.shape)} "
                "after the preprocessing; it must give one shape: add a crop, or resize to a height and width"
            )
