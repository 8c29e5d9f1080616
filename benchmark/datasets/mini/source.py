"""One hash over everything from which the miniature is made: its code and its tables."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from benchmark.datasets.root import DataRoot, hash_files, hashed_by


@cache
def source_hash() -> str:
    """sha256 over every source file and table of the miniature, in the order of their names.

    The data of the miniature count as changed when one of these files changes.
    """
    folder = Path(__file__).parent
    return hash_files(sorted(p for p in folder.iterdir() if p.suffix in {".py", ".csv"}))


def target_hash(reader: Callable[..., Any]) -> str:
    """sha256 over the sources and the name of ``reader``, which makes a target from them alone."""
    return hash_files((), source_hash(), reader.__name__)


Reader = TypeVar("Reader", bound=Callable[..., Any])


def made_from_source(reader: Reader) -> Reader:
    """Mark ``reader``, which makes a target of the miniature, with its hash (:func:`target_hash`)."""

    def hash_of(root: DataRoot, *, name: str) -> str:
        del root, name
        return target_hash(reader)

    return hashed_by(hash_of)(reader)
