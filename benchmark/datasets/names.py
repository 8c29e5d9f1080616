"""Ids: in one spelling, so that they are equal if people read the same letters; and each only once."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from benchmark.common.errors import DataError


def nfc(name: str) -> str:
    """``name`` in Unicode's form NFC: "é" is one letter, however a file or a file system writes it."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def require_unique(values: Sequence[str], where: str) -> None:
    """Refuse ``values`` in which a name occurs twice; ``where`` says in what, for the message."""
    if len(set(values)) != len(values):
        seen: set[str] = set()
        twice = next(v for v in values if v in seen or seen.add(v))  # type: ignore[func-returns-value]
        raise DataError(f"{where}: id {twice!r} occurs twice; ids must be unique")
