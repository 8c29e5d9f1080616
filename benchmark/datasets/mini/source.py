"""What the miniature is made from, as one hash: when the code or a table changes, the data change."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from benchmark.datasets.root import hash_files


@cache
def source_hash() -> str:
    """sha256 over every source and table of the miniature, in sorted order."""
    folder = Path(__file__).parent
    return hash_files(sorted(p for p in folder.iterdir() if p.suffix in {".py", ".csv"}))
