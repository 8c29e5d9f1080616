"""The first axis must be the stimuli, and the token that is used as class token must be one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np
import torch

from benchmark.checks.check import Candidate, Check, Status, first_few
from benchmark.extraction import LibraryNetwork, NetworkModel
from benchmark.extraction.capture import INPUT
from benchmark.extraction.tokens import leading_alike

NAME = "token axis"

Shapes = dict[str, tuple[int, ...]]


def check(candidate: Candidate) -> list[Check]:
    """Look at the raw activations for batches of two and of three random images.

    The axis of the stimuli has length two, then three. The class token and registers show where tokens enter
    the first block: there they are the same for every image, and the tokens of patches are not.

    Parameters
    ----------
    candidate : Candidate

    Returns
    -------
    list of Check
        Empty for a model that is not a torch network.
    """
    model = candidate.model
    if not isinstance(model, NetworkModel):
        return []
    paths = {layer: model.path_of(layer) for layer in model.layers[:-1]}
    two, _ = _activations(candidate, model, paths, 2)
    three, entering = _activations(candidate, model, paths, 3)
    misplaced = [
        f"{layer} gives {three[layer]} for 3 stimuli: they are axis {axes[0] if axes else '?'}, not 0"
        for layer in three
        if (axes := _stimulus_axes(two.get(layer), three[layer])) != [0]
    ]
    if misplaced:
        return [Check(NAME, Status.failed, first_few(misplaced, 2))]
    sequences = [layer for layer, shape in three.items() if len(shape) == 3]
    if not sequences:
        return [Check(NAME, Status.passed, f"stimuli come first in all {len(three)} layers; none has tokens")]
    checks = [Check(NAME, Status.passed, f"stimuli come first; {len(sequences)} layers have tokens")]
    return checks if entering is None else [*checks, _class_token(model, entering)]


def _stimulus_axes(two: tuple[int, ...] | None, three: tuple[int, ...]) -> list[int]:
    if two is None or len(two) != len(three):
        return []
    return [axis for axis, lengths in enumerate(zip(two, three, strict=True)) if lengths == (2, 3)]


def _activations(
    candidate: Candidate, model: NetworkModel, paths: Mapping[str, str], n: int
) -> tuple[Shapes, torch.Tensor | None]:
    """Shape of each layer's activation for ``n`` images, and the tokens that enter the first block."""
    shapes: Shapes = {}
    entered: dict[str, torch.Tensor] = {}

    def record(layer: str, activation: Any) -> None:
        if isinstance(activation, torch.Tensor):
            shapes.setdefault(layer, tuple(activation.shape))

    def enter(layer: str, _module: object, inputs: Any) -> None:
        if inputs and isinstance(inputs[0], torch.Tensor) and inputs[0].ndim == 3:
            entered.setdefault(layer, inputs[0].detach().cpu())

    network = model.network.to(candidate.device)
    with ExitStack() as hooks, torch.inference_mode():
        for layer, path in paths.items():
            module = network.get_submodule(path.removesuffix(INPUT))
            hooks.callback(module.register_forward_pre_hook(partial(enter, layer)).remove)
            if path.endswith(INPUT):
                hook = module.register_forward_pre_hook(lambda _m, i, layer=layer: record(layer, i[0]))
            else:
                hook = module.register_forward_hook(lambda _m, _i, out, layer=layer: record(layer, out))
            hooks.callback(hook.remove)
        model.forward(_noise(model, candidate, n).to(candidate.device))
    first = next((entered[layer] for layer in paths if layer in entered and len(shapes[layer]) == 3), None)
    return shapes, first


def _noise(model: NetworkModel, candidate: Candidate, n: int) -> torch.Tensor:
    """Random images of the network's own size; every patch differs."""
    shape = model.preprocess(candidate.stimuli.image(0)).shape
    return torch.from_numpy(np.random.default_rng(0).normal(size=(n, *shape)).astype(np.float32))


def _class_token(model: NetworkModel, entering: torch.Tensor) -> Check:
    """Compare the number of tokens that do not depend on the image with what the plug-in makes of them."""
    leading = leading_alike(entering)
    what = f"{leading} of {entering.shape[1]} tokens, at the start, are the same for every image"
    declared, reads = model.prefix_tokens, isinstance(model, LibraryNetwork)
    name = "class token"
    if model.pooling == "cls" and leading == 0:
        return Check(name, Status.failed, "token 0 is a patch, and the model uses it as class token")
    if declared is not None and declared != leading:
        return Check(name, Status.failed, f"{what}; the model declares prefix_tokens = {declared}")
    is_told_apart = model.pooling in ("cls", "patches") or (reads and "pooling" not in model.spec.params)
    if leading and not is_told_apart:
        return Check(name, Status.note, f"{what}: class token and registers are pooled with the patches")
    return Check(name, Status.passed, what)
