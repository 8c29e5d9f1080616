"""Arrays that take long to make from a data file, kept between runs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmark.common.files import cache_folder, write_temporary


def cached_array(key: str, make: Callable[[], np.ndarray]) -> np.ndarray:
    """The array ``make()`` gives, made once and kept as float32.

    Parameters
    ----------
    key : str
        sha256 over everything that decides the array: its data files and the code that makes it.
    make : callable
        Called when no array, or a damaged one, is kept under ``key``.

    Returns
    -------
    ndarray of float32
        The same values whether it was kept or made.
    """
    path = cache_folder() / "arrays" / f"{key}.npy"
    array: np.ndarray
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        array = np.asarray(make(), dtype=np.float32)
    else:
        return array
    write_temporary(path.parent, lambda stream: np.save(stream, array)).replace(path)
    return array
