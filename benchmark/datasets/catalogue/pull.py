"""Pull the files of a collection from where they are published."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from urllib.parse import urlsplit

from benchmark.common.claim import claim
from benchmark.common.errors import DataError
from benchmark.common.files import sha256_of, slug
from benchmark.datasets.catalogue.archives import is_archive
from benchmark.datasets.catalogue.bring import Brought, bring
from benchmark.datasets.catalogue.collection import Collection, File
from benchmark.datasets.catalogue.download import Tell, download
from benchmark.datasets.catalogue.states import fault_of, state_of
from benchmark.datasets.catalogue.writing import writing

#: Folder of the data root for what is not whole yet
INCOMING = ".incoming"


def pull(collection: Collection, root: Path, tell: Callable[[str], Tell]) -> Iterator[Brought]:
    """Get every file of a collection that has an address and is not here.

    A download that was broken off is gone on with. A file comes to its place whole and checked, or not at
    all; until then what was there stays. Of several processes one pulls, and the others wait for it.

    Parameters
    ----------
    collection : Collection
    root : Path
        The data root.
    tell : callable
        ``tell(path)`` gives what is told of the progress of a file.

    Yields
    ------
    Brought
        For each file with an address.

    Raises
    ------
    NotPossible
        If a file cannot be got.
    DataError
        If what was got is not the file, or cannot be written.
    """
    folder, incoming = root / collection.name, root / INCOMING / collection.name
    with_address = sorted((file for file in collection.files if file.url), key=lambda file: str(file.url))
    with writing(incoming):
        incoming.mkdir(parents=True, exist_ok=True)
    with claim(incoming / "pull.claim", waiting=f"another process pulls {collection.name}: waiting for it"):
        for url, group in groupby(with_address, key=lambda file: str(file.url)):
            files = []
            for file in group:
                if state_of(folder, file).state in ("here", "another", "unchecked"):
                    yield Brought(file, "here already")
                else:
                    files.append(file)
            if files:
                yield from _pulled(collection, url, files, root, incoming, tell(files[0].path))


def _pulled(
    collection: Collection, url: str, files: list[File], root: Path, incoming: Path, tell: Tell
) -> list[Brought]:
    published = Path(urlsplit(url).path).name
    first = files[0]
    packed = is_archive(published) and (first.is_set or not is_archive(first.path))
    part = incoming / f"{slug(published if packed else first.path.replace('/', '-'))}.part"
    checked = None if packed else first.sha256
    resumed = part.is_file()
    download(url, part, tell, pinned=checked is not None)
    if resumed and checked is not None and sha256_of(part) != checked:
        # the part that was here may have been of another file
        part.unlink()
        download(url, part, tell, pinned=True)
    if packed:
        archive = part.with_name(slug(published))
        part.replace(archive)
        brought = bring(collection, files, archive, root)
        archive.unlink()
        return brought
    fault = fault_of(part)
    found = sha256_of(part)
    if fault is None and checked is not None and found != checked:
        fault = f"has sha256 {found}, the registry says {checked}: not the file that was registered"
    if fault is not None:
        part.unlink()
        raise DataError(f"what {url} gives {fault}; nothing was changed")
    place = root / collection.name / first.path
    with writing(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        part.replace(place)
    return [Brought(first, "pulled", 1)]
