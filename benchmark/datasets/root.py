"""Where data files are: the data root, and the error message when a file is not there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import platformdirs

from benchmark.common.errors import NotPossible
from benchmark.common.files import sha256_of


@dataclass(frozen=True)
class DataRoot:
    """A folder of data files, and instructions for getting those that are missing.

    Attributes
    ----------
    path : Path
        The folder: ``--data DIR``, else ``$BENCH_DATA``, else the user's data directory.
    instructions : mapping of str to str
        How to get the files of a dataset, by dataset name. Error messages quote it.
    base : Path or None
        Folder of the registry file that names the files: they are looked for there first. None: only the
        data root counts.
    """

    path: Path
    instructions: Mapping[str, str] = field(default_factory=dict)
    base: Path | None = None

    @classmethod
    def find(cls, given: Path | None = None) -> DataRoot:
        """The data root to use: ``given``, else ``$BENCH_DATA``, else the user's data directory.

        Parameters
        ----------
        given : Path, optional
            The folder that the user named (``--data DIR``).
        """
        if given is not None:
            return cls(given)
        from_environment = os.environ.get("BENCH_DATA")
        if from_environment:
            return cls(Path(from_environment))
        return cls(Path(platformdirs.user_data_dir("semantic-benchmark")))

    def file(self, relative: str, how: str = "docs/how-to/getting-the-data.md says how to get it") -> Path:
        """Path of a file or folder under the root.

        Parameters
        ----------
        relative : str
            Its path beside the registry file, or under the root. An absolute path is taken as it is.
        how : str
            How to get the file, for the error message.

        Raises
        ------
        NotPossible
            If the file is not there. The message names the path and says how to get the file.
        """
        path = self.path / relative
        beside = path if self.base is None else self.base / relative
        if beside.exists():
            return beside
        if not path.exists():
            other = (
                ""
                if Path(relative).is_absolute()
                else f"; or name another data root than {self.path} with --data"
            )
            places = " and ".join(map(str, dict.fromkeys((beside, path))))
            raise NotPossible(f"looked for {places}, which is not there: {how}{other}")
        return path


def hash_files(paths: Iterable[Path], *extra: object) -> str:
    """sha256 over some files and over other values that decide a dataset.

    Parameters
    ----------
    paths : iterable of Path
        The files, in the order in which they are hashed. Their names do not count.
    *extra : object
        Other values that decide the data. Their ``repr`` is hashed, after the files.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> from pathlib import Path
    >>> from benchmark.datasets import hash_files
    >>> first, second = Path("first.txt"), Path("second.txt")
    >>> _ = first.write_text("cat dog"), second.write_text("cat dog")
    >>> hash_files([first]) == hash_files([second])
    True
    >>> hash_files([first], "split: test") == hash_files([first])
    False
    """
    digest = hashlib.sha256()
    for path in paths:
        digest.update(bytes.fromhex(sha256_of(path)))
    for item in extra:
        digest.update(repr(item).encode())
    return digest.hexdigest()


Reader = TypeVar("Reader", bound=Callable[..., Any])


def hashed_by(hash_of: Callable[..., str]) -> Callable[[Reader], Reader]:
    """Mark a reader with the function that gives the hash of its data set without reading or making it.

    The engine asks it for the cache key of a cell. A reader without the mark is run to learn the hash.

    Parameters
    ----------
    hash_of : callable
        ``hash_of(root, name=..., **params)``, called with the arguments of the reader. It returns the
        ``hash`` of the target, or the ``manifest`` of the stimuli, that the reader would return.
    """

    def mark(reader: Reader) -> Reader:
        reader.hash_of = hash_of  # type: ignore[attr-defined]
        return reader

    return mark
