"""Load the class or function that a text like ``models/pixels.py:Pixels`` names."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmark.common.did_you_mean import did_you_mean
from benchmark.common.errors import BenchError, UsageError, error_summary, place_of, plugin_border
from benchmark.registry.imports import Imports, imports_of
from benchmark.registry.shipped import shipped_root


@dataclass(frozen=True)
class PluginCode:
    """The code of a plug-in, for cache keys.

    Attributes
    ----------
    source : str
        sha256 of its own source (:func:`plugin_source_hash`).
    imports : Imports
        What it imports. Empty for a plug-in of the suite, which imports only the suite and its packages.
    """

    source: str
    imports: Imports = field(default_factory=Imports)

    def as_key(self) -> dict[str, Any]:
        """The parts of a key; without the imports where there are none."""
        imports = {"modules": dict(self.imports.modules), "imported_packages": dict(self.imports.packages)}
        return {"source": self.source, **{part: value for part, value in imports.items() if value}}


#: The code of the plug-ins of this process when they were imported, by the name of their module
_imported: dict[str, PluginCode] = {}


def load_plugin(plugin: str, base: Path) -> Any:
    """Load the class or function that ``plugin`` names.

    A file runs as a module whose name is made from the file's path and content. So an unchanged file gives
    the same class every time. A changed file runs again, and so does one that imports a changed module of the
    user's own. While a file runs it can import the modules beside it by their name, as a script can.

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
    module = _load_module(plugin, base)
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


def require_params(reader: Callable[..., Any], params: Mapping[str, Any]) -> None:
    """Raise unless a reader of data takes ``params``, and needs no other.

    Parameters
    ----------
    reader : callable
        Called as ``reader(root, name=..., **params)``.
    params : mapping
        The parameters of the entry.

    Raises
    ------
    UsageError
        The message names the first parameter that is unknown or missing.

    Examples
    --------
    >>> def read(root, *, name, file, ids=None): ...
    >>> require_params(read, {"file": "a.npy", "idz": "ids.txt"})
    Traceback (most recent call last):
    ...
    benchmark.common.errors.UsageError: read has no parameter 'idz'; did you mean ids?
    """
    given = list(inspect.signature(reader).parameters.values())[1:]
    kinds = {one.kind for one in given}
    named = {
        one.name: one
        for one in given
        if one.name != "name"
        and one.kind in (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    }
    what = getattr(reader, "__name__", "the reader")
    for key in params:
        if key not in named and inspect.Parameter.VAR_KEYWORD not in kinds:
            raise UsageError(f"{what} has no parameter {key!r}; {did_you_mean(key, named)}")
    for key, one in named.items():
        if one.default is inspect.Parameter.empty and key not in params:
            raise UsageError(f"{what} needs the parameter {key!r}; write it under params")


def plugin_code(plugin: str, base: Path) -> PluginCode:
    """The code of a plug-in and of everything of the user's own that it imports.

    A plug-in that does not belong to the suite is imported for it.

    Parameters
    ----------
    plugin, base
        As in :func:`load_plugin`.

    Returns
    -------
    PluginCode

    Raises
    ------
    BenchError
        If there is no such file or module, or its import fails.
    """
    source = plugin_source_hash(plugin, base)
    if is_shipped(plugin, base):
        return PluginCode(source)
    return PluginCode(source, imports_of(_load_module(plugin, base)))


def plugin_source_hash(plugin: str, base: Path) -> str:
    """sha256 over the source of a plug-in, without what it imports (:func:`plugin_code`).

    Which files count depends on the plug-in:

    - ``path/file.py:Name``: the file itself.
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


def _load_module(plugin: str, base: Path) -> ModuleType:
    where, _ = _split(plugin)
    return _run_file(_find_file(where, base), plugin) if _is_file(where) else _import(where, plugin)


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


class _FromSource(SourceFileLoader):
    """Compiles the source at each load.

    Python finds out by size and whole second whether compiled code is that of a file. A file that was changed
    within the second would be run as it was before, under the hash of what it is now.
    """

    def path_stats(self, path: str) -> Mapping[str, Any]:
        """Say that the age of ``path`` is not known: then compiled code is neither read nor written."""
        raise OSError(path)


def _run_file(path: Path, plugin: str) -> ModuleType:
    identity = hashlib.sha256(str(path).encode() + b"\0" + path.read_bytes()).hexdigest()[:16]
    name = f"benchmark_plugin_{path.stem}_{identity}"
    module = sys.modules.get(name)
    if module is not None:
        modules = _imported[name].imports.modules if name in _imported else None
        if modules is None or imports_of(module).modules == modules:
            return module
        for own in modules:
            sys.modules.pop(own, None)
    if path.suffix != ".py":
        raise BenchError(f"plug-in {plugin}: {path} is not a Python file")
    loader = _FromSource(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    # dataclasses and pickle look up the module of a class by name while the file still runs
    sys.modules[name] = module
    try:
        with plugin_border(), _importing_from_beside(path):
            loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise _import_error(error, plugin) from error
    _imported[name] = PluginCode(identity, imports_of(module))
    _require_own_neighbours(path, _imported[name].imports, plugin)
    return module


@contextmanager
def _importing_from_beside(path: Path) -> Iterator[None]:
    """Let a plug-in file import the modules beside it while it runs, as a script can."""
    folder = str(path.parent)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _require_own_neighbours(path: Path, imports: Imports, plugin: str) -> None:
    """Refuse a module that stands beside the plug-in if one of that name from elsewhere was loaded before."""
    for name in imports.modules:
        loaded, beside = sys.modules.get(name), path.parent / f"{name}.py"
        file = getattr(loaded, "__file__", None)
        if file is not None and beside.is_file() and Path(file).resolve() != beside:
            raise BenchError(
                f"plug-in {plugin}: it imports {name!r} from {file}, which was loaded before {beside}: "
                f"give one of the two another name"
            )


def _import(where: str, plugin: str) -> ModuleType:
    _origin(where, plugin)
    try:
        with plugin_border():
            module = importlib.import_module(where)
    except Exception as error:
        raise _import_error(error, plugin) from error
    if where.split(".")[0] != "benchmark":
        code = PluginCode(plugin_source_hash(plugin, Path()), imports_of(module))
        if _imported.setdefault(where, code) != code:
            raise BenchError(f"plug-in {plugin}: its code changed after it was imported: start Python again")
    return module


def _origin(where: str, plugin: str) -> Path:
    try:
        with plugin_border():
            spec = importlib.util.find_spec(where)
    except ModuleNotFoundError as error:
        raise BenchError(f"plug-in {plugin}: no module {error.name!r}; is its package installed?") from error
    except Exception as error:
        # find_spec imports the packages above a submodule
        raise _import_error(error, plugin) from error
    if spec is None or spec.origin is None:
        raise BenchError(f"plug-in {plugin}: no module {where!r}; is its package installed?")
    return Path(spec.origin)


def _import_error(error: Exception, plugin: str) -> BenchError:
    place = f"{error.filename}:{error.lineno}" if isinstance(error, SyntaxError) else place_of(error)
    return BenchError(f"plug-in {plugin} fails at import: {error_summary(error)} ({place})")
