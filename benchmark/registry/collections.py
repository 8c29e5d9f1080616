"""The schema of collections: the files of one maker, in one folder of the data root, and their sources."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from benchmark.registry.schema import Entry, RelativePath, Sha256


def _in_the_collection(text: str) -> str:
    path = PurePosixPath(text)
    if path.is_absolute() or not path.parts or path.parts[0] == "~":
        raise ValueError(f"{text!r}: write the path of a file under the folder of the collection")
    if "**" in text:
        raise ValueError(f"{text!r}: write a * for each folder")
    return text


def _web_address(text: str) -> str:
    if text.startswith(("https://", "http://")) and text.isprintable() and " " not in text:
        return text
    raise ValueError(f"{text!r} is no address: it begins with https:// or http://")


FilePath = Annotated[RelativePath, AfterValidator(_in_the_collection)]
Address = Annotated[str, AfterValidator(_web_address)]


class FileEntry(Entry):
    """A file of a collection; with a ``*`` in its path a set of files.

    Attributes
    ----------
    url : str, optional
        Where ``bench data pull`` gets the file, pinned where it can be. An archive is unpacked, if the file
        is none itself. None: the file is got by the steps of the collection.
    sha256 : str, optional
        sha256 of the file; of a set, of what ``sha256sum`` prints for its files in the order of their paths.
    size : int, optional
        In bytes; of a set all together.
    count : int, optional
        Number of files of a set.
    names : tuple of str
        Other names that the file has where its makers publish it. A ``*`` stands for any text.
    varies : bool
        Whether other content is good too, as of a later release: it is taken, and said to be another.
    """

    url: Address | None = None
    sha256: Sha256 | None = None
    size: int | None = Field(default=None, ge=0)
    count: int | None = Field(default=None, ge=1)
    names: tuple[str, ...] = ()
    varies: bool = False

    @model_validator(mode="after")
    def _whole_sha256(self) -> FileEntry:
        if self.sha256 is not None and len(self.sha256) != 64:
            raise ValueError(f"{self.sha256!r} is no sha256: write 64 hexadecimal digits")
        return self


class CollectionEntry(Entry):
    """The files of one maker, in the folder of the data root that has the name of the collection.

    Attributes
    ----------
    description : str
    licence : str
        As known, with where it was seen.
    redistribution : "allowed", "forbidden" or "not stated"
        Whether the files may be passed on.
    consent : bool
        Whether ``bench data pull`` asks the user to accept the licence.
    url : str, optional
        Page or DOI of the makers.
    citation : str
        BibTeX.
    steps : tuple of str
        How to get what cannot be pulled, and what of it to give to ``bench data import``.
    files : dict of str to FileEntry
        By path under the folder.
    """

    description: str
    licence: str
    redistribution: Literal["allowed", "forbidden", "not stated"]
    consent: bool = False
    url: Address | None = None
    citation: str
    steps: tuple[str, ...] = ()
    files: dict[FilePath, FileEntry]

    @model_validator(mode="after")
    def _obtainable(self) -> CollectionEntry:
        for path, file in self.files.items():
            if "*" not in path and file.count is not None:
                raise ValueError(f"files.{path}: count belongs to a set of files, whose path has a *")
            if file.url is None and not self.steps:
                raise ValueError(
                    f"files.{path}: has no url, so the collection needs steps that say how to get it"
                )
        return self
