"""Weights that a model's own library fetches: what to say when it cannot."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from urllib.parse import urlparse

import torch

from benchmark.errors import BenchError, NotPossible
from benchmark.extraction.weights import refusal


def torch_hub_file(url: str) -> Path:
    """Where ``torch.hub`` keeps what it downloads from ``url``."""
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(url).path).name


def hugging_face_folder(repository: str) -> Path:
    """Where ``huggingface_hub`` keeps ``owner/name``."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE) / f"models--{repository.strip('/').replace('/', '--')}"


@contextmanager
def fetching(looked_for: Path, source: str) -> Iterator[None]:
    """Turn what a library raises while it fetches and loads weights into errors a user can act on.

    Parameters
    ----------
    looked_for : Path
        Where the library looks before it downloads.
    source : str
        Where it downloads from.

    Raises
    ------
    NotPossible
        If the weights are not there and cannot be downloaded.
    BenchError
        If they are there and do not fit, are damaged, or would run code.
    """
    try:
        # torch.hub announces downloads on standard output, which belongs to the results.
        with redirect_stdout(sys.stderr):
            yield
    except BenchError:
        raise
    except pickle.UnpicklingError as error:
        raise refusal(looked_for, error) from error
    except Exception as error:
        # Libraries wrap a failed download in a RuntimeError, and raise one too where keys do not match.
        if isinstance(error, RuntimeError) and not _was_missing(error):
            reason = " ".join(str(error).split())[:400]
            raise BenchError(f"{looked_for}: the weights cannot be loaded ({reason})") from error
        raise NotPossible(
            f"looked for {looked_for}, which is not there, and {source} cannot be reached "
            f"({type(error).__name__}): run once with a network, or put the file there"
        ) from error


def _was_missing(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError):
            return True
        error = error.__cause__ or error.__context__
    return False
