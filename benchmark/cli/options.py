"""What the verbs of ``bench`` share: the choices and options they offer, and how arguments are read."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from benchmark.registry import Registry


class Device(str, Enum):
    """Where networks run."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


class Format(str, Enum):
    """How ``run`` prints its results."""

    table = "table"
    json = "json"


class Listing(str, Enum):
    """How a list is printed."""

    table = "table"
    csv = "csv"


class RDMFormat(str, Enum):
    """How an RDM is written."""

    npy = "npy"
    csv = "csv"
    rsatoolbox = "rsatoolbox"


class By(str, Enum):
    """What a row of an RDM is."""

    stimulus = "stimulus"
    concept = "concept"


class Dissimilarity(str, Enum):
    """What an RDM is made with."""

    correlation = "correlation"
    cosine = "cosine"
    euclidean = "euclidean"
    sqeuclidean = "sqeuclidean"


class LossName(str, Enum):
    """Between an association network's outputs and strengths."""

    bce = "bce"
    softmax = "softmax"
    mse = "mse"


class PrecisionName(str, Enum):
    """Arithmetic of the forward pass."""

    no = "no"
    bf16 = "bf16"
    fp16 = "fp16"


class Kind(str, Enum):
    """What can be listed."""

    models = "models"
    tasks = "tasks"
    datasets = "datasets"
    suites = "suites"


RegistryOption = Annotated[
    list[Path] | None, typer.Option("--registry", help="Your own registry file, beside the shipped one.")
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="Data root; else $BENCH_DATA, else the user's data directory."),
]
OutputOption = Annotated[Path, typer.Option("--output", help="Folder of the results.")]


def load(registries: list[Path] | None) -> Registry:
    """The shipped registry and the user's own."""
    from benchmark.registry import load_registry

    return load_registry(tuple(registries or ()))


def split(values: list[str] | None) -> list[str]:
    """``--model a,b --model c`` is a, b and c."""
    return [name.strip() for value in values or () for name in value.split(",") if name.strip()]


def device_name(device: Device) -> str:
    """The device asked for; one that is not here is refused, and ``auto`` is resolved when a network runs."""
    if device is Device.auto:
        return str(device.value)
    from benchmark.extraction.devices import resolve_device

    return resolve_device(device.value)
