"""The head alone: a linear map fitted to the features of a frozen encoder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from benchmark.association.images import DecodedImages
from benchmark.association.recipe import Recipe, cosine, first_bias, loss_sum

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


def fit_head(
    head: nn.Linear, train: Features, validation: Features, strengths: torch.Tensor, recipe: Recipe
) -> list[dict[str, float]]:
    """Fit a linear map from standardised features to the strengths of each image's cue, in place.

    Begins with the mean profile. The weights of the epoch with the least validation loss are kept, and
    written for features as they are, with the standardisation taken in.

    Parameters
    ----------
    head : Linear
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
    linear = nn.Linear(head.in_features, head.out_features)
    with torch.no_grad():
        linear.weight.zero_()
        linear.bias.copy_(first_bias(recipe.loss, strengths[train.cues]))
    optimiser = torch.optim.AdamW(linear.parameters(), recipe.head_rate, weight_decay=recipe.weight_decay)
    best, least = None, float("inf")
    curve = []
    steps = recipe.warmup_epochs * -(-len(values) // _BATCH)
    step = 0
    for epoch in range(recipe.warmup_epochs):
        order = torch.from_numpy(np.random.default_rng((recipe.seed, epoch)).permutation(len(values)))
        total = 0.0
        for rows in torch.split(order, _BATCH):
            optimiser.param_groups[0]["lr"] = recipe.head_rate * cosine(step, steps)
            loss = loss_sum(recipe.loss, linear(values[rows]), strengths[train.cues[rows]])
            optimiser.zero_grad()
            (loss / len(rows)).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            total += loss.item()
            step += 1
        with torch.no_grad():
            found = loss_sum(recipe.loss, linear(checked), strengths[validation.cues]).item()
        found = found / len(checked) if len(checked) else float("nan")
        curve.append({"train_loss": total / len(values), "validation_loss": found})
        if found < least or best is None or not len(checked):
            least, best = found, {key: value.clone() for key, value in linear.state_dict().items()}
    linear.load_state_dict(best or linear.state_dict())
    with torch.no_grad():
        head.weight.copy_(linear.weight / spread)
        head.bias.copy_(linear.bias - (linear.weight / spread) @ mean)
    return curve
