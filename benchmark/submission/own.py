"""Entries of a user's own files: a plug-in, or features computed elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from benchmark.common.errors import BenchError, UsageError
from benchmark.common.files import sha256_of
from benchmark.model import Model, ModelSpec
from benchmark.registry import load_plugin, shipped_root
from benchmark.submission.proposal import UNKNOWN, Proposal, name_of

_FEATURES = "models/features.py:Features"


def plugin(text: str, base: Path, weights: Path | None) -> Proposal:
    """``path/to/plugin.py:Class``, its path written relative to ``base``, and the file of its weights."""
    file, _, name = text.rpartition(":")
    path = Path(file).expanduser()
    if not path.is_file():
        raise UsageError(f"plug-in {file} is not there; write path/to/plugin.py:Class")
    entry: dict[str, Any] = {
        "plugin": f"{_relative(path, base)}:{name}",
        "description": _first_line(path, name),
    }
    if weights is not None:
        entry["checkpoint"] = _checkpoint(weights, base)
    proposal = Proposal(name_of(name), entry)
    made = load_plugin(f"{path.resolve()}:{name}", base)(ModelSpec(proposal.name, {}, weights=weights))
    if not isinstance(made, Model):
        raise UsageError(f"{text}: makes a {type(made).__name__}, not a benchmark.model.Model")
    try:
        proposal.describe(made)
    except BenchError as error:
        proposal.notes.append(f"layers and parameters are not known: {error}")
    if weights is None:
        proposal.notes.append(
            "weights: the plug-in's own matter; to have a file checked, give --weights FILE"
        )
    return _by_hand(proposal)


def features(text: str, base: Path) -> Proposal:
    """A ``.npz`` or ``.csv`` of embeddings keyed by id."""
    path = Path(text).expanduser()
    if not path.is_file():
        raise UsageError(f"feature file {text} is not there")
    if path.suffix == ".npy":
        raise UsageError(
            f"{text}: a .npy carries no ids; make it a .npz with an array ids "
            "(docs/how-to/models-without-code.md)"
        )
    entry = {
        "plugin": _FEATURES,
        "description": f"Features of {path.name}, computed elsewhere",
        "checkpoint": _checkpoint(path, base),
    }
    proposal = Proposal(name_of(path.stem), entry)
    proposal.describe(load_plugin(_FEATURES, shipped_root())(ModelSpec(proposal.name, {}, weights=path)))
    return _by_hand(proposal)


def _by_hand(proposal: Proposal) -> Proposal:
    proposal.entry |= {"licence": UNKNOWN, "citation": UNKNOWN}
    proposal.notes.append("trained_on: add the data sets of the suite it was trained with, if there are any")
    return proposal


def _checkpoint(file: Path, base: Path) -> dict[str, str]:
    if not file.is_file():
        raise UsageError(f"weights {file} are not there")
    return {"file": _relative(file, base), "sha256": sha256_of(file)}


def _relative(path: Path, base: Path) -> str:
    """As a registry file in ``base`` names it; a path outside stays absolute, so that it is seen."""
    found, base = path.resolve(), base.resolve()
    return found.relative_to(base).as_posix() if found.is_relative_to(base) else os.fspath(found)


def _first_line(path: Path, name: str) -> str:
    made = load_plugin(f"{path.resolve()}:{name}", path.parent)
    lines = (vars(made).get("__doc__") or "").strip().splitlines() if isinstance(made, type) else []
    return lines[0].rstrip(".") if lines else f"{name} of {path.name}"
