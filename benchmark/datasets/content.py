"""The hash of what a data set holds, for readers whose word is not enough."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import Target

D = TypeVar("D")

#: Fields that do not decide what a data set holds. Functions are left out too: an image is opened later
_LEFT_OUT = {"name", "source", "whole"}


def hashed_by_content(dataset: D, reader: Mapping[str, Any]) -> D:
    """A data set whose hash also holds its content, and the code of its reader.

    The reader of a user's own gives the hash itself. So a mistake in the reader that is mended, or a file
    that it reads and forgot in the hash, would not change it.

    Parameters
    ----------
    dataset : Stimuli or Target
        Anything else is given back unchanged.
    reader : mapping
        The code of the reader, as part of a cache key.

    Returns
    -------
    Stimuli or Target
        The same data under another ``manifest`` or ``hash``. The pixels of images are not read. They count
        through the manifest, and through the fingerprint of a model on the first of them.
    """
    if isinstance(dataset, Stimuli):
        return dataclasses.replace(dataset, manifest=_digest(dataset, reader))
    if isinstance(dataset, Target):
        return dataclasses.replace(dataset, hash=_digest(dataset, reader))
    return dataset


def _digest(dataset: Any, reader: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(reader, sort_keys=True).encode())
    for field in dataclasses.fields(dataset):
        value = getattr(dataset, field.name)
        if field.name not in _LEFT_OUT and not callable(value):
            digest.update(field.name.encode())
            for part in _parts(value):
                digest.update(part)
    return digest.hexdigest()


def _parts(value: Any) -> Iterator[bytes]:
    if isinstance(value, np.ndarray):
        yield f"{value.shape} {value.dtype.str}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif hasattr(value, "indptr"):  # a sparse matrix
        yield repr(value.shape).encode()
        for array in (value.data, value.indices, value.indptr):
            yield from _parts(array)
    elif isinstance(value, Mapping):
        yield repr(sorted(value.items())).encode()
    elif isinstance(value, frozenset):
        yield repr(sorted(value)).encode()
    else:
        yield repr(value).encode()
