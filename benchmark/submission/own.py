"""Entries of a user's own files: a plug-in, or features that were computed elsewhere.

``text`` is the SPEC of ``bench add``. ``base`` is the folder of the registry file: the entry names files
relative to it.
"""

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
    """Propose the plug-in ``path/to/plugin.py:Class``.

    Parameters
    ----------
    text : str
        Path and class of the plug-in.
    base : Path
        Folder of the registry file.
    weights : Path or None
        File of the plug-in's weights; None: the entry has no checkpoint.

    Returns
    -------
    Proposal
    """
    file, _, name = text.rpartition(":")
    path = Path(file).expanduser()
    if not path.is_file():
        raise UsageError(f"plug-in {file} is not there; write path/to/plugin.py:Class")
    entry: dict[str, Any] = {
        "plugin": f"{relative_to(path, base)}:{name}",
        "description": _first_line(path, name),
    }
    if weights is not None:
        entry["checkpoint"] = checkpoint_of(weights, base)
    proposal = Proposal(name_of(name), entry)
    model = load_plugin(f"{path.resolve()}:{name}", base)(ModelSpec(proposal.name, {}, weights=weights))
    if not isinstance(model, Model):
        raise UsageError(
            f"{text}: makes a {type(model).__name__}; derive the class from benchmark.model.Model"
        )
    try:
        proposal.describe(model)
    except BenchError as error:
        proposal.notes.append(f"layers and parameters are not known: {error}")
    if weights is None:
        proposal.notes.append(
            "weights: the plug-in loads its own; give --weights FILE to have their sha256 checked"
        )
    return by_hand(proposal)


def features(text: str, base: Path, ids: Path | None = None) -> Proposal:
    """Propose a file of features.

    Parameters
    ----------
    text : str
        Path of a ``.npz``, ``.csv`` or ``.tsv`` of embeddings with ids, or of a ``.npy``.
    base : Path
        Folder of the registry file.
    ids : Path or None
        File with the ids of the rows of a ``.npy``.

    Returns
    -------
    Proposal
    """
    path = Path(text).expanduser()
    if not path.is_file():
        raise UsageError(f"feature file {text} is not there")
    if (path.suffix == ".npy") != (ids is not None):
        raise UsageError(
            f"{text}: a .npy has no ids; name the file that has them with --ids FILE"
            if ids is None
            else f"{text}: has its ids in it; leave out --ids"
        )
    entry: dict[str, Any] = {
        "plugin": _FEATURES,
        "description": f"Features of {path.name}, computed elsewhere",
        "checkpoint": checkpoint_of(path, base),
    }
    if ids is not None:
        if not ids.expanduser().is_file():
            raise UsageError(f"--ids {ids}: is not there")
        entry["params"] = {"ids": relative_to(ids.expanduser(), base)}
    proposal = Proposal(name_of(path.stem), entry)
    spec = ModelSpec(proposal.name, entry.get("params", {}), weights=path, base=base)
    proposal.describe(load_plugin(_FEATURES, shipped_root())(spec))
    return by_hand(proposal)


def by_hand(proposal: Proposal) -> Proposal:
    """Add to ``proposal`` the keys that only the user knows."""
    proposal.entry |= {"licence": UNKNOWN, "citation": UNKNOWN}
    proposal.notes.append(
        "trained_on: list the datasets of the suite that the model was trained with, if any"
    )
    return proposal


def checkpoint_of(file: Path, base: Path) -> dict[str, str]:
    """The checkpoint of an entry for a ``file`` of weights: its path, seen from ``base``, and its hash."""
    file = file.expanduser()
    if not file.is_file():
        raise UsageError(f"weights {file} are not there")
    return {"file": relative_to(file, base), "sha256": sha256_of(file)}


def relative_to(path: Path, base: Path) -> str:
    """The path relative to ``base``. A path outside of it stays absolute, so that the user sees that."""
    resolved, base = path.resolve(), base.resolve()
    return resolved.relative_to(base).as_posix() if resolved.is_relative_to(base) else os.fspath(resolved)


def _first_line(path: Path, name: str) -> str:
    loaded = load_plugin(f"{path.resolve()}:{name}", path.parent)
    lines = (vars(loaded).get("__doc__") or "").strip().splitlines() if isinstance(loaded, type) else []
    return lines[0].rstrip(".") if lines else f"{name} of {path.name}"
