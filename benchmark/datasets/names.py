"""Names in one spelling, so that ids are equal if people read the same letters."""

from __future__ import annotations

import unicodedata


def nfc(name: str) -> str:
    """``name`` in Unicode's form NFC: "é" is one letter, however a file or a file system writes it."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)
