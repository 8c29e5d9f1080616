"""Load the class or function that a text like ``models/pixels.py:Pixels`` names."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmark.common.did_you_mean import did_you_mean
from benchmark.common.errors import BenchError
from benchmark.registry.shipped import shipped_root


def load_plugin(plugin: str, base: Path) -> Any:
    """Load the class or function that ``plugin`` names.

    A file runs as a module whose name is made from the file's path and content. So an unchanged file gives
    the same class every time, and a changed file runs again.

    Parameters
    ----------
    plugin : str
        ``path/file.py:Name`` or ``package.module:Name``. The engine looks for the file under ``base``, then
        beside the shipped registry (``models/timm_models.py:Timm``).
    base : Path
        Folder of the registry file.

    Returns
    -------
    type or callable

    Raises
    ------
    BenchError
        If there is no such file, module or name, or the import fails. For a failed import the message is the
        last line of the traceback, with file and line.
    """
    where, attribute = _split(plugin)
    module = _run_file(_find_file(where, base), plugin) if _is_file(where) else _import(where, plugin)
    if not hasattr(module, attribute):
        public = [
            name for name, value in vars(module).items() if callable(value) and not name.startswith("_")
        ]
        raise BenchError(f"plug-in {plugin}: {where} has no {attribute!r}; {did_you_mean(attribute, public)}")
    loaded = getattr(module, attribute)
    if not callable(loaded):
        raise BenchError(
            f"plug-in {plugin}: {attribute!r} is a {type(loaded).__name__}, not a class or function"
        )
    return loaded


def plugin_source_hash(plugin: str, base: Path) -> str:
    """sha256 over the source of a plug-in, for cache keys.

    Which files count depends on the plug-in:

    - ``path/file.py:Name``: the file itself. Files that it imports from elsewhere do not count.
    - a plug-in inside ``benchmark``: its module; for a package, every module in its folder.
    - a plug-in of an installed package: every module of the top-level package.

    Parameters
    ----------
    plugin : str
        As for :func:`load_plugin`.
    base : Path
        Folder of the registry file.

    Returns
    -------
    str

    Raises
    ------
    BenchError
        If there is no such file or module.
    """
    where, _ = _split(plugin)
    if _is_file(where):
        files = [_find_file(where, base)]
        root = files[0].parent
    else:
        name = where if where.split(".")[0] == "benchmark" else where.split(".")[0]
        origin = _origin(name, plugin)
        root = origin.parent
        files = sorted(root.rglob("*.py")) if origin.name == "__init__.py" else [origin]
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def is_shipped(plugin: str, base: Path) -> bool:
    """Whether a plug-in belongs to the suite, so that it imports only the suite and its packages.

    Parameters
    ----------
    plugin, base
        As in :func:`load_plugin`.
    """
    where, _ = _split(plugin)
    if not _is_file(where):
        return where.split(".")[0] == "benchmark"
    folders = (shipped_root().resolve() / name for name in ("models", "tasks"))
    return _find_file(where, base).parent in folders


def _split(plugin: str) -> tuple[str, str]:
    where, _, attribute = plugin.rpartition(":")
    if not where or not attribute:
        raise BenchError(
            f"plug-in {plugin!r} names no class: write path/file.py:Class or package.module:Class"
        )
    return where, attribute


def _is_file(where: str) -> bool:
    return where.endswith(".py") or "/" in where


def _find_file(where: str, base: Path) -> Path:
    relative = Path(where).expanduser()
    for folder in (base, shipped_root()):
        if (folder / relative).is_file():
            return (folder / relative).resolve()
    path = base / relative
    beside = sorted(p.name for p in path.parent.glob("*.py"))
    raise BenchError(f"plug-in {where}: {path} is not there; {did_you_mean(path.name, beside)}")


def _run_file(path: Path, plugin: str) -> ModuleType:
    identity = hashlib.sha256(str(path).encode() + b"\0" + path.read_bytes()).hexdigest()[:16]
    name = f"benchmark_plugin_{path.stem}_{identity}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise BenchError(f"plug-in {plugin}: {path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    # dataclasses and pickle look up the module of a class by name while the file still runs
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise _import_error(error, plugin) from error
    return module


def _import(where: str, plugin: str) -> ModuleType:
    _origin(where, plugin)
    try:
        return importlib.import_module(where)
    except (Exception, SystemExit) as error:
        raise _import_error(error, plugin) from error


def _origin(where: str, plugin: str) -> Path:
    try:
        spec = importlib.util.find_spec(where)
    except ModuleNotFoundError as error:
        raise BenchError(f"plug-in {plugin}: no module {error.name!r}; is its package installed?") from error
    except (Exception, SystemExit) as error:
        # find_spec imports the packages above a submodule
        raise _import_error(error, plugin) from error
    if spec is None or spec.origin is None:
        raise BenchError(f"plug-in {plugin}: no module {where!r}; is its package installed?")
    return Path(spec.origin)


def _import_error(error: BaseException, plugin: str) -> BenchError:
    last = traceback.format_exception_only(type(error), error)[-1].strip().splitlines()[-1]
    if isinstance(error, SyntaxError):
        place = f"{error.filename}:{error.lineno}"
    else:
        frames = [
            f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith("<frozen")
        ]
        place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown place"
    return BenchError(f"plug-in {plugin} fails at import: {last} ({place})")
