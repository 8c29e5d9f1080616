"""The first axis is the stimuli, and what is taken for the class token is one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np
import torch

from benchmark.checks.check import Check, Status, Subject, some
from benchmark.extraction import LibraryNetwork, NetworkModel
from benchmark.extraction.capture import INPUT

NAME = "token axis"

Shapes = dict[str, tuple[int, ...]]


def check(subject: Subject) -> list[Check]:
    """Look at the raw activations of batches of two and of three random images.

    An axis whose length is two and then three is that of the stimuli. What a class token and registers are is
    seen where tokens enter the first block: there they are the same for every image, and patches are not.
    """
    model = subject.model
    if not isinstance(model, NetworkModel):
        return []
    paths = {layer: model.path_of(layer) for layer in model.layers[:-1]}
    two, _ = _passed(subject, model, paths, 2)
    three, entering = _passed(subject, model, paths, 3)
    turned = [
        f"{layer} gives {three[layer]} for 3 stimuli: they are axis {axes[0] if axes else '?'}, not 0"
        for layer in three
        if (axes := _stimulus_axes(two.get(layer), three[layer])) != [0]
    ]
    if turned:
        return [Check(NAME, Status.failed, some(turned, 2))]
    sequences = [layer for layer, shape in three.items() if len(shape) == 3]
    if not sequences:
        return [Check(NAME, Status.passed, f"stimuli come first in all {len(three)} layers; none has tokens")]
    found = [Check(NAME, Status.passed, f"stimuli come first; {len(sequences)} layers have tokens")]
    return found if entering is None else [*found, _class_token(model, entering)]


def _stimulus_axes(two: tuple[int, ...] | None, three: tuple[int, ...]) -> list[int]:
    if two is None or len(two) != len(three):
        return []
    return [axis for axis, lengths in enumerate(zip(two, three, strict=True)) if lengths == (2, 3)]


def _passed(
    subject: Subject, model: NetworkModel, paths: Mapping[str, str], n: int
) -> tuple[Shapes, torch.Tensor | None]:
    """Shape of each layer's activation for ``n`` images; and what enters the first block of tokens."""
    shapes: Shapes = {}
    entered: dict[str, torch.Tensor] = {}

    def record(layer: str, activation: Any) -> None:
        if isinstance(activation, torch.Tensor):
            shapes.setdefault(layer, tuple(activation.shape))

    def enter(layer: str, _module: object, inputs: Any) -> None:
        if inputs and isinstance(inputs[0], torch.Tensor) and inputs[0].ndim == 3:
            entered.setdefault(layer, inputs[0].detach().cpu())

    network = model.network.to(subject.device)
    with ExitStack() as hooks, torch.inference_mode():
        for layer, path in paths.items():
            module = network.get_submodule(path.removesuffix(INPUT))
            hooks.callback(module.register_forward_pre_hook(partial(enter, layer)).remove)
            if path.endswith(INPUT):
                hook = module.register_forward_pre_hook(lambda _m, i, layer=layer: record(layer, i[0]))
            else:
                hook = module.register_forward_hook(lambda _m, _i, out, layer=layer: record(layer, out))
            hooks.callback(hook.remove)
        model.forward(_noise(model, subject, n).to(subject.device))
    first = next((entered[layer] for layer in paths if layer in entered and len(shapes[layer]) == 3), None)
    return shapes, first


def _noise(model: NetworkModel, subject: Subject, n: int) -> torch.Tensor:
    """Random images of the network's own size, of which every patch differs."""
    shape = model.preprocess(subject.stimuli.image(0)).shape
    return torch.from_numpy(np.random.default_rng(0).normal(size=(n, *shape)).astype(np.float32))


def _class_token(model: NetworkModel, entering: torch.Tensor) -> Check:
    """Hold the tokens that do not depend on the image to what the plug-in takes them for."""
    alike = (entering == entering[:1]).all(dim=2).all(dim=0).tolist()
    leading = alike.index(False) if False in alike else len(alike)
    what = f"{leading} of {len(alike)} tokens lead that no image has changed yet"
    declared = model.prefix_tokens if isinstance(model, LibraryNetwork) else None
    takes_first = model.pooling == "cls" or (bool(declared) and "pooling" not in model.spec.params)
    name = "class token"
    if takes_first and leading == 0:
        return Check(name, Status.failed, "token 0 is a patch, and it is taken for the class token")
    if declared is not None and declared != leading:
        return Check(name, Status.failed, f"{what}; {declared} are taken for class token and registers")
    if leading and not takes_first:
        return Check(name, Status.note, f"{what}: class token and registers are pooled with the patches")
    return Check(name, Status.passed, f"{what}" + ("; token 0 is the class token" if leading else ""))
