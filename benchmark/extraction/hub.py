"""Weights that a library fetches by itself: where they are, and clear errors when it fails."""

from __future__ import annotations

import pickle
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import torch

from benchmark.common.errors import BenchError, NotPossible
from benchmark.common.files import sha256_of
from benchmark.extraction.weights import load_checkpoint, refusal


def torch_hub_file(url: str, name: str | None = None) -> Path:
    """Path at which ``torch.hub`` keeps the file from ``url``; ``name`` replaces the file name of the url."""
    return Path(torch.hub.get_dir()) / "checkpoints" / (name or Path(urlparse(url).path).name)


def torch_hub_checkpoint(
    url: str, *, name: str | None = None, sha256: str | None = None
) -> Mapping[str, Any]:
    """The checkpoint at ``url``, downloaded with ``torch.hub`` if it is not there yet.

    Parameters
    ----------
    url : str
        Address of the checkpoint.
    name : str, optional
        Name for the downloaded file, for a url whose own file name is not unique.
    sha256 : str, optional
        The sha256 of the file, or its first digits. Default: the digits in the file name, if it has them, as
        torch.hub reads them.

    Returns
    -------
    mapping
        The content of the file, read with ``weights_only=True``.

    Raises
    ------
    NotPossible
        If the file is not there and cannot be downloaded, or if it has another sha256 (it is then renamed).
    BenchError
        If the file is damaged, is not a checkpoint, or is a pickle that would run code.
    """
    file = torch_hub_file(url, name)
    with fetching(file, url, sha256):
        if not file.is_file():
            file.parent.mkdir(parents=True, exist_ok=True)
            expected = sha256 or _sha256_in(file.name)
            torch.hub.download_url_to_file(url, str(file), hash_prefix=expected, progress=False)
        content: Any = load_checkpoint(file)
    if not isinstance(content, Mapping):
        raise BenchError(f"{file}: holds a {type(content).__name__}, no checkpoint")
    return content


def hugging_face_folder(repository: str) -> Path:
    """Folder in which ``huggingface_hub`` keeps a ``repository`` ("owner/name")."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE) / f"models--{repository.strip('/').replace('/', '--')}"


@contextmanager
def fetching(looked_for: Path, source: str, sha256: str | None = None) -> Iterator[None]:
    """A context for a library call that fetches and loads weights; its exceptions become clear errors.

    Parameters
    ----------
    looked_for : Path
        File or folder in which the library looks before it downloads.
    source : str
        Address from which the library downloads, for the error message.
    sha256 : str, optional
        The sha256 that the file must have if it is there already, or its first digits. Default: not checked.

    Raises
    ------
    NotPossible
        If the weights are not there and cannot be downloaded, or if they have another sha256 (the file is
        then renamed).
    BenchError
        If the weights are there and do not fit, are damaged, or would run code.
    """
    _verify(looked_for, sha256)
    try:
        # torch.hub prints about downloads on standard output, where only results may be.
        with redirect_stdout(sys.stderr):
            yield
    except BenchError:
        raise
    except pickle.UnpicklingError as error:
        raise refusal(looked_for, error) from error
    except Exception as error:
        # Libraries wrap a failed download in a RuntimeError. They also raise one if keys do not match. A file
        # of text, or of a list, raises anything.
        present = isinstance(error, RuntimeError) or looked_for.is_file()
        if present and not _was_missing(error):
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:400]
            raise BenchError(f"{looked_for}: the weights cannot be loaded ({reason})") from error
        raise NotPossible(
            f"looked for {looked_for}, which is not there, and {source} cannot be reached "
            f"({type(error).__name__}): run once with a network, or put the file there"
        ) from error


def _sha256_in(name: str) -> str | None:
    """The first digits of a sha256 in a file name (``net-7be5be79.pth``); None: it has none."""
    match = re.search(r"-([a-f0-9]{8,64})\.", name)
    return match[1] if match else None


def _verify(file: Path, sha256: str | None) -> None:
    if sha256 is None or not file.is_file() or sha256_of(file).startswith(sha256):
        return
    digest, aside = sha256_of(file), file.with_name(f"{file.name}.rejected")
    file.replace(aside)
    raise NotPossible(
        f"{file} has sha256 {digest}, the registry says {sha256}: not the file that was registered; "
        f"kept as {aside}"
    )


def _was_missing(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError):
            return True
        error = error.__cause__ or error.__context__
    return False
