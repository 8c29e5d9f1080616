"""The provenance of a result: versions, code, time."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from datetime import datetime, timezone
from functools import cache
from pathlib import Path

from benchmark.common.package import PACKAGE, VERSION
from benchmark.datasets.root import hash_files

#: Parts of the package that cannot change a score. (A wheel also has the plug-ins models/ and tasks/ in it.)
_NO_SCORES = (
    "api",
    "calibration",
    "checks",
    "cli",
    "common/did_you_mean.py",
    "common/errors.py",
    "common/figures.py",
    "common/files.py",
    "common/package.py",
    "common/pages.py",
    "datasets/mini",
    "export",
    "extraction/cache.py",
    "extraction/store.py",
    "interpretation",
    "leaderboard",
    "model_similarity",
    "models",
    "partition",
    "registry",
    "results",
    "robustness",
    "submission",
    "tasks",
)

_PACKAGES = (
    "numpy",
    "scipy",
    "numba",
    "scikit-learn",
    "pandas",
    "pillow",
    "POT",
    "rsatoolbox",
    "torch",
    "torchvision",
    "timm",
    "open_clip_torch",
    "visualpriors",
    "safetensors",
)


@cache
def versions() -> dict[str, str]:
    """Version of every package that can change a number, without those that are not installed."""
    known = {name: _version(name) for name in _PACKAGES}
    installed = {name: version for name, version in known.items() if version is not None}
    return {"semantic-benchmark": VERSION, **installed}


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


@cache
def code_version() -> str:
    """sha256 over the sources, and the reviewed tables, of this package that can change a score.

    It leaves out the rooms that name, store or show results. It also leaves out what has a hash of its own:
    plug-ins (:func:`benchmark.registry.plugin_source_hash`) and the miniature world (its manifest).
    """
    return _hash_sources(PACKAGE, endings=(".py", ".csv"))


@cache
def extraction_version() -> str:
    """sha256 over the sources of this package that can change a feature: extraction and datasets."""
    return _hash_sources(PACKAGE / "extraction", PACKAGE / "datasets")


@cache
def representation_version() -> str:
    """sha256 over the sources for rows of concepts, with which a model is built from another."""
    return _hash_sources(PACKAGE / "representation")


def _hash_sources(*rooms: Path, endings: Sequence[str] = (".py",)) -> str:
    files = (path for room in rooms for path in room.rglob("*") if path.suffix in endings)
    names = sorted(path.relative_to(PACKAGE).as_posix() for path in files)
    kept = [name for name in names if not _is_left_out(name)]
    return hash_files([PACKAGE / name for name in kept], kept)


def _is_left_out(name: str) -> bool:
    return any(name == part or name.startswith(f"{part}/") for part in _NO_SCORES)


def now() -> str:
    """The present time in UTC as ISO 8601 text, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
