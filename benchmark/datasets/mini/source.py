"""What the miniature is made from, as one hash: when the code or a table changes, the data change."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from benchmark.datasets.root import DataRoot, hash_files, hashed_by


@cache
def source_hash() -> str:
    """sha256 over every source and table of the miniature, in sorted order."""
    folder = Path(__file__).parent
    return hash_files(sorted(p for p in folder.iterdir() if p.suffix in {".py", ".csv"}))


def _of_a_target(root: DataRoot, *, name: str) -> str:
    del root, name  # every target is made from the sources alone
    return source_hash()


#: Marks the reader of a target of the miniature
made_from_source = hashed_by(_of_a_target)
