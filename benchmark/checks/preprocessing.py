"""The model must prepare an image as the network's own library prepares it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import torch
from PIL import Image

from benchmark.checks.check import Candidate, Check, Status, error_line
from benchmark.common.errors import BenchError, DataError, NotPossible, UsageError, plugin_border
from benchmark.extraction import LibraryNetwork, NetworkModel, Transform

NAME = "preprocessing"

#: For values of about -2 to 2. Rounding stays below it; another resize or other statistics do not.
TOLERANCE = 1e-3

#: Standard deviations of a channel, and distance of its mean from 0 in standard deviations, beyond which it
#: is plainly wrong. Pixels from 0 to 1 have about .25, pixels from 0 to 255 about 60, and a distance of 2.
NARROWEST, WIDEST, FARTHEST = 0.02, 200.0, 20.0

_SIZES = ((320, 260), (200, 300), (64, 64))


def check(candidate: Candidate) -> list[Check]:
    """Compare the tensors of a few images with the library's tensors, and with each other.

    Parameters
    ----------
    candidate : Candidate

    Returns
    -------
    list of Check
    """
    model = candidate.model
    if not isinstance(model, NetworkModel):
        return [Check(NAME, Status.skipped, f"the plug-in does its own: {model.preprocessing}")]
    images = [_image(*size) for size in _SIZES]
    try:
        with plugin_border():
            tensors = [model.preprocess(image) for image in images]
    except (DataError, NotPossible, UsageError) as error:  # the model says which images it takes
        return [Check(NAME, Status.note, error_line(error))]
    except Exception as error:  # a plug-in may raise anything
        return [Check(NAME, Status.failed, error_line(error))]
    fault = _fault(tensors)
    if fault is not None:
        return [Check(NAME, Status.failed, fault)]
    return [_compare(candidate, model, images, tensors)]


def _fault(tensors: list[torch.Tensor]) -> str | None:
    """What is wrong with the tensors, whatever the library does; None: nothing."""
    shapes = {tuple(tensor.shape) for tensor in tensors}
    if any(tensor.ndim != 3 or tensor.dtype != torch.float32 for tensor in tensors):
        first = tensors[0]
        return f"gives {first.dtype} of shape {tuple(first.shape)}; expected float32 of shape (c, h, w)"
    if len(shapes) > 1:
        return f"images of other sizes give other shapes ({', '.join(map(str, sorted(shapes)))}): crop them"
    if not all(torch.isfinite(tensor).all() for tensor in tensors):
        return "gives NaN or infinite values"
    return _scale_fault(tensors)


def _scale_fault(tensors: list[torch.Tensor]) -> str | None:
    """Whether the values are on a scale that no network is trained with."""
    pixels = torch.stack(tensors).transpose(0, 1).flatten(1)
    means, stds = pixels.mean(1), pixels.std(1)
    if stds.min() >= NARROWEST and stds.max() <= WIDEST and (means.abs() <= FARTHEST * stds).all():
        return None
    listed = [", ".join(f"{value:.3g}" for value in values) for values in (means, stds)]
    return (
        f"the channels of photos have means {listed[0]} and standard deviations {listed[1]}: no network is "
        "trained so; mean and std are on the scale of pixels from 0 to 1"
    )


def _compare(
    candidate: Candidate, model: NetworkModel, images: list[Image.Image], tensors: list[torch.Tensor]
) -> Check:
    try:
        library, known = _reference(model)
    except BenchError as error:
        return Check(NAME, Status.failed, str(error))
    if not known:
        return Check(NAME, Status.note, f"no library to compare with; the plug-in does {model.preprocessing}")
    differences = {}
    for weights, transform in known.items():
        theirs = [transform(image) for image in images]
        differences[weights] = _difference(tensors, theirs)
        if differences[weights] is None:
            return Check(NAME, Status.passed, f"as {library} has it for {weights}: {model.preprocessing}")
    weights, difference = next(iter(differences.items()))
    fault = f"not as {library} has it for {weights}: {difference}"
    if isinstance(model.spec.params.get("preprocessing"), Mapping):
        return Check(NAME, Status.note, f"{fault}; the entry spells out its own, so it is meant")
    if candidate.in_memory:
        return Check(NAME, Status.note, f"{fault}; the object has its own")
    return Check(NAME, Status.failed, f"{fault}; if it is meant, spell it out in params.preprocessing")


def _difference(ours: list[torch.Tensor], theirs: list[torch.Tensor]) -> str | None:
    """How the tensors differ, in words; None: they are equal within :data:`TOLERANCE`."""
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
    """The library of the network, and its transforms by the name of the weights."""
    network = model.network
    for library, find in (("timm", _timm), ("open_clip", _open_clip), ("torchvision", _torchvision)):
        known = find(model, network)
        if known:
            return library, known
    return "", {}


def _named(model: NetworkModel) -> str | None:
    """The weights whose preprocessing the model must have, if they are named."""
    if isinstance(model, LibraryNetwork):
        return model.named_weights
    preprocessing = model.spec.params.get("preprocessing")
    return model.spec.hub or (preprocessing if isinstance(preprocessing, str) else None)


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
    """The transforms of the named weights; else of all weights of the network's module."""
    module = type(network).__module__
    if not module.startswith("torchvision.models."):
        return {}
    from torchvision import models

    names = [name for name in models.list_models(module=models) if _built_in(models, name, module)]
    architecture = model.params.architecture if isinstance(model, LibraryNetwork) else None
    known: dict[str, Transform] = {}
    for name in [architecture] if architecture in names else names:
        for weights in models.get_model_weights(name):
            known[f"{name} {weights.name}"] = cast("Transform", weights.transforms())
    chosen = f"{architecture} {_named(model)}"
    return {chosen: known[chosen]} if chosen in known else known


def _built_in(models: Any, name: str, module: str) -> bool:
    builder: Callable[..., object] = models.get_model_builder(name)
    return builder.__module__ == module


def _image(width: int, height: int) -> Image.Image:
    """An image with large shapes and fine grain: another crop or another resize changes its tensor."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width]
    waves = np.stack([np.sin(x / 17), np.cos(y / 23), np.sin((x + y) / 31)], axis=-1)
    grain = rng.normal(size=(height, width, 3))
    return Image.fromarray(np.uint8(np.clip(128 + 70 * waves + 25 * grain, 0, 255)))
