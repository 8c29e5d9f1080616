"""The statistics of batch normalisation must be those of images as the network gets them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import torch
from PIL import Image
from torch.nn.modules.batchnorm import _BatchNorm

from benchmark.checks.check import Candidate, Check, Status
from benchmark.common.errors import BenchError
from benchmark.extraction import NetworkModel
from benchmark.runner.session import Session

NAME = "batch normalisation"

#: Stimulus sets for the statistics: photographs, then drawings. The one that fits better counts.
SETS = ("imagenet_sample", "mini_images")

#: Number of images, and of layers of batch normalisation, the first ones that are called
_IMAGES, _LAYERS = 16, 3

#: In EfficientNet-Lite0 and the networks of the drawn world: right ones .1 to .2, wrong ones .7 and more
FITS, MISFIT = 0.35, 0.6

_HALF, _UNIT, _BYTE = (0.5, 0.5, 0.5), (1.0, 1.0, 1.0), (1 / 255, 1 / 255, 1 / 255)
_IMAGENET = (0.485, 0.456, 0.406)
_CLIP = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)

#: Mean and standard deviation of the channels R, G and B on the scale 0 to 1
NORMALISATIONS = {
    "mean and std of ImageNet": (_IMAGENET, (0.229, 0.224, 0.225)),
    "mean and std of CLIP": _CLIP,
    "mean and std 0.5": (_HALF, _HALF),
    "pixels from 0 to 1": ((0.0, 0.0, 0.0), _UNIT),
    "pixels from 0 to 255": ((0.0, 0.0, 0.0), _BYTE),
    "pixels from 0 to 255 less the mean of ImageNet": (_IMAGENET, _BYTE),
}
REVERSED = "channels in reverse order"

Change = Callable[[torch.Tensor], torch.Tensor]


def other_pixels(model: NetworkModel, image: Image.Image) -> dict[str, Change]:
    """By name, functions from a batch as the model has it to the batch with another normalisation or order.

    The model's own normalisation is read off images of one colour. It is left out.

    Parameters
    ----------
    model : NetworkModel
    image : Image
        An image that the model takes; only its size is used.

    Returns
    -------
    dict of str to callable
        Empty if the preprocessing does not map each channel of a pixel by a linear function.
    """
    black, grey, white = (_plain(model, image, level) for level in (0, 51, 255))
    if black is None or grey is None or white is None or len(black) != 3:
        return {}
    scale = white - black
    if not scale.abs().min() > 0 or not torch.allclose(grey, black + 0.2 * scale, rtol=1e-3, atol=1e-4):
        return {}

    def change(to_black: torch.Tensor, to_scale: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
        return (batch - black) / scale * to_scale + to_black

    changes: dict[str, Change] = {REVERSED: lambda batch: ((batch - black) / scale).flip(1) * scale + black}
    for name, statistics in NORMALISATIONS.items():
        mean, std = (torch.tensor(values)[:, None, None] for values in statistics)
        if not torch.allclose(scale * std, torch.ones(3, 1, 1), rtol=0.02) or not torch.allclose(
            black * std, -mean, atol=0.02
        ):
            changes[name] = partial(change, -mean / std, 1 / std)
    return changes


def _plain(model: NetworkModel, image: Image.Image, level: int) -> torch.Tensor | None:
    """What the channels of an image of one grey become, shape (c, 1, 1); None: they are not of one value."""
    tensor = model.preprocess(Image.new("RGB", image.size, (level, level, level)))
    channels = tensor.mean((1, 2), keepdim=True)
    return channels if torch.allclose(tensor, channels, rtol=1e-3, atol=1e-4) else None


class _EnoughSeenError(BaseException):
    """Ends a forward pass early. A network that catches every Exception does not catch it."""


def check(candidate: Candidate, session: Session, *, as_library: bool) -> list[Check]:
    """Compare the running mean and variance of the first layers with those of a few real images.

    Training leaves there what the network got. If the images give other values, and one of the other
    normalisations gives these, the entry has the wrong normalisation. The order of the channels hardly shows.

    Parameters
    ----------
    candidate : Candidate
    session : Session
        Gives the images.
    as_library : bool
        Whether the network's library has the same preprocessing. Then a misfit is a note.

    Returns
    -------
    list of Check
        Empty for a model that is not a torch network.
    """
    model = candidate.model
    if not isinstance(model, NetworkModel):
        return []
    why = _why_not(candidate, model)
    if why is not None:
        return [Check(NAME, Status.skipped, f"not possible: {why}")]
    own, others = _misfits(candidate, model, session)
    if own is None:
        return [Check(NAME, Status.skipped, "not possible: no images are here that the model takes")]
    return [_verdict(own, others, as_library)]


def _verdict(own: float, others: Mapping[str, float], as_library: bool) -> Check:
    measured = f"mean and variance of real images are {own:.2f} off the running statistics"
    if own <= MISFIT:
        return Check(NAME, Status.passed, f"{measured} (up to {MISFIT:g} is usual)")
    better = min(others, key=lambda name: others[name], default=None)
    if better is None or others[better] > FITS:
        return Check(
            NAME,
            Status.note,
            f"{measured}; no usual normalisation gives them, so the network saw other images in training",
        )
    said = f"{measured}, and {others[better]:.2f} with another normalisation: {better}"
    return Check(NAME, Status.note if as_library else Status.failed, said)


def _statistics(model: NetworkModel) -> list[_BatchNorm]:
    """Layers with statistics of training; in folded ones they are 0 and 1."""
    return [
        module
        for module in model.network.modules()
        if isinstance(module, _BatchNorm)
        and module.running_mean is not None
        and module.running_var is not None
        and bool(module.running_mean.any() or (module.running_var != 1).any())
    ]


def _why_not(candidate: Candidate, model: NetworkModel) -> str | None:
    if candidate.loaded.checkpoint.untrained is not None:
        return "untrained"
    if not any(isinstance(module, _BatchNorm) for module in model.network.modules()):
        return "the network has no batch normalisation"
    if not _statistics(model):
        return "the running statistics are folded into the weights, or were never set"
    return None


def _misfits(
    candidate: Candidate, model: NetworkModel, session: Session
) -> tuple[float | None, dict[str, float]]:
    """The misfit of the entry, and of each other normalisation, on the images that fit best."""
    own: list[float] = []
    others: dict[str, float] = {}
    for name in SETS:
        try:
            stimuli = session.stimuli(name)
            rows = np.linspace(0, len(stimuli) - 1, _IMAGES).astype(int)
            batch = torch.stack([model.preprocess(stimuli.image(int(i))) for i in rows])
            changes = other_pixels(model, stimuli.image(0))
        except BenchError:  # the set is not here, or the model takes no images of its size
            continue
        own.append(_misfit(candidate, model, batch))
        for change in changes:
            found = _misfit(candidate, model, changes[change](batch))
            others[change] = min(found, others.get(change, np.inf))
    return min(own, default=None), others


def _misfit(candidate: Candidate, model: NetworkModel, batch: torch.Tensor) -> float:
    """How far the statistics of ``batch`` are off the running ones, averaged over the first layers.

    Of each layer, the median over channels of two distances is taken and added: that of the means, in running
    standard deviations, and that of the logarithms of the variances.
    """
    found: list[float] = []

    def look(module: _BatchNorm, inputs: tuple[torch.Tensor, ...]) -> None:
        values = inputs[0].transpose(0, 1).flatten(1)
        mean, variance = module.running_mean, module.running_var
        if mean is None or variance is None:
            return
        shift = (values.mean(1) - mean).abs() / (variance + module.eps).sqrt()
        ratio = ((values.var(1) + module.eps) / (variance + module.eps)).log().abs()
        found.append(float(shift.median() + ratio.median()))
        if len(found) == _LAYERS:
            raise _EnoughSeenError

    model.network.to(candidate.device)
    hooks = [module.register_forward_pre_hook(look) for module in _statistics(model)]
    try:
        with torch.inference_mode():
            model.forward(batch.to(candidate.device))
    except _EnoughSeenError:
        pass
    finally:
        for hook in hooks:
            hook.remove()
    return float(np.mean(found)) if found else np.inf
