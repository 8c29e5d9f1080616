"""Run work in threads, with one thread for each matrix product."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from threadpoolctl import ThreadpoolController

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Parts of the work per thread. Small parts keep all threads busy when one part is slow
_SHARES = 8


def in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int | None = None
) -> list[Result]:
    """Apply ``function`` to each item. The results have the order of the items for any number of workers.

    While it runs, each matrix product takes one thread. Thread pools inside threads wait for one another,
    which can cost a hundredfold. numpy lets other threads run while it computes.

    Parameters
    ----------
    function : callable
        Takes one item and returns its result.
    items : iterable
        What ``function`` is applied to.
    workers : int, optional
        Number of threads. The default is :func:`usable_threads`.

    Returns
    -------
    list
        One result per item.

    Raises
    ------
    ValueError
        If ``workers`` is less than one.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"workers is {workers}: expected at least one")
    pending = list(items)
    if len(pending) <= 1:
        return [function(item) for item in pending]
    if workers is None:
        workers = usable_threads()
    with _blas().limit(limits=1):
        if workers == 1:
            return [function(item) for item in pending]
        # A thread gets several items at a time: passing a small item to a thread can cost more than its work.
        size = -(-len(pending) // (workers * _SHARES))
        shares = [pending[start : start + size] for start in range(0, len(pending), size)]
        with ThreadPoolExecutor(workers) as pool:
            results = pool.map(lambda share: [function(item) for item in share], shares)
            return [result for share in results for result in share]


def usable_threads() -> int:
    """Number of threads that a matrix product may take here.

    ``OMP_NUM_THREADS`` sets it, or a joblib job's share of the processors.
    """
    return max((library["num_threads"] for library in _blas().info()), default=1)


@cache
def _blas() -> ThreadpoolController:
    """The libraries of matrix products. They are looked up once, because the look-up is slow."""
    return ThreadpoolController().select(user_api="blas")
