"""The folder of this package, and its version."""

from __future__ import annotations

from pathlib import Path

VERSION = "0.1.0"

#: Folder of the package ``benchmark``
PACKAGE = Path(__file__).resolve().parents[1]
