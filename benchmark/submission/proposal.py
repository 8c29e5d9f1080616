"""A proposal: a registry entry that is not written yet."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmark.common.files import sha256_of
from benchmark.extraction import NetworkModel
from benchmark.model import OUTPUT, Model

#: Value of a key that the library does not tell.
UNKNOWN = "unknown: fill in"


@dataclass
class Proposal:
    """A registry entry, and notes on it for the user.

    Attributes
    ----------
    name : str
        Name of the model.
    entry : dict
        The entry, key by key.
    notes : list of str
        Lines that are written above the entry as comments, and printed.
    section : str
        Section of the registry file: "models", "datasets", "tasks" or "suites".
    """

    name: str
    entry: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    section: str = "models"

    def describe(self, model: Model) -> None:
        """Add what ``model`` tells: its preprocessing, its layers and the number of its parameters."""
        self.notes.append(f"preprocessing: {model.preprocessing}")
        layers = [layer for layer in model.layers if layer != OUTPUT]
        if isinstance(model, NetworkModel):
            params = self.entry.setdefault("params", {})
            params["layers"] = layers
            self.entry["parameters"] = sum(p.numel() for p in model.network.parameters())
        else:
            self.notes.append(f"layers: {', '.join(model.layers)}")


def name_of(text: str) -> str:
    """Make a name for the registry from ``text``, a name in a library: letters, digits and ``_``."""
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").lower()


def pinned(checkpoint: dict[str, Any], file: Path | None, prefix: str | None = None) -> str:
    """Add the sha256 of a weights file to its checkpoint.

    Parameters
    ----------
    checkpoint : dict
        The checkpoint of the entry; it is changed in place.
    file : Path or None
        Where the library keeps the file; None: the place is not known.
    prefix : str, optional
        First digits of the sha256, if the library states them.

    Returns
    -------
    str
        A note for the user: what is known of the sha256.
    """
    if file is not None and file.is_file():
        checkpoint["sha256"] = sha256_of(file)
        return f"weights: sha256 of {file.name}, which is downloaded already"
    if prefix is not None:
        checkpoint["sha256"] = prefix
        return "weights: not downloaded yet; the first digits of their sha256 come from the library"
    return "weights: not downloaded yet, so their sha256 is not known: they are not pinned"
