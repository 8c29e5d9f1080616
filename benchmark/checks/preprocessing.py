"""An image is prepared as the network's own library prepares it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import torch
from PIL import Image

from benchmark.checks.check import Check, Status, Subject, said
from benchmark.common.errors import BenchError, DataError, NotPossible, UsageError
from benchmark.extraction import LibraryNetwork, NetworkModel, Transform

NAME = "preprocessing"

#: Of values of about -2 to 2: what rounding costs; another resize or other statistics cost more.
TOLERANCE = 1e-3

_SIZES = ((320, 260), (200, 300), (64, 64))


def check(subject: Subject) -> list[Check]:
    """Compare the tensors of a few images with those of the library, and with one another."""
    model = subject.model
    if not isinstance(model, NetworkModel):
        return [Check(NAME, Status.skipped, f"the plug-in sees to it: {model.preprocessing}")]
    images = [_image(*size) for size in _SIZES]
    try:
        tensors = [model.preprocess(image) for image in images]
    except (DataError, NotPossible, UsageError) as error:  # it says itself which images it takes
        return [Check(NAME, Status.note, said(error))]
    except Exception as error:  # a plug-in may raise anything
        return [Check(NAME, Status.failed, said(error))]
    fault = _fault(tensors)
    if fault is not None:
        return [Check(NAME, Status.failed, fault)]
    return [_compare(model, images, tensors)]


def _fault(tensors: list[torch.Tensor]) -> str | None:
    """What no network can be shown."""
    shapes = {tuple(tensor.shape) for tensor in tensors}
    if any(tensor.ndim != 3 or tensor.dtype != torch.float32 for tensor in tensors):
        found = tensors[0]
        return f"gives {found.dtype} of shape {tuple(found.shape)}; expected float32 of shape (c, h, w)"
    if len(shapes) > 1:
        return f"images of other sizes give other shapes ({', '.join(map(str, sorted(shapes)))}): crop them"
    if not all(torch.isfinite(tensor).all() for tensor in tensors):
        return "gives NaN or infinite values"
    return None


def _compare(model: NetworkModel, images: list[Image.Image], tensors: list[torch.Tensor]) -> Check:
    try:
        library, known = _reference(model)
    except BenchError as error:
        return Check(NAME, Status.failed, str(error))
    if not known:
        return Check(NAME, Status.note, f"no library states it; the plug-in does {model.preprocessing}")
    differences = {}
    for weights, transform in known.items():
        theirs = [transform(image) for image in images]
        differences[weights] = _difference(tensors, theirs)
        if differences[weights] is None:
            return Check(NAME, Status.passed, f"as {library} has it for {weights}: {model.preprocessing}")
    weights, told = next(iter(differences.items()))
    said = f"not as {library} has it for {weights}: {told}"
    if isinstance(model.spec.params.get("preprocessing"), Mapping):
        return Check(NAME, Status.note, f"{said}; the entry spells out its own, so it is meant")
    return Check(NAME, Status.failed, f"{said}; if it is meant, spell it out in params.preprocessing")


def _difference(ours: list[torch.Tensor], theirs: list[torch.Tensor]) -> str | None:
    """How the tensors differ, in words; None: they agree."""
    if ours[0].shape != theirs[0].shape:
        return f"shape {tuple(ours[0].shape)} instead of {tuple(theirs[0].shape)}"
    greatest = max(float((a - b).abs().max()) for a, b in zip(ours, theirs, strict=True))
    if greatest <= TOLERANCE:
        return None
    means = [", ".join(f"{x:.2f}" for x in tensors[0].mean((1, 2))) for tensors in (ours, theirs)]
    stds = [", ".join(f"{x:.2f}" for x in tensors[0].std((1, 2))) for tensors in (ours, theirs)]
    return (
        f"values differ by up to {greatest:.2g} (means of the channels {means[0]} instead of {means[1]}, "
        f"standard deviations {stds[0]} instead of {stds[1]})"
    )


def _reference(model: NetworkModel) -> tuple[str, dict[str, Transform]]:
    """The library that the network comes from, and its transforms by what they are for."""
    network = model.network
    for library, find in (("timm", _timm), ("open_clip", _open_clip), ("torchvision", _torchvision)):
        known = find(model, network)
        if known:
            return library, known
    return "", {}


def _named(model: NetworkModel) -> str | None:
    """The weights whose preprocessing it must be, where the entry names them."""
    given = model.spec.params.get("preprocessing")
    return model.spec.hub or (given if isinstance(given, str) else None)


def _timm(model: NetworkModel, network: torch.nn.Module) -> dict[str, Transform]:
    config: Any = getattr(network, "pretrained_cfg", None)
    if not type(network).__module__.startswith("timm.") or not config:
        return {}
    import timm
    from timm.data.config import resolve_data_config, resolve_model_data_config
    from timm.data.transforms_factory import create_transform

    name, architecture = _named(model), str(config.get("architecture"))
    if name is not None and timm.is_model_pretrained(f"{architecture}.{name}"):
        config = cast("Any", timm.get_pretrained_cfg(f"{architecture}.{name}")).to_dict()
        data = resolve_data_config(pretrained_cfg=config)  # type: ignore[no-untyped-call]
    else:
        data = resolve_model_data_config(network)  # type: ignore[no-untyped-call]
    label = f"{architecture}.{config.get('tag') or ''}".rstrip(".")
    return {label: cast("Transform", create_transform(**data, is_training=False))}


def _open_clip(model: NetworkModel, network: torch.nn.Module) -> dict[str, Transform]:
    config: Any = getattr(network, "preprocess_cfg", None)
    if not type(network).__module__.startswith("open_clip.") or not config:
        return {}
    import open_clip
    from open_clip.transform import PreprocessCfg, image_transform_v2, merge_preprocess_dict

    name, architecture = _named(model), str(model.spec.params.get("architecture"))
    if name is not None:
        config = merge_preprocess_dict(config, open_clip.get_pretrained_cfg(architecture, name) or {})
    transform = image_transform_v2(PreprocessCfg(**config), is_train=False)
    return {f"{architecture} {name or ''}".strip(): cast("Transform", transform)}


def _torchvision(model: NetworkModel, network: torch.nn.Module) -> dict[str, Transform]:
    """Those of the weights that are named; else of all weights of the module that the network is of."""
    module = type(network).__module__
    if not module.startswith("torchvision.models."):
        return {}
    from torchvision import models

    names = [name for name in models.list_models(module=models) if _built_in(models, name, module)]
    asked = model.params.architecture if isinstance(model, LibraryNetwork) else None
    known: dict[str, Transform] = {}
    for name in [asked] if asked in names else names:
        for weights in models.get_model_weights(name):
            known[f"{name} {weights.name}"] = cast("Transform", weights.transforms())
    chosen = f"{asked} {_named(model)}"
    return {chosen: known[chosen]} if chosen in known else known


def _built_in(models: Any, name: str, module: str) -> bool:
    builder: Callable[..., object] = models.get_model_builder(name)
    return builder.__module__ == module


def _image(width: int, height: int) -> Image.Image:
    """Large shapes and fine grain, so that neither another crop nor another resize goes unseen."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width]
    waves = np.stack([np.sin(x / 17), np.cos(y / 23), np.sin((x + y) / 31)], axis=-1)
    grain = rng.normal(size=(height, width, 3))
    return Image.fromarray(np.uint8(np.clip(128 + 70 * waves + 25 * grain, 0, 255)))
