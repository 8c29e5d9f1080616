"""From a checkpoint entry to a file of the right sha256, or to why there is none."""

from __future__ import annotations

import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmark.common.errors import NotPossible
from benchmark.common.files import sha256_of, slug
from benchmark.registry.schema import Checkpoint, ModelEntry

_HOW = "get the file and put it at one of these places, or name a data root with --data"


@dataclass(frozen=True)
class ResolvedCheckpoint:
    """Weights as they were found.

    Attributes
    ----------
    path : Path or None
        The file; it is there and has the recorded sha256.
    hub : str or None
        Name of the weights in the model's own library.
    untrained : int or None
        Seed of random weights.
    sha256 : str or None
        Of the file; of hub weights what the registry says, or its first digits.
    revision : str or None
        Of hub weights: the commit of their repository.
    label : str
        For tables: "weights/net.safetensors", "hub:IMAGENET1K_V1", "untrained:0", "no weights".
    """

    path: Path | None = None
    hub: str | None = None
    untrained: int | None = None
    sha256: str | None = None
    revision: str | None = None
    label: str = "no weights"


def resolve_checkpoint(entry: ModelEntry, base: Path, data_root: Path, cache: Path) -> ResolvedCheckpoint:
    """Find the weights of a model.

    Parameters
    ----------
    entry : ModelEntry
        As it stands in the suite (:meth:`Registry.model`).
    base : Path
        Folder of the registry file.
    data_root : Path
        Looked in after ``base``.
    cache : Path
        Downloads are kept in its folder ``weights``.

    Raises
    ------
    NotPossible
        If the file is not there (every path looked for is named, and how to get it), cannot be fetched, or
        has another sha256 than recorded (both are named; a download is kept aside as ``*.rejected``).
    """
    checkpoint = entry.checkpoint
    if checkpoint is None:
        return ResolvedCheckpoint()
    if checkpoint.untrained is not None:
        label = f"untrained:{checkpoint.untrained}"
        return ResolvedCheckpoint(untrained=checkpoint.untrained, label=label)
    if checkpoint.hub is not None:
        return ResolvedCheckpoint(
            hub=checkpoint.hub,
            sha256=checkpoint.sha256,
            revision=checkpoint.revision,
            label=f"hub:{checkpoint.hub}",
        )
    if checkpoint.url is not None:
        path = _fetched(checkpoint, cache / "weights")
        return ResolvedCheckpoint(path=path, sha256=checkpoint.sha256, label=checkpoint.url)
    path = _found(checkpoint, base, data_root)
    return ResolvedCheckpoint(path=path, sha256=sha256_of(path), label=str(checkpoint.file))


def _found(checkpoint: Checkpoint, base: Path, data_root: Path) -> Path:
    relative = Path(str(checkpoint.file)).expanduser()
    places = list(dict.fromkeys([base / relative, data_root / relative]))
    for path in places:
        if path.is_file():
            found = sha256_of(path)
            if checkpoint.sha256 is not None and found != checkpoint.sha256:
                raise NotPossible(
                    f"weights {path} have sha256 {found}, the registry says {checkpoint.sha256}: "
                    "not the file that was registered; put that one there, or correct the sha256"
                    f"{_how(checkpoint)}"
                )
            return path.resolve()
    looked = " and ".join(str(path) for path in places)
    raise NotPossible(f"looked for weights {looked}; not there: {checkpoint.how or _HOW}")


def _fetched(checkpoint: Checkpoint, folder: Path) -> Path:
    import pooch  # imports requests; only a run that downloads needs it

    url, expected = str(checkpoint.url), str(checkpoint.sha256)
    name = f"{expected[:16]}-{slug(Path(urlsplit(url).path).name or 'weights')}"
    kept = folder / name
    if kept.is_file():
        if sha256_of(kept) == expected:
            return kept
        kept.replace(folder / f"{name}.rejected")
    # known_hash None: pooch deletes a file whose hash differs, and we keep it for inspection; without a
    # hash it announces the one it found, which is ours to judge
    pooch.get_logger().setLevel(logging.WARNING)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            fetched = Path(pooch.retrieve(url, known_hash=None, fname=name, path=scratch))
            found = sha256_of(fetched)
            fetched.replace(kept if found == expected else folder / f"{name}.rejected")
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise NotPossible(f"cannot fetch weights {url}: {reason}{_how(checkpoint)}") from error
    if found != expected:
        raise NotPossible(
            f"weights fetched from {url} have sha256 {found}, the registry says {expected}; "
            f"kept as {folder / name}.rejected{_how(checkpoint)}"
        )
    return kept


def _how(checkpoint: Checkpoint) -> str:
    return f"; to get it: {checkpoint.how}" if checkpoint.how else ""
