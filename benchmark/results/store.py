"""The folder of results: one JSON file for each cell, written completely or not at all."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from pydantic import ValidationError

from benchmark.common.errors import DataError
from benchmark.common.files import slug, write_atomic, write_temporary
from benchmark.extraction.fingerprint import FINGERPRINT, same_fingerprint
from benchmark.results.schema import CellResult, canonical

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stored:
    """A result and its file.

    Attributes
    ----------
    path : Path
    cell : CellResult
    """

    path: Path
    cell: CellResult


class ResultStore:
    """The folder of results: ``suite/binding/model.json``, with an npz file beside it for arrays.

    In all methods ``suite``, ``binding`` and ``model`` name a cell, and ``stored`` is a result of this store.

    Parameters
    ----------
    folder : Path
        The first result that is written creates it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def path_for(self, suite: str, binding: str, model: str) -> Path:
        """The file of the result of a cell. It is inside the folder, whatever the names are."""
        name, twin, seed = model.partition("@untrained:")
        # some systems do not allow ':' in a file name
        name = f"{slug(name)}@untrained-{seed}" if twin and seed.isdecimal() else slug(model)
        return self.folder / slug(suite) / slug(binding) / f"{name}.json"

    def read(self, path: Path) -> CellResult:
        """Read the result in the file ``path``.

        Raises
        ------
        DataError
            If there is no such file, it is not a result, or it has another schema. The message is one line
            that names the file.
        """
        try:
            return CellResult.model_validate_json(path.read_bytes())
        except OSError as error:
            raise DataError(f"cannot read result {path}: {error.strerror}") from error
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise DataError(f"{path} is not a result: {key + ': ' if key else ''}{first['msg']}") from error

    def find(self, suite: str, binding: str, model: str, key: Mapping[str, Any]) -> Stored | None:
        """The stored result of a cell, if it is scored and its whole key equals ``key``; else None.

        A file that cannot be read counts as no result, with a warning in the log.
        """
        stored = self.last(suite, binding, model)
        if stored is None or stored.cell.status != "scored" or diff_keys(stored.cell.key, key):
            return None
        return stored

    def last(self, suite: str, binding: str, model: str) -> Stored | None:
        """The stored result of a cell, whatever its key and status; None if no result can be read."""
        path = self.path_for(suite, binding, model)
        if not path.exists():
            return None
        try:
            cell = self.read(path)
        except DataError as error:
            _log.warning("%s; it is computed again", error)
            return None
        if (cell.suite, cell.binding, cell.model) != (suite, binding, model):
            _log.warning("%s holds the result of another cell; it is computed again", path)
            return None
        if cell.arrays is not None and not (path.parent / cell.arrays).is_file():
            _log.warning("%s: its arrays %s are gone; it is computed again", path, cell.arrays)
            return None
        return Stored(path, cell)

    def write(self, cell: CellResult, arrays: Mapping[str, np.ndarray] | None = None) -> Stored:
        """Write one result: the arrays first, then the JSON that names them.

        Parameters
        ----------
        cell : CellResult
        arrays : mapping of str to ndarray, optional
            Arrays to keep beside the result.

        Returns
        -------
        Stored
            The cell with ``arrays`` set, and its file.

        Raises
        ------
        DataError
            If an array holds Python objects, or the folder cannot be written to.
        """
        path = self.path_for(cell.suite, cell.binding, cell.model)
        try:
            name = _write_arrays(path, arrays) if arrays else None
            cell = cell.model_copy(update={"arrays": name})
            write_atomic(path, cell.model_dump_json(indent=1).encode() + b"\n")
        except OSError as error:
            raise DataError(f"cannot write result {path}: {error.strerror or error}") from error
        for old in path.parent.glob(f"{path.stem}+*.npz"):
            if old.name != name:
                old.unlink(missing_ok=True)
        return Stored(path, cell)

    def arrays(self, stored: Stored) -> dict[str, np.ndarray]:
        """Read the arrays of a stored result; without arrays the dict is empty.

        Raises
        ------
        DataError
            If their file is missing or damaged, or its name leads out of the folder.
        """
        name = stored.cell.arrays
        if name is None:
            return {}
        if Path(name).name != name:
            raise DataError(f"{stored.path}: arrays {name!r} is no file name")
        try:
            with np.load(stored.path.parent / name, allow_pickle=False) as file:
                return {key: file[key] for key in file.files}
        except (OSError, ValueError) as error:
            raise DataError(f"cannot read arrays {stored.path.parent / name}: {error}") from error

    def all(self) -> tuple[list[Stored], list[str]]:
        """Read every result, in the order of the paths; and one line for each JSON file that is no result."""
        read = [self._read_or_reason(path) for path in sorted(self.folder.glob("*/*/*.json"))]
        return [r for r in read if isinstance(r, Stored)], [r for r in read if isinstance(r, str)]

    def _read_or_reason(self, path: Path) -> Stored | str:
        try:
            return Stored(path, self.read(path))
        except DataError as error:
            return str(error)


def diff_keys(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """List the parts of two cache keys that differ.

    Fingerprints are compared within a tolerance (:func:`benchmark.extraction.fingerprint.same_fingerprint`).

    Parameters
    ----------
    old, new : mapping
        The two keys. A value inside may be a mapping too.

    Returns
    -------
    list of str
        Dotted names, sorted.

    Examples
    --------
    >>> diff_keys({"seed": 0, "params": {"k": 5}}, {"seed": 1, "params": {"k": 10}})
    ['params.k', 'seed']
    """
    return sorted(_differences(canonical(dict(old)), canonical(dict(new)), ""))


def _differences(old: Any, new: Any, name: str) -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        differences = []
        for key in {**old, **new}:
            inner = f"{name}.{key}" if name else key
            if key in old and key in new:
                differences += _differences(old[key], new[key], inner)
            else:
                differences.append(inner)
        return differences
    if f".{FINGERPRINT}." in f".{name}":
        return [] if same_fingerprint(old, new) else [name]
    # in Python 1 == True == 1.0; in a key they differ
    return [] if old == new and type(old) is type(new) else [name]


def _write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> str:
    objects = [name for name, array in arrays.items() if np.asarray(array).dtype.hasobject]
    if objects:
        raise DataError(f"array {objects[0]!r} of result {path} holds Python objects, not numbers or text")
    # numpy's savez has parameters of these names
    reserved = {"file", "allow_pickle"} & set(arrays)
    if reserved:
        raise DataError(
            f"an array of result {path} may not be called {reserved.pop()!r}: give it another name"
        )

    def save(stream: BinaryIO) -> None:
        np.savez_compressed(stream, **dict(arrays))  # type: ignore[arg-type]

    temporary = write_temporary(path.parent, save)
    # the name is made from the content, so that an old JSON never points to new arrays
    name = f"{path.stem}+{hashlib.sha256(temporary.read_bytes()).hexdigest()[:12]}.npz"
    temporary.replace(path.parent / name)
    return name
