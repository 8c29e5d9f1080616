"""The folder of the files that are shipped with the package."""

from __future__ import annotations

from pathlib import Path

from benchmark.common.package import PACKAGE
from benchmark.registry.source import RegistryError


def shipped_root() -> Path:
    """Folder of the shipped ``registry.yaml``, ``models/`` and ``tasks/``.

    In a wheel it is inside the package; in a checkout it is beside the package.

    Raises
    ------
    RegistryError
        If it is in neither place.
    """
    for folder in (PACKAGE, PACKAGE.parent):
        if (folder / "registry.yaml").is_file():
            return folder
    raise RegistryError(
        f"registry.yaml is neither in {PACKAGE} nor beside it: the installation is incomplete; install again"
    )
