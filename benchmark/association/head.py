"""The head alone, fitted to the features of a frozen encoder."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from benchmark.association.checkpoint import Loss
from benchmark.association.images import DecodedImages
from benchmark.association.recipe import Recipe, cosine, logits_of, loss_sum

#: Images a step of the head, and images encoded at once
_BATCH = 256
_ENCODED = 64


@dataclass(frozen=True)
class Features:
    """Features (n, d) of an encoder for some images, and the row of each one's cue among the targets."""

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
    """Flattened features of ``rows`` of the images; ``mirrored``: of each one's mirror image too."""
    was_training = encoder.training
    encoder.eval()
    found = []
    with torch.inference_mode():
        for part in np.array_split(rows, max(1, -(-len(rows) // _ENCODED))):
            plain = images.plain(part).to(device)
            views = (plain, plain.flip(3)) if mirrored else (plain,)
            found += [encoder(view).flatten(1).float().cpu() for view in views]
    encoder.train(was_training)
    count = len(views)
    values = torch.cat([part for view in range(count) for part in found[view::count]])
    # the clone is no inference tensor, so that the head can be trained on it
    return Features(values.clone(), cues[torch.from_numpy(rows)].repeat(count))


def constant_head(features: int, loss: Loss, mean: torch.Tensor) -> nn.Linear:
    """A linear head that says the mean profile (v,), whatever it reads."""
    head = nn.Linear(features, len(mean))
    nn.init.zeros_(head.weight)
    with torch.no_grad():
        head.bias.copy_(logits_of(loss, mean))
    return head


def fit_head(
    head: nn.Module, train: Features, validation: Features, strengths: torch.Tensor, recipe: Recipe
) -> list[dict[str, float]]:
    """Fit a head to standardised features and the strengths of each image's cue, in place.

    Begins with the weights there are. Those of the epoch with the least validation loss are kept, and
    written for features as they are, with the standardisation taken in.

    Parameters
    ----------
    head : Module
        Features (n, d) to logits (n, v); every linear map in it reads the features.
    train, validation : Features
        Without a validation image the last epoch is kept.
    strengths : Tensor, shape (cues, v)
    recipe : Recipe
        ``warmup_epochs``, ``head_rate``, ``weight_decay``, ``loss``, ``seed``.

    Returns
    -------
    list of dict
        By epoch: "train_loss" and "validation_loss", a mean over images.
    """
    mean, spread = train.values.mean(0), train.values.std(0, unbiased=False)
    spread = torch.where(spread > 1e-6 * train.values.abs().amax(0), spread, torch.inf)
    values, checked = (train.values - mean) / spread, (validation.values - mean) / spread
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
            found = loss_sum(recipe.loss, fitted(checked), strengths[validation.cues]).item()
        found = found / len(checked) if len(checked) else float("nan")
        curve.append({"train_loss": total / len(values), "validation_loss": found})
        if found < least or best is None or not len(checked):
            least, best = found, copy.deepcopy(fitted.state_dict())
    fitted.load_state_dict(best or fitted.state_dict())
    _for_plain(fitted, mean, spread)
    head.load_state_dict(fitted.state_dict())
    return curve


def _for_standardised(head: nn.Module, mean: torch.Tensor, spread: torch.Tensor) -> None:
    """Rewrite the linear maps of a head for (features - mean) / spread; it says the same."""
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
