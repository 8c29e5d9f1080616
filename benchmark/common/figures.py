"""Figures of matplotlib as files, which are never half written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmark.common.errors import DataError, UsageError
from benchmark.common.files import write_temporary

#: The colours of Okabe & Ito, which colour-blind readers can distinguish too, and two more; black is for text
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#5254a3")
#: Endings of the files that a figure can be saved to
FORMATS = (".png", ".pdf", ".svg")


def require_format(path: Path, option: str) -> None:
    """Raise UsageError, with the name of the ``option``, unless a figure can be saved to ``path``."""
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"{option} {path}: unknown format; end the name in {', '.join(FORMATS)}")


def save_figure(figure: Any, path: Path) -> None:
    """Save a figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : Path
        File to write. Its ending is one of :data:`FORMATS`.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    try:
        write_temporary(
            path.parent, lambda stream: figure.savefig(stream, format=path.suffix[1:].lower(), dpi=150)
        ).replace(path)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error
