"""Tasks are plug-ins: they are loaded by path, as the registry loads them."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[2] / "tasks"


@pytest.fixture(scope="session")
def plugin() -> Callable[[str], ModuleType]:
    """``plugin("two_vs_two")`` is the module ``tasks/two_vs_two.py``."""

    def load(name: str) -> ModuleType:
        known = f"tasks.{name}"
        if known not in sys.modules:
            spec = importlib.util.spec_from_file_location(known, FOLDER / f"{name}.py")
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[known] = module
            spec.loader.exec_module(module)
        return sys.modules[known]

    return load
