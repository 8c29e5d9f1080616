"""A collection: the files of one maker, in one folder of the data root."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from benchmark.common.files import sha256_of


@dataclass(frozen=True)
class File:
    """A file of a collection, or a set of files.

    Attributes
    ----------
    path : str
        Under the folder of the collection. With a ``*`` (``images/*.jpg``) it stands for a set.
    url : str or None
        Where it is pulled from; None: it is got by hand.
    sha256 : str or None
        Of the file; of a set as :func:`digest_of` gives it. None: not known.
    size : int or None
        In bytes.
    count : int or None
        Number of files of a set.
    names : tuple of str
        Other names, or patterns, under which its makers publish it.
    varies : bool
        Whether other content is good too.
    """

    path: str
    url: str | None = None
    sha256: str | None = None
    size: int | None = None
    count: int | None = None
    names: tuple[str, ...] = ()
    varies: bool = False

    @property
    def is_set(self) -> bool:
        """Whether it stands for a set of files."""
        return "*" in self.path

    def members(self, folder: Path) -> list[Path]:
        """The files in ``folder`` that it stands for, in the order of their paths."""
        if not self.is_set:
            path = folder / self.path
            return [path] if path.is_file() else []
        found = (path for path in folder.glob(self.path) if path.is_file())
        return sorted(found, key=lambda path: path.relative_to(folder).as_posix())

    def place_of(self, path: PurePosixPath) -> str | None:
        """Where what somebody has as ``path`` belongs under the folder; None: it is not of this file."""
        if not self.is_set:
            named = any(path.match(name) for name in (self.path, PurePosixPath(self.path).name, *self.names))
            return self.path if named else None
        if not any(path.match(pattern) for pattern in (self.path, *self.names)):
            return None
        parts = PurePosixPath(self.path).parts
        fixed = next(i for i, part in enumerate(parts) if "*" in part)
        return PurePosixPath(*parts[:fixed], *path.parts[fixed - len(parts) :]).as_posix()


@dataclass(frozen=True)
class Collection:
    """The files of one maker.

    Attributes
    ----------
    name : str
        Also the name of its folder under the data root.
    files : tuple of File
    description, licence : str
    redistribution : str
        "allowed", "forbidden" or "not stated".
    consent : bool
        Whether its licence is to be accepted before anything is pulled.
    url : str or None
        Page of the makers.
    citation : str
        BibTeX.
    steps : tuple of str
        How to get what cannot be pulled.
    """

    name: str
    files: tuple[File, ...]
    description: str = ""
    licence: str = ""
    redistribution: str = "not stated"
    consent: bool = False
    url: str | None = None
    citation: str = ""
    steps: tuple[str, ...] = ()


def digest_of(files: dict[str, Path]) -> str:
    """The sha256 of a set of files: of what ``sha256sum`` prints for them in the order of their paths.

    Parameters
    ----------
    files : dict of str to Path
        The files by their path under the folder.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    lines = "".join(f"{sha256_of(files[place])}  {place}\n" for place in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()
