"""The encoder that training starts from: a registered model, a network of a library, or a checkpoint."""

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
from benchmark.extraction import LibraryNetwork, NetworkModel, Preprocessing
from benchmark.model import ModelSpec
from benchmark.registry import Registry, load_plugin, parse_model_name, resolve_checkpoint, shipped_root

#: By the part of ``--from`` before the colon: the plug-in, and its parameter that takes the name
_LIBRARIES = {
    "taskonomy": ("models/taskonomy.py:Taskonomy", "feature"),
    "timm": ("models/timm_models.py:Timm", "architecture"),
    "torchvision": ("models/torchvision_models.py:Torchvision", "architecture"),
}

#: The encoder of the paper; checkpoints without a description have this encoder
TASKONOMY = Encoder(plugin="models/taskonomy.py:Taskonomy", params={"feature": "class_object"})


@dataclass(frozen=True)
class Start:
    """What training starts from.

    Attributes
    ----------
    name : str
        Value of ``--from``.
    model : NetworkModel
        The network with its weights and its preprocessing.
    encoder : Encoder
        The architecture, so that it can be built again.
    untrained : bool
        Whether the weights are random.
    checkpoint : Path or None
        File of an association network whose encoder and head are the start; None: there is no such file.
    """

    name: str
    model: NetworkModel
    encoder: Encoder
    untrained: bool = False
    checkpoint: Path | None = None


def find_start(text: str, registry: Registry, data: Path) -> Start:
    """Find the model that ``--from`` names.

    Parameters
    ----------
    text : str
        Name of a registered network, ``taskonomy:FEATURE``, ``timm:NAME.TAG`` or
        ``torchvision:NAME.WEIGHTS``, each with ``@untrained:SEED`` for random weights; or a checkpoint that
        ``bench train`` wrote.
    registry : Registry
        The shipped registry and the user's own.
    data : Path
        The data root, which may hold the checkpoints of registered models.

    Returns
    -------
    Start

    Raises
    ------
    BenchError
        If there is no such model, library or file, or the weights are not available.
    """
    path = Path(text).expanduser()
    if path.suffix == ".safetensors":
        return _from_file(path)
    model_name = parse_model_name(text)
    library, _, name = model_name.name.partition(":")
    if name:
        return _from_library(text, library, name, model_name.untrained)
    placed = registry.model(text, "human" if "human" in registry.suites else None)
    checkpoint = resolve_checkpoint(placed.entry, placed.base, data, cache_folder())
    entry = placed.entry
    spec = ModelSpec(
        name=text,
        params=entry.params,
        weights=checkpoint.path,
        hub=checkpoint.hub,
        untrained=checkpoint.untrained,
        settings_of=checkpoint.settings_of,
        data=data,
    )
    model = _network(placed.load()(spec), text)
    encoder = _portable_encoder(entry.plugin, _own_params(model), placed.base)
    return Start(text, model, encoder, checkpoint.untrained is not None)


def build_encoder_model(encoder: Encoder, seed: int = 0) -> NetworkModel:
    """Load the plug-in of an encoder, with random weights that are replaced later.

    Parameters
    ----------
    encoder : Encoder
        The architecture.
    seed : int
        Seed of the random weights.

    Raises
    ------
    UsageError
        If the plug-in is not a network.
    """
    model = load_plugin(encoder.plugin, shipped_root())(ModelSpec("encoder", encoder.params, untrained=seed))
    return _network(model, encoder.plugin)


def trained_preprocessing(model: NetworkModel, size: int | None) -> Preprocessing:
    """Preprocessing for the training: the normalisation of a model, at a size of one's choice.

    If the preprocessing of the model is a :class:`benchmark.extraction.Preprocessing`, its ratio of resized
    side to crop is kept, and so is its way of resizing. Else the ratio is 8 / 7.

    Parameters
    ----------
    model : NetworkModel
        The plug-in of the encoder.
    size : int or None
        Side, in pixels, of the square that the network gets; None: the side that the preprocessing of the
        model gives.
    """
    transform = getattr(model, "transform", None)
    mean, std, side = _probe(model)
    size = size or side
    margin = 8 / 7
    squash = False
    if isinstance(transform, Preprocessing):
        squash = not isinstance(transform.resize, int)
        resized = transform.resize if isinstance(transform.resize, int) else transform.resize[0]
        cropped = transform.crop if isinstance(transform.crop, int) else resized
        margin = resized / cropped
    resize = round(size * margin)
    return Preprocessing(resize=(resize, resize) if squash else resize, crop=size, mean=mean, std=std)


def _probe(model: NetworkModel) -> tuple[tuple[float, float, float], tuple[float, float, float], int]:
    """Channel means, standard deviations and input size of a preprocessing that ends with a normalisation.

    They are computed from a black image, which becomes -mean / std, and from a white image, which becomes
    (1 - mean) / std.
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
    loaded = load_plugin(plugin, shipped_root())(ModelSpec(text, params, hub=hub, untrained=untrained))
    model = _network(loaded, text)
    encoder = Encoder(plugin=plugin, params=_own_params(model))
    return Start(text, model, encoder, untrained is not None)


def _own_params(model: NetworkModel) -> dict[str, Any]:
    """Params that hold the settings of the weights too, since an encoder is built again without them."""
    return model.own_params if isinstance(model, LibraryNetwork) else dict(model.spec.params)


def _first_weights(library: str, architecture: str) -> str:
    """Name of the default weights of an architecture in a library."""
    if library == "torchvision":
        import torchvision

        try:
            return str(next(iter(torchvision.models.get_model_weights(architecture))).name)
        except ValueError as error:
            raise UsageError(f"--from torchvision:{architecture}: {error}") from error
    import timm

    tags = [name.partition(".")[2] for name in timm.list_pretrained(f"{architecture}.*")]
    if not tags:
        raise UsageError(f"--from timm:{architecture}: timm has no weights for it")
    return tags[0]


def _portable_encoder(plugin: str, params: Mapping[str, Any], base: Path) -> Encoder:
    """The encoder, with the absolute path of its plug-in if the plug-in is not shipped."""
    file_name, _, class_name = plugin.rpartition(":")
    file = base / file_name
    if file.is_file() and base.resolve() != shipped_root().resolve():
        plugin = f"{file.resolve()}:{class_name}"
    return Encoder(plugin=plugin, params=dict(params))


def _network(model: object, text: str) -> NetworkModel:
    if not isinstance(model, NetworkModel):
        raise UsageError(f"--from {text}: not a network that can be trained; name a model that is a network")
    return model
