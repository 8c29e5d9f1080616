"""An entry that is about to be written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmark.common.files import sha256_of
from benchmark.extraction import NetworkModel
from benchmark.model import OUTPUT, Model

#: What stands where a library does not say.
UNKNOWN = "unknown: fill in"


@dataclass
class Proposal:
    """An entry, and what a reader should know of it.

    Attributes
    ----------
    name : str
    entry : dict
        As it will stand in the file.
    notes : list of str
        Written above it as comments, and printed.
    section : str
        Section of the registry file: "models", "datasets", "tasks" or "suites".
    """

    name: str
    entry: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    section: str = "models"

    def describe(self, model: Model) -> None:
        """Write down what building the model shows: preprocessing, layers, how many parameters."""
        self.notes.append(f"preprocessing: {model.preprocessing}")
        layers = [layer for layer in model.layers if layer != OUTPUT]
        if isinstance(model, NetworkModel):
            params = self.entry.setdefault("params", {})
            params["layers"] = layers
            self.entry["parameters"] = sum(p.numel() for p in model.network.parameters())
        else:
            self.notes.append(f"layers: {', '.join(model.layers)}")


def name_of(text: str) -> str:
    """A name for the registry from a name in a library: letters, digits and ``_``."""
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").lower()


def pinned(checkpoint: dict[str, Any], file: Path | None, prefix: str | None = None) -> str:
    """Add the sha256 of a weights file to its checkpoint; one line that says what is known.

    Parameters
    ----------
    checkpoint : dict
        Changed.
    file : Path or None
        Where the library keeps the file; None: it is not known.
    prefix : str, optional
        First digits of the sha256, which the library itself states.
    """
    if file is not None and file.is_file():
        checkpoint["sha256"] = sha256_of(file)
        return f"weights: sha256 of {file.name}, which is here"
    if prefix is not None:
        checkpoint["sha256"] = prefix
        return "weights: not here yet; the first digits of their sha256 are the library's own"
    return "weights: not here yet, so their sha256 is not known: they are not pinned"
