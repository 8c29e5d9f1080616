"""Where what is shipped with the package stands."""

from __future__ import annotations

from pathlib import Path

from benchmark.common.package import PACKAGE
from benchmark.registry.source import RegistryError


def shipped_root() -> Path:
    """Folder of the shipped ``registry.yaml``, ``models/`` and ``tasks/``.

    Inside the package in a wheel; beside it in a checkout.

    Raises
    ------
    RegistryError
        If it is in neither place.
    """
    for folder in (PACKAGE, PACKAGE.parent):
        if (folder / "registry.yaml").is_file():
            return folder
    raise RegistryError(
        f"looked for registry.yaml in {PACKAGE} and beside it: the installation is incomplete"
    )
