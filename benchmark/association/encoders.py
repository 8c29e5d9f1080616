"""What an association network starts from: a registered model, a network of a library, or a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from benchmark.association.checkpoint import Encoder, read_record, read_vocabulary
from benchmark.common.errors import UsageError
from benchmark.common.files import cache_folder
from benchmark.extraction import NetworkModel, Preprocessing
from benchmark.model import ModelSpec
from benchmark.registry import Registry, load_plugin, parse_model_name, resolve_checkpoint, shipped_root

#: What stands before the colon of ``--from timm:NAME.TAG``: plug-in, and the parameter that takes the name
_LIBRARIES = {
    "taskonomy": ("models/taskonomy.py:Taskonomy", "feature"),
    "timm": ("models/timm_models.py:Timm", "architecture"),
    "torchvision": ("models/torchvision_models.py:Torchvision", "architecture"),
}

#: The encoder of checkpoints that do not say which: that of the paper
TASKONOMY = Encoder(plugin="models/taskonomy.py:Taskonomy", params={"feature": "class_object"})


@dataclass(frozen=True)
class Start:
    """What training starts from.

    Attributes
    ----------
    name : str
        As it was asked for.
    model : NetworkModel
        Holds the network, with its weights in, and its preprocessing.
    encoder : Encoder
        How to build the same architecture again.
    untrained : bool
        Whether the weights are random.
    checkpoint : Path or None
        A file of an association network, whose encoder and head are taken.
    """

    name: str
    model: NetworkModel
    encoder: Encoder
    untrained: bool = False
    checkpoint: Path | None = None


def find_start(text: str, registry: Registry, data: Path) -> Start:
    """Read ``--from``.

    Parameters
    ----------
    text : str
        Name of a registered network, ``taskonomy:FEATURE``, ``timm:NAME.TAG`` or
        ``torchvision:NAME.WEIGHTS``, each with ``@untrained:SEED`` for random weights; or a checkpoint that
        ``bench train`` wrote.
    registry : Registry
    data : Path
        The data root, where checkpoints of registered models are looked for.

    Raises
    ------
    BenchError
        If there is no such thing, or its weights cannot be had.
    """
    path = Path(text).expanduser()
    if path.suffix == ".safetensors":
        return _from_file(path)
    asked = parse_model_name(text)
    library, _, name = asked.name.partition(":")
    if name:
        return _from_library(text, library, name, asked.untrained)
    placed = registry.model(text, "human" if "human" in registry.suites else None)
    found = resolve_checkpoint(placed.entry, placed.base, data, cache_folder())
    entry = placed.entry
    spec = ModelSpec(
        name=text,
        params=entry.params,
        weights=found.path,
        hub=found.hub,
        untrained=found.untrained,
        data=data,
    )
    encoder = _portable(entry.plugin, entry.params, placed.base)
    return Start(text, _network(placed.load()(spec), text), encoder, found.untrained is not None)


def build_encoder_model(encoder: Encoder, seed: int = 0) -> NetworkModel:
    """The plug-in of an encoder with random weights, for weights to be loaded into."""
    model = load_plugin(encoder.plugin, shipped_root())(ModelSpec("encoder", encoder.params, untrained=seed))
    return _network(model, encoder.plugin)


def trained_preprocessing(model: NetworkModel, size: int | None) -> Preprocessing:
    """Preprocessing to train with: the model's own normalisation, at ``size`` pixels.

    Parameters
    ----------
    model : NetworkModel
    size : int or None
        Side of the square the network is shown; None: the model's own, where it is spelled out, else the
        size its own preprocessing gives. The share that the crop leaves of the short side stays the model's.
    """
    own = getattr(model, "transform", None)
    mean, std, side = _probe(model)
    size = size or side
    margin = 8 / 7
    squash = False
    if isinstance(own, Preprocessing):
        squash = not isinstance(own.resize, int)
        resized = own.resize if isinstance(own.resize, int) else own.resize[0]
        cropped = own.crop if isinstance(own.crop, int) else resized
        margin = resized / cropped
    resize = round(size * margin)
    return Preprocessing(resize=(resize, resize) if squash else resize, crop=size, mean=mean, std=std)


def _probe(model: NetworkModel) -> tuple[tuple[float, float, float], tuple[float, float, float], int]:
    """Channel means and deviations, and the input size, of any preprocessing that ends in a normalisation.

    Black becomes -mean / std and white (1 - mean) / std.
    """
    black, white = (model.preprocess(Image.new("RGB", (64, 64), shade)) for shade in ("black", "white"))
    low, high = black.double().mean((1, 2)), white.double().mean((1, 2))
    std = 1 / (high - low)
    return _triple(-low * std), _triple(std), int(black.shape[-1])


def _triple(values: torch.Tensor) -> tuple[float, float, float]:
    first, second, third = (round(float(value), 6) for value in values)
    return first, second, third


def _from_file(path: Path) -> Start:
    if not path.is_file():
        raise UsageError(f"--from {path}: no such file")
    record = read_record(path)
    read_vocabulary(path)
    encoder = TASKONOMY if record is None else record.encoder
    return Start(str(path), build_encoder_model(encoder), encoder, checkpoint=path)


def _from_library(text: str, library: str, name: str, untrained: int | None) -> Start:
    if library not in _LIBRARIES:
        raise UsageError(f"--from {text}: unknown library {library!r}; known: {', '.join(_LIBRARIES)}")
    plugin, parameter = _LIBRARIES[library]
    architecture, _, weights = name.partition(".")
    hub = None
    if untrained is None:
        hub = name if library == "taskonomy" else weights or _first_weights(library, architecture)
    params = {parameter: name if library == "taskonomy" else architecture}
    model = load_plugin(plugin, shipped_root())(ModelSpec(text, params, hub=hub, untrained=untrained))
    return Start(text, _network(model, text), Encoder(plugin=plugin, params=params), untrained is not None)


def _first_weights(library: str, architecture: str) -> str:
    """The library's default weights of an architecture."""
    if library == "torchvision":
        import torchvision

        try:
            return str(next(iter(torchvision.models.get_model_weights(architecture))).name)
        except ValueError as error:
            raise UsageError(f"--from torchvision:{architecture}: {error}") from error
    import timm

    tags = [full.partition(".")[2] for full in timm.list_pretrained(f"{architecture}.*")]
    if not tags:
        raise UsageError(f"--from timm:{architecture}: timm has no weights for it")
    return tags[0]


def _portable(plugin: str, params: Mapping[str, Any], base: Path) -> Encoder:
    """The encoder with its plug-in named so that it is found from anywhere."""
    where, _, name = plugin.rpartition(":")
    beside = base / where
    if beside.is_file() and base.resolve() != shipped_root().resolve():
        plugin = f"{beside.resolve()}:{name}"
    return Encoder(plugin=plugin, params=dict(params))


def _network(model: object, text: str) -> NetworkModel:
    if not isinstance(model, NetworkModel):
        raise UsageError(f"--from {text}: not a network that can be trained")
    return model
