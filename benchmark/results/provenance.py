"""Where a result came from: versions, code, time, memory."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Iterable
from datetime import datetime, timezone
from functools import cache
from pathlib import Path

import benchmark
from benchmark.datasets.root import hash_files

_PACKAGE = Path(benchmark.__file__).resolve().parent

#: Parts of the package that cannot change a score; a wheel carries the plug-ins models/ and tasks/ too
_NO_SCORES = frozenset(
    (
        "api.py",
        "cache.py",
        "calibration",
        "checks",
        "cli",
        "cli.py",
        "leaderboard",
        "export",
        "registry",
        "results",
        "models",
        "tasks",
        "errors.py",
        "files.py",
        "identity.py",
        "store.py",
        "submission",
    )
)

_PACKAGES = (
    "numpy",
    "scipy",
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
    """Version of every package that can change a number; one that is not installed is left out."""
    found = {name: _version(name) for name in _PACKAGES}
    installed = {name: version for name, version in found.items() if version is not None}
    return {"semantic-benchmark": benchmark.__version__, **installed}


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


@cache
def code_version() -> str:
    """sha256 over the sources of this package that can change a score.

    Left out are the rooms that name, keep or show results, and what has a hash of its own: plug-ins
    (:func:`benchmark.registry.plugin_source_hash`) and the miniature world (its manifest).
    """
    return _hash_sources(path for path in _PACKAGE.rglob("*.py") if not _is_left_out(path))


@cache
def extraction_version() -> str:
    """sha256 over the sources of this package that can change a feature: extraction and image reading."""
    rooms = (_PACKAGE / "extraction").rglob("*.py"), (_PACKAGE / "datasets").glob("*.py")
    return _hash_sources(path for room in rooms for path in room)


def _is_left_out(path: Path) -> bool:
    relative = path.relative_to(_PACKAGE)
    return relative.parts[0] in _NO_SCORES or relative.parts[:2] == ("datasets", "mini")


def _hash_sources(paths: Iterable[Path]) -> str:
    files = sorted(paths)
    return hash_files(files, [path.relative_to(_PACKAGE).as_posix() for path in files])


def now() -> str:
    """The time, UTC, ISO 8601, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def peak_memory_mb() -> float | None:
    """Greatest resident memory of this process so far, in MiB; None where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # kibibytes on Linux, bytes on macOS
    return float(peak) / (2**20 if sys.platform == "darwin" else 2**10)
