"""Work in threads, with kernels of one thread each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from threadpoolctl import ThreadpoolController

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Shares of the work per thread, so that one slow share leaves no thread long without work
_SHARES = 8


def in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int | None = None
) -> list[Result]:
    """``function`` of each item, in the order of the items whatever the number of workers.

    While it runs, matrix products take one thread each: pools of threads inside threads wait for one another
    and cost up to a hundredfold. numpy lets other threads run while it computes.

    Parameters
    ----------
    function : callable
    items : iterable
    workers : int, optional
        Number of threads; by default :func:`usable_threads`.

    Returns
    -------
    list

    Raises
    ------
    ValueError
        If ``workers`` is less than one.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"workers is {workers}: expected at least one")
    todo = list(items)
    if len(todo) == 1:
        return [function(todo[0])]
    if workers is None:
        workers = usable_threads()
    with _blas().limit(limits=1):
        if workers == 1:
            return [function(item) for item in todo]
        # a share of the items at a time: handing over one can take longer than a small item's work
        size = -(-len(todo) // (workers * _SHARES))
        shares = [todo[start : start + size] for start in range(0, len(todo), size)]
        with ThreadPoolExecutor(workers) as pool:
            done = pool.map(lambda share: [function(item) for item in share], shares)
            return [result for share in done for result in share]


def usable_threads() -> int:
    """As many threads as a matrix product may take here (``OMP_NUM_THREADS``, a joblib job's share)."""
    return max((library["num_threads"] for library in _blas().info()), default=1)


@cache
def _blas() -> ThreadpoolController:
    """The libraries of matrix products; to look for them takes longer than many a product."""
    return ThreadpoolController().select(user_api="blas")
