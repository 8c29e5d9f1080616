"""Arrays of long work, kept in a folder while it runs. An interrupted run continues from them."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, MutableMapping
from pathlib import Path

import numpy as np

from benchmark.common.arrays import UNREADABLE, load_array
from benchmark.common.files import move_to, slug, write_temporary
from benchmark.common.leftovers import remove_abandoned

_log = logging.getLogger(__name__)


class FolderMemo(MutableMapping[str, dict[str, np.ndarray]]):
    """A mapping of names to records, which are arrays by name. Each record is one file, never half written.

    A record that cannot be read counts as absent, and its arrays are computed again. One that cannot be
    written (the folder is read-only, the disk is full) is dropped: an interrupted run then starts again.

    Parameters
    ----------
    folder : Path
        Created when the first record is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, key: str) -> Path:
        return self._folder / f"{slug(key)}.npz"

    def __getitem__(self, key: str) -> dict[str, np.ndarray]:
        try:
            with load_array(self._path(key)) as record:
                return {name: record[name] for name in record.files}
        except (*UNREADABLE, TypeError) as error:
            raise KeyError(key) from error

    def __setitem__(self, key: str, record: dict[str, np.ndarray]) -> None:
        path = self._path(key)
        try:
            move_to(write_temporary(path.parent, lambda stream: np.savez(stream, **record)), path)  # type: ignore[arg-type]
        except OSError:
            _log.debug("unfinished work is not kept: %s", path, exc_info=True)

    def __delitem__(self, key: str) -> None:
        try:
            self._path(key).unlink()
        except FileNotFoundError as error:
            raise KeyError(key) from error

    def clear(self) -> None:
        """Remove every record unread, what killed runs left, and the folder if it is then empty."""
        for path in self._folder.glob("*.npz"):
            path.unlink(missing_ok=True)
        remove_abandoned(self._folder)
        with contextlib.suppress(OSError):
            self._folder.rmdir()

    def __iter__(self) -> Iterator[str]:
        return (path.stem for path in sorted(self._folder.glob("*.npz")))

    def __len__(self) -> int:
        return sum(1 for _ in self)
