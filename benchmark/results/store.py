"""The folder of results: one JSON file for each cell, written completely or not at all."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from pydantic import ValidationError

from benchmark.common.arrays import UNREADABLE, load_array
from benchmark.common.claim import CLAIM, claim, remove_free
from benchmark.common.errors import DataError
from benchmark.common.files import move_to, put_aside, sha256_of, slug, write_atomic, write_temporary
from benchmark.common.leftovers import remove_abandoned
from benchmark.extraction.fingerprint import FINGERPRINT, same_fingerprint
from benchmark.results.schema import CellResult, canonical, checksum_of

#: Ending of the file beside results that says why a cell was not possible
_REFUSED = ".not-possible"
#: Most bytes of a result file. The results of this suite have less than a thousandth of it
_MOST_BYTES = 64 * 2**20

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

    A cell that is not possible is kept in ``suite/binding/model.not-possible``, with the reason.

    In all methods ``suite``, ``binding`` and ``model`` name a cell, and ``stored`` is a result of this store.

    Parameters
    ----------
    folder : Path
        The first result that is written creates it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._cleaned = False
        self._intact: set[tuple[Path, str, int, int, int]] = set()

    def path_for(self, suite: str, binding: str, model: str) -> Path:
        """The file of the result of a cell. It is inside the folder, whatever the names are."""
        name, twin, seed = model.partition("@untrained:")
        # some systems do not allow ':' in a file name
        name = f"{slug(name)}@untrained-{seed}" if twin and seed.isdecimal() else slug(model)
        return self.folder / slug(suite) / slug(binding) / f"{name}.json"

    def claim(
        self, suite: str, binding: str, model: str, waiting: str | None = None
    ) -> AbstractContextManager[bool]:
        """Claim the work on a cell, so that no other run does it meanwhile.

        Parameters
        ----------
        waiting : str, optional
            As for :func:`benchmark.common.claim.claim`, which this gives.
        """
        path = self.path_for(suite, binding, model)
        return claim(path.with_name(f".{path.stem}{CLAIM}"), waiting)

    def read(self, path: Path) -> CellResult:
        """Read the result in the file ``path``.

        Raises
        ------
        DataError
            If there is no such file, it is not a result, or it has another schema; if it has no checksum, or
            its content differs from it; if it is the result of another cell than that of its place. The
            message is one line that names the file.
        """
        try:
            if not path.is_file():  # reading a named pipe would wait for ever
                raise DataError(f"cannot read result {path}: it is no file")
            if path.stat().st_size > _MOST_BYTES:
                raise DataError(f"{path} is not a result: it has more than {_MOST_BYTES // 2**20} MiB")
            content = json.loads(path.read_bytes())
            cell = CellResult.model_validate(content)
            checksum = checksum_of(content)
        except OSError as error:
            raise DataError(f"cannot read result {path}: {error.strerror or error}") from error
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])[:80]
            key = key if key.isprintable() else ascii(key)  # a name that is no field comes from the file
            raise DataError(f"{path} is not a result: {key + ': ' if key else ''}{first['msg']}") from error
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path} is not a result: Invalid JSON: {error}") from error
        if cell.checksum is None:
            raise _NoChecksumError(f"{path} has no checksum: an older release wrote it, or it was edited")
        if cell.checksum != checksum:
            raise DataError(f"{path} differs from its checksum: it was edited or damaged")
        place = self.path_for(cell.suite, cell.binding, cell.model)
        place = _refusal_of(place) if path.suffix == _REFUSED else place
        if path.parts[-3:] != place.parts[-3:]:
            raise DataError(f"{path} holds the result of another cell")
        return cell

    def find(self, suite: str, binding: str, model: str, key: Mapping[str, Any]) -> Stored | None:
        """The stored result of a cell, if it is scored and its whole key equals ``key``; else None.

        A file that cannot be used counts as no result, as in :meth:`last`.
        """
        stored = self.last(suite, binding, model)
        if stored is None or stored.cell.status != "scored" or diff_keys(stored.cell.key, key):
            return None
        return stored

    def last(self, suite: str, binding: str, model: str) -> Stored | None:
        """The stored result of a cell, whatever its key and status; None if there is none that can be used.

        A file that is no result, or differs from its checksum, or whose arrays do, is renamed to
        ``*.damaged``, and the log says so. A result without a checksum stays until it is computed again.
        """
        path = self.path_for(suite, binding, model)
        if not os.path.lexists(path):
            return None
        try:
            stored = Stored(path, self.read(path))
            self._arrays_file(stored)
        except _NoChecksumError as error:
            _log.warning("%s; it is computed again", error)
        except DataError as error:
            aside = put_aside(path)
            _log.warning("%s; %s, it is computed again", error, f"kept as {aside}" if aside else "not used")
        else:
            return stored
        return None

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
            if not self._cleaned:
                remove_abandoned(self.folder)
                remove_free(self.folder.glob(f"*/*/.*{CLAIM}"))
                self._cleaned = True
            name = _write_arrays(path, arrays) if arrays else None
            cell = cell.model_copy(update={"arrays": name})
            cell = _write_json(path, cell)
        except OSError as error:
            raise DataError(f"cannot write result {path}: {error.strerror or error}") from error
        outdated = [old for old in path.parent.glob(f"{path.stem}+*.npz") if old.name != name]
        for old in (*outdated, _refusal_of(path)):
            with contextlib.suppress(OSError):
                old.unlink()
        return Stored(path, cell)

    def refuse(self, cell: CellResult) -> None:
        """Keep why a cell is not possible, in a file of its own; a result of the cell stays.

        The next result of the cell removes it. Where the folder cannot be written to, nothing is kept.

        Parameters
        ----------
        cell : CellResult
            A cell without a score, with its reason.
        """
        with contextlib.suppress(OSError):
            _write_json(_refusal_of(self.path_for(cell.suite, cell.binding, cell.model)), cell)

    def refusals(self) -> tuple[list[Stored], list[str]]:
        """Every cell that :meth:`refuse` kept; and one line for each such file that cannot be read."""
        return self._read_all(f"*/*/*{_REFUSED}")

    def arrays(self, stored: Stored) -> dict[str, np.ndarray]:
        """Read the arrays of a stored result; without arrays the dict is empty.

        Raises
        ------
        DataError
            If their file is missing, is damaged or not that of this result, or its name leads out of the
            folder.
        """
        path = self._arrays_file(stored)
        if path is None:
            return {}
        try:
            with load_array(path) as file:
                return {key: file[key] for key in file.files}
        except UNREADABLE as error:
            raise DataError(f"cannot read arrays {path}: {error}") from error

    def all(self) -> tuple[list[Stored], list[str]]:
        """Read every result, in the order of the paths; and one line for each JSON file that is no result."""
        return self._read_all("*/*/*.json")

    def _read_all(self, pattern: str) -> tuple[list[Stored], list[str]]:
        read = [self._read_or_reason(path) for path in sorted(self.folder.glob(pattern))]
        return [r for r in read if isinstance(r, Stored)], [r for r in read if isinstance(r, str)]

    def _read_or_reason(self, path: Path) -> Stored | str:
        try:
            return Stored(path, self.read(path))
        except DataError as error:
            return str(error)

    def _arrays_file(self, stored: Stored) -> Path | None:
        """The file of the arrays of a result, which must have the sha256 that its name ends with.

        A file is hashed once, as long as it stays as it is.
        """
        name = stored.cell.arrays
        if name is None:
            return None
        if Path(name).name != name:
            raise DataError(f"{stored.path}: arrays {name!r} is no file name")
        path = stored.path.parent / name
        try:
            status = path.stat()
            state = (stored.path, name, status.st_ino, status.st_size, status.st_mtime_ns)
            same = state in self._intact or name == _arrays_name(stored.path, sha256_of(path))
        except FileNotFoundError as error:
            raise DataError(f"cannot read arrays {path}: they are gone") from error
        except (OSError, ValueError) as error:
            raise DataError(f"cannot read arrays {path}: {error}") from error
        if not same:
            raise DataError(f"arrays {path} are not those of the result: they differ from its checksum")
        self._intact.add(state)
        return path


class _NoChecksumError(DataError):
    """A result without a checksum."""


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


def _refusal_of(path: Path) -> Path:
    """Where it is kept that the cell of a result file is not possible."""
    return path.with_name(f"{path.stem}{_REFUSED}")


def _write_json(path: Path, cell: CellResult) -> CellResult:
    """Write a cell with its checksum, and give it so."""
    content = json.loads(cell.model_dump_json())
    cell = cell.model_copy(update={"checksum": checksum_of(content)})
    write_atomic(path, cell.model_dump_json(indent=1).encode() + b"\n")
    return cell


def _arrays_name(path: Path, sha256: str) -> str:
    # the name is made from the content, so that an old JSON never points to new arrays
    return f"{path.stem}+{sha256[:12]}.npz"


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
    name = _arrays_name(path, sha256_of(temporary))
    move_to(temporary, path.parent / name)
    return name
