"""The file of a trained association network: the weights, with a description of the network as metadata."""

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

#: Key of the description in the metadata; the other key is "vocabulary"
_RECORD_KEY = "association"

Loss = Literal["bce", "softmax", "mse"]


class Encoder(BaseModel):
    """Architecture of an encoder: a plug-in, shipped or named by a registry file, and its params."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    plugin: str
    params: dict[str, Any] = {}


class TrainingRecord(BaseModel):
    """Description of a checkpoint.

    Attributes
    ----------
    encoder : Encoder
        The architecture that the weights are loaded into.
    started_from : str
        Value of ``--from``.
    preprocessing : Preprocessing
        Preprocessing of the images that it was trained on.
    loss : {"bce", "softmax", "mse"}
        Loss of the training. It decides how logits become strengths: by a sigmoid (bce), by a softmax
        (softmax), or unchanged (mse).
    norms, norms_sha256 : str
        Name and hash of the norms that it was trained on.
    manifest_sha256 : str
        Hash of the sample of images (:attr:`benchmark.association.sampling.Sample.hash`).
    cues : tuple of str
        The cues it was trained on.
    classes : False or "mixture"
        Whether the head mixes what people say to the classes it sees (:mod:`benchmark.association.classes`).
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
    """Write a checkpoint as a safetensors file. The file is complete, or it is not written at all.

    Parameters
    ----------
    path : Path
        The file to write.
    network : Module
        The trained network.
    vocabulary : tuple of str
        The responses, in the order of the outputs.
    record : TrainingRecord
        Description that goes into the metadata.
    """
    state = {key: value.contiguous() for key, value in network.state_dict().items()}
    metadata = {"vocabulary": json.dumps(vocabulary), _RECORD_KEY: record.model_dump_json()}
    write_atomic(path, save(state, metadata))


def read_vocabulary(path: Path) -> tuple[str, ...]:
    """Read the responses of the checkpoint ``path``, in the order of its outputs.

    Raises
    ------
    BenchError
        If the file has no vocabulary, or a vocabulary that contains a word twice.
    """
    words = _metadata(path).get("vocabulary")
    try:
        vocabulary = json.loads(words) if words is not None else None
    except ValueError:
        vocabulary = None
    if (
        not isinstance(vocabulary, list)
        or not vocabulary
        or not all(isinstance(word, str) for word in vocabulary)
    ):
        raise BenchError(f"{path}: the metadata of the file hold no vocabulary (a JSON list of words)")
    if len(set(vocabulary)) != len(vocabulary):
        raise BenchError(f"{path}: the vocabulary in the metadata contains a word twice")
    return tuple(vocabulary)


def read_record(path: Path) -> TrainingRecord | None:
    """Read the description in the checkpoint ``path``; None: :func:`write_checkpoint` did not write the file.

    Raises
    ------
    BenchError
        If the description cannot be read.
    """
    text = _metadata(path).get(_RECORD_KEY)
    if text is None:
        return None
    try:
        return TrainingRecord.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise BenchError(f"{path}: metadata {_RECORD_KEY}.{place}: {first['msg']}; train it again") from error


def _metadata(path: Path) -> dict[str, str]:
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise BenchError(f"{path}: not a safetensors file ({error})") from error
