"""Training of the head alone, on the features of a frozen encoder."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from benchmark.association.checkpoint import Loss
from benchmark.association.images import DecodedImages
from benchmark.association.recipe import Recipe, cosine, logits_of, loss_sum

#: Number of images in a training step of the head
_BATCH = 256
#: Number of images that are encoded at once
_ENCODED = 64


@dataclass(frozen=True)
class Features:
    """Features of some images.

    Attributes
    ----------
    values : Tensor, shape (n, d)
        Features of each image.
    cues : Tensor of int, shape (n,)
        Row of the cue of each image among the targets.
    """

    values: torch.Tensor
    cues: torch.Tensor


def encode(
    encoder: nn.Module,
    images: DecodedImages,
    rows: np.ndarray,
    cues: torch.Tensor,
    device: torch.device,
    *,
    mirrored: bool = False,
) -> Features:
    """Flattened features of some images.

    Parameters
    ----------
    encoder : Module
        Images (b, 3, h, w) to features. It is on ``device``.
    images : DecodedImages
        All images.
    rows : ndarray of int
        Rows of ``images`` to encode.
    cues : Tensor of int
        Row of the cue of each of all images among the targets.
    device : device
        Device that the images are moved to.
    mirrored : bool
        Whether the mirror images are encoded too. Their features come after those of the images.
    """
    was_training = encoder.training
    encoder.eval()
    batches = []
    with torch.inference_mode():
        for part in np.array_split(rows, max(1, -(-len(rows) // _ENCODED))):
            plain = images.plain(part).to(device)
            views = (plain, plain.flip(3)) if mirrored else (plain,)
            batches += [encoder(view).flatten(1).float().cpu() for view in views]
    encoder.train(was_training)
    count = len(views)
    values = torch.cat([part for view in range(count) for part in batches[view::count]])
    # the clone is not an inference tensor: the head can be trained on it
    return Features(values.clone(), cues[torch.from_numpy(rows)].repeat(count))


def constant_head(features: int, loss: Loss, mean: torch.Tensor) -> nn.Linear:
    """Build a linear head that gives the same profile for all features.

    Parameters
    ----------
    features : int
        Number d of features.
    loss : {"bce", "softmax", "mse"}
        It decides how strengths become logits.
    mean : Tensor, shape (v,)
        The profile that the head gives: the mean profile.
    """
    head = nn.Linear(features, len(mean))
    nn.init.zeros_(head.weight)
    with torch.no_grad():
        head.bias.copy_(logits_of(loss, mean))
    return head


def fit_head(
    head: nn.Module, train: Features, validation: Features, strengths: torch.Tensor, recipe: Recipe
) -> list[dict[str, float]]:
    """Train a head on standardised features, in place.

    The training starts from the weights of ``head``. The weights of the epoch with the least validation loss
    are kept. At the end the standardisation is built into these weights, so that the head reads features that
    are not standardised.

    Parameters
    ----------
    head : Module
        Features (n, d) to logits (n, v). Every linear map in it reads the features.
    train, validation : Features
        Features of the training and of the validation images. If there is no validation image, the weights of
        the last epoch are kept.
    strengths : Tensor, shape (cues, v)
        Strengths of the responses to each cue.
    recipe : Recipe
        Settings. Used are ``warmup_epochs``, ``head_rate``, ``weight_decay``, ``loss`` and ``seed``.

    Returns
    -------
    list of dict
        For each epoch "train_loss" and "validation_loss", means over images.
    """
    mean, spread = train.values.mean(0), train.values.std(0, unbiased=False)
    spread = torch.where(spread > 1e-6 * train.values.abs().amax(0), spread, torch.inf)
    values, validation_values = (train.values - mean) / spread, (validation.values - mean) / spread
    fitted = copy.deepcopy(head)
    _for_standardised(fitted, mean, spread)
    optimiser = torch.optim.AdamW(fitted.parameters(), recipe.head_rate, weight_decay=recipe.weight_decay)
    best, least = None, float("inf")
    curve = []
    steps = recipe.warmup_epochs * -(-len(values) // _BATCH)
    step = 0
    for epoch in range(recipe.warmup_epochs):
        order = torch.from_numpy(np.random.default_rng((recipe.seed, epoch)).permutation(len(values)))
        total = 0.0
        for rows in torch.split(order, _BATCH):
            optimiser.param_groups[0]["lr"] = recipe.head_rate * cosine(step, steps)
            loss = loss_sum(recipe.loss, fitted(values[rows]), strengths[train.cues[rows]])
            optimiser.zero_grad()
            (loss / len(rows)).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            total += loss.item()
            step += 1
        with torch.no_grad():
            validation_loss = loss_sum(
                recipe.loss, fitted(validation_values), strengths[validation.cues]
            ).item()
        validation_loss = validation_loss / len(validation_values) if len(validation_values) else float("nan")
        curve.append({"train_loss": total / len(values), "validation_loss": validation_loss})
        if validation_loss < least or best is None or not len(validation_values):
            least, best = validation_loss, copy.deepcopy(fitted.state_dict())
    fitted.load_state_dict(best or fitted.state_dict())
    _for_plain(fitted, mean, spread)
    head.load_state_dict(fitted.state_dict())
    return curve


def _for_standardised(head: nn.Module, mean: torch.Tensor, spread: torch.Tensor) -> None:
    """Change the linear maps of a head so that it gives the same logits for (features - mean) / spread."""
    with torch.no_grad():
        for linear in _linear_maps(head):
            linear.bias.add_(linear.weight @ mean)
            linear.weight.copy_(torch.where(spread.isinf(), 0, linear.weight * spread))


def _for_plain(head: nn.Module, mean: torch.Tensor, spread: torch.Tensor) -> None:
    """Undo :func:`_for_standardised`."""
    with torch.no_grad():
        for linear in _linear_maps(head):
            linear.weight.div_(spread)
            linear.bias.sub_(linear.weight @ mean)


def _linear_maps(head: nn.Module) -> list[nn.Linear]:
    return [module for module in head.modules() if isinstance(module, nn.Linear)]
