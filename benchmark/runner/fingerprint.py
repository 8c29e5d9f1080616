"""Fingerprints of what a model does with an image, taken once a run.

The rest of a key is what others say: hashes of the sources that are known, versions that packages give
themselves, the preprocessing as the plug-in words it. A fingerprint is taken from the model itself: from the
pixels that the first stimulus becomes, and from the output for it. So a change that no hash covers is seen
all the same.

To take it the network has to be built. For a model whose plug-in is part of the suite the fingerprint is
remembered on the disk, together with the size and the time of change of every source file that can take part.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from benchmark.common.errors import NotPossible, plugin_border
from benchmark.common.files import cache_folder, write_atomic
from benchmark.datasets import Stimuli
from benchmark.extraction.fingerprint import fingerprint_of
from benchmark.model import Model
from benchmark.registry import shipped_root
from benchmark.results import code_version

_log = logging.getLogger(__name__)

Fingerprint = dict[str, Any]

#: Modules of installed packages that take part when an image becomes features
_LIBRARIES = ("numpy", "PIL", "safetensors", "torch", "torchvision", "timm", "open_clip", "visualpriors")
_NOT_SOURCES = {"__pycache__", "include", "test", "tests"}


def take(model: Model, stimuli: Stimuli, device: str) -> Fingerprint:
    """Take the fingerprint of a model.

    Parameters
    ----------
    model : Model
    stimuli : Stimuli
        The first of these is shown to the model.
    device : str
        "cpu", "cuda" or "mps".

    Returns
    -------
    dict of str to list of float or None
        "output", and for networks "pixels". Empty if the model fails; the extraction will say why.

    Raises
    ------
    NotPossible
        If the weights are not available.
    """
    try:
        with plugin_border():
            traced = model.trace(first_of(stimuli), device=device)
            return {part: fingerprint_of(array) for part, array in traced.items()}
    except NotPossible:  # weights that were refused and put aside: a second try would only miss them
        raise
    except Exception:  # a plug-in may raise anything; of bad features the extraction names the first layer
        _log.debug("no fingerprint of %s", model.spec.name, exc_info=True)
        return {}


def first_of(stimuli: Stimuli) -> Stimuli:
    """The first of the ``stimuli`` alone."""
    first = stimuli.splits and stimuli.splits[:1]
    return replace(stimuli, ids=stimuli.ids[:1], concepts=stimuli.concepts[:1], splits=first)


def recall(outline: Mapping[str, Any]) -> Fingerprint | None:
    """The remembered fingerprint of a model of the suite; None: there is none for the present sources.

    Parameters
    ----------
    outline : mapping
        The parts of the key of the features that are known without the model.
    """
    try:
        fingerprint: Fingerprint = json.loads(_file(outline).read_bytes())
    except (OSError, ValueError):
        return None
    return fingerprint if isinstance(fingerprint, dict) else None


def remember(outline: Mapping[str, Any], fingerprint: Fingerprint) -> None:
    """Keep a ``fingerprint`` for :func:`recall` with this ``outline``, if the cache can be written to."""
    try:
        write_atomic(_file(outline), json.dumps(fingerprint).encode())
    except OSError:
        _log.debug("a fingerprint is not kept", exc_info=True)


def _file(outline: Mapping[str, Any]) -> Path:
    text = json.dumps([outline, _sources()], sort_keys=True)
    return cache_folder() / "fingerprints" / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"


@cache
def _sources() -> str:
    """A hash over the code of the suite with its models, and over size and time of the libraries' sources."""
    digest = hashlib.sha256(code_version().encode())
    for path in sorted((shipped_root() / "models").glob("*.py")):
        digest.update(path.read_bytes())
    for name in _LIBRARIES:
        spec = importlib.util.find_spec(name)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            for line in sorted(_source_files(folder)):
                digest.update(line.encode())
    return digest.hexdigest()


def _source_files(folder: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir() and entry.name not in _NOT_SOURCES:
                yield from _source_files(entry.path)
            elif entry.name.endswith((".py", ".so", ".pyd")):
                status = entry.stat()
                yield f"{entry.path}\0{status.st_size}\0{status.st_mtime_ns}\n"
