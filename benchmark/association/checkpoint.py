"""The file of a trained association network: its weights, and in the metadata all that reading them needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from benchmark.common.errors import BenchError
from benchmark.common.files import write_atomic
from benchmark.extraction import Preprocessing

#: Where a checkpoint's description stands in its metadata, beside "vocabulary"
_ABOUT = "association"

Loss = Literal["bce", "softmax", "mse"]


class Encoder(BaseModel):
    """The architecture of an encoder: a plug-in that is shipped or that a registry names, and its params."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    plugin: str
    params: dict[str, Any] = {}


class TrainingRecord(BaseModel):
    """What a checkpoint is.

    Attributes
    ----------
    encoder : Encoder
        What to build before the weights are loaded.
    started_from : str
        What ``--from`` named.
    preprocessing : Preprocessing
        Of the images it was trained on.
    loss : {"bce", "softmax", "mse"}
        It decides how logits become strengths: a sigmoid, a softmax, or as they are.
    norms, norms_sha256 : str
        Name and hash of the norms it was taught.
    manifest_sha256 : str
        Hash of the sample it was trained on (:attr:`benchmark.association.sampling.Sample.hash`).
    cues : tuple of str
        The cues it was trained on.
    classes : False or "mixture"
        The head begins with what people say to the classes it sees (:mod:`benchmark.association.classes`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    encoder: Encoder
    started_from: str
    preprocessing: Preprocessing
    loss: Loss
    norms: str
    norms_sha256: str
    manifest_sha256: str
    cues: tuple[str, ...]
    classes: Literal[False, "mixture"] = False


def write_checkpoint(
    path: Path, network: nn.Module, vocabulary: tuple[str, ...], record: TrainingRecord
) -> None:
    """Write ``path``, a safetensors file, whole or not at all."""
    state = {key: value.contiguous() for key, value in network.state_dict().items()}
    metadata = {"vocabulary": json.dumps(vocabulary), _ABOUT: record.model_dump_json()}
    write_atomic(path, save(state, metadata))


def read_vocabulary(path: Path) -> tuple[str, ...]:
    """The responses of a checkpoint, in the order of its outputs.

    Raises
    ------
    BenchError
        If the file has no vocabulary, or one that names a word twice.
    """
    words = _metadata(path).get("vocabulary")
    try:
        found = json.loads(words) if words is not None else None
    except ValueError:
        found = None
    if not isinstance(found, list) or not found or not all(isinstance(word, str) for word in found):
        raise BenchError(f"{path}: no vocabulary (a JSON list of words) in the metadata of the file")
    if len(set(found)) != len(found):
        raise BenchError(f"{path}: the vocabulary in the metadata names a word twice")
    return tuple(found)


def read_record(path: Path) -> TrainingRecord | None:
    """What the file says it is; None: it was not written by :func:`write_checkpoint`.

    Raises
    ------
    BenchError
        If what it says cannot be read.
    """
    text = _metadata(path).get(_ABOUT)
    if text is None:
        return None
    try:
        return TrainingRecord.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise BenchError(f"{path}: metadata {_ABOUT}.{place}: {first['msg']}; train it again") from error


def _metadata(path: Path) -> dict[str, str]:
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise BenchError(f"{path}: not a safetensors file ({error})") from error
