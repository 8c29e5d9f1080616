"""The modules that a plug-in imports: the user's own, which can change at any time, and installed packages.

A module is the user's own if its file belongs neither to Python, nor to an installed package, nor to this
package. The imports are read off the source, so that those inside a function count too, and a module counts
whoever imported it first. An import whose name is computed while the code runs is not seen.
"""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import site
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType

from benchmark.common.files import sha256_of
from benchmark.common.package import PACKAGE


@dataclass(frozen=True)
class Imports:
    """What a module imports, directly or not.

    Attributes
    ----------
    modules : mapping of str to str
        sha256 of the file of each module of the user's own, by the name of the module.
    packages : mapping of str to str
        Version of each installed package that the user's own modules import, by its name. Packages without
        a known version are left out.
    """

    modules: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Found:
    """Where a module is: its file (None: it is built in, or a folder), and the folders of its submodules."""

    file: Path | None
    folders: Sequence[str] | None


def imports_of(module: ModuleType) -> Imports:
    """Find what a loaded module imports.

    Parameters
    ----------
    module : module
        The module of a plug-in. Its own file is not part of the answer.

    Returns
    -------
    Imports
    """
    modules: dict[str, str] = {}
    packages: dict[str, str] = {}
    start = Path(str(module.__file__))
    waiting = [(start, module.__package__ or "")]
    seen = {module.__name__}
    while waiting:
        file, package = waiting.pop()
        for name in _with_parents(_imported(file, *_stamp(file), package)):
            if name in seen:
                continue
            seen.add(name)
            found = _find(name)
            if found is None or found.file is None or found.file == start:
                continue
            if _is_own(found.file):
                modules[name] = sha256_of(found.file)
                if found.file.suffix == ".py":
                    waiting.append((found.file, name if found.folders else name.rpartition(".")[0]))
            elif "." not in name and not found.file.is_relative_to(PACKAGE.resolve()):
                version = _version(name)
                packages.update({} if version is None else {name: version})
    return Imports(dict(sorted(modules.items())), dict(sorted(packages.items())))


def _stamp(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=4096)
def _imported(file: Path, changed: int, size: int, package: str) -> tuple[str, ...]:
    """Absolute names that a source file imports; of ``from a import b`` both ``a`` and ``a.b``."""
    del changed, size  # they are arguments so that a changed file is read again
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):  # it fails when it is imported, and not before
        return ()
    return tuple(dict.fromkeys(name for node in ast.walk(tree) for name in _names(node, package)))


def _names(node: ast.AST, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            try:
                base = importlib.util.resolve_name("." * node.level + base, package)
            except ImportError:  # it leads out of the package
                return
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names if alias.name != "*")
    elif isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
        first = node.args[0] if node.args else None
        if called in ("import_module", "__import__") and isinstance(first, ast.Constant):
            yield str(first.value)


def _with_parents(names: Sequence[str]) -> Iterator[str]:
    """The ``names``, each after the packages that it is in, since importing it runs them."""
    for name in names:
        parts = name.split(".")
        yield from (".".join(parts[:count]) for count in range(1, len(parts) + 1) if all(parts))


def _find(name: str) -> _Found | None:
    """Find a module without importing it; None: there is none of that name."""
    loaded = sys.modules.get(name)
    if loaded is not None:
        file = getattr(loaded, "__file__", None)
        return _Found(Path(file).resolve() if file else None, getattr(loaded, "__path__", None))
    parent = name.rpartition(".")[0]
    above = _find(parent) if parent else None
    if parent and (above is None or not above.folders):
        return None
    for finder in sys.meta_path:
        try:
            spec = finder.find_spec(name, above.folders if above else None)
        except KeyError:  # a folder without __init__: it asks its parent, which is not imported here
            inside = [
                Path(folder, name.rpartition(".")[2]) for folder in (above.folders if above else None) or ()
            ]
            return _Found(None, [str(folder) for folder in inside if folder.is_dir()])
        if spec is not None:
            file = Path(spec.origin).resolve() if spec.has_location and spec.origin else None
            return _Found(file, spec.submodule_search_locations)
    return None


def _is_own(file: Path) -> bool:
    return not any(file.is_relative_to(folder) for folder in _installed())


@cache
def _installed() -> tuple[Path, ...]:
    """Folders whose modules are not the user's own."""
    paths = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    folders = {Path(path).resolve() for path in (*paths, *site.getsitepackages(), site.getusersitepackages())}
    return (*folders, PACKAGE.resolve())


@cache
def _version(name: str) -> str | None:
    """Version of the installed package that has the module ``name``; None: it is not known."""
    if name in sys.stdlib_module_names:
        return None
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        distributions = importlib.metadata.packages_distributions().get(name, [])
        return importlib.metadata.version(distributions[0]) if distributions else None
