"""Arrays that take long to compute from a data file; they are kept between runs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import numpy as np

from benchmark.common.arrays import UNREADABLE, load_array
from benchmark.common.files import cache_folder, move_to, write_temporary


def cached_array(key: str, make: Callable[[], np.ndarray]) -> np.ndarray:
    """The array that ``make()`` returns, computed once and then kept in the cache folder as float32.

    Parameters
    ----------
    key : str
        sha256 over everything that decides the array: its data files and the code that computes it.
    make : callable
        Computes the array. It is called if the cache has no array under ``key``, or a damaged one.

    Returns
    -------
    ndarray of float32
        The values are the same whether the array was computed or read from the cache.
    """
    path = cache_folder() / "arrays" / f"{key}.npy"
    array: np.ndarray
    try:
        array = load_array(path)
    except UNREADABLE:
        array = np.asarray(make(), dtype=np.float32)
    else:
        return array
    with contextlib.suppress(OSError):  # the cache is read-only or full: it is computed again next time
        move_to(write_temporary(path.parent, lambda stream: np.save(stream, array)), path)
    return array
