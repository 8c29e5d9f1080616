"""One hash over everything from which the miniature is made: its code and its tables."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from benchmark.datasets.root import DataRoot, hash_files, hashed_by


@cache
def source_hash() -> str:
    """sha256 over every source file and table of the miniature, in the order of their names.

    The data of the miniature count as changed when one of these files changes.
    """
    folder = Path(__file__).parent
    return hash_files(sorted(p for p in folder.iterdir() if p.suffix in {".py", ".csv"}))


def _of_a_target(root: DataRoot, *, name: str) -> str:
    del root, name  # every target is made from the sources alone
    return source_hash()


#: Marks the reader of a target of the miniature
made_from_source = hashed_by(_of_a_target)
