"""Where what is shipped with the package stands."""

from __future__ import annotations

from pathlib import Path

import benchmark
from benchmark.registry.source import RegistryError


def shipped_root() -> Path:
    """Folder of the shipped ``registry.yaml``, ``models/`` and ``tasks/``.

    Inside the package in a wheel; beside it in a checkout.

    Raises
    ------
    RegistryError
        If it is in neither place.
    """
    package = Path(benchmark.__file__).resolve().parent
    for folder in (package, package.parent):
        if (folder / "registry.yaml").is_file():
            return folder
    raise RegistryError(
        f"looked for registry.yaml in {package} and beside it: the installation is incomplete"
    )
