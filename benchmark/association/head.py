"""The head alone: a linear map fitted to the features of a frozen encoder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from benchmark.association.checkpoint import Loss
from benchmark.association.images import DecodedImages
from benchmark.association.recipe import Recipe, cosine, logits_of, loss_sum

#: Weight of the mean profile in that of a class: a response that nobody gave is not impossible
_SMOOTHING = 0.1
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


def begin_head(
    head: nn.Linear, loss: Loss, strengths: torch.Tensor, profiles: torch.Tensor | None = None
) -> None:
    """Have the head say the mean profile, whatever it reads; or, where a class is certain, that of the class.

    Parameters
    ----------
    head : Linear
        Written in place.
    loss : {"bce", "softmax", "mse"}
    strengths : Tensor, shape (n, v)
        Of the images that are trained on.
    profiles : Tensor, shape (c, v), optional
        Profiles of the classes whose probabilities are the last c things that the head reads.
    """
    mean = strengths.mean(0)
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(logits_of(loss, mean))
        if profiles is not None:
            smoothed = (profiles + _SMOOTHING * mean) / (1 + _SMOOTHING)
            head.weight[:, -len(profiles) :] = (logits_of(loss, smoothed) - head.bias).T


def fit_head(
    head: nn.Linear,
    train: Features,
    validation: Features,
    strengths: torch.Tensor,
    recipe: Recipe,
    *,
    classes: int = 0,
) -> list[dict[str, float]]:
    """Fit a linear map from standardised features to the strengths of each image's cue, in place.

    Begins with the weights there are. Those of the epoch with the least validation loss are kept, and
    written for features as they are, with the standardisation taken in.

    Parameters
    ----------
    head : Linear
    train, validation : Features
        Without a validation image the last epoch is kept.
    strengths : Tensor, shape (cues, v)
    recipe : Recipe
        ``warmup_epochs``, ``head_rate``, ``weight_decay``, ``loss``, ``seed``.
    classes : int
        So many of the last columns are class probabilities, which are not standardised: most are all but
        zero in every image, and a step in units of their spread would be a leap.

    Returns
    -------
    list of dict
        By epoch: "train_loss" and "validation_loss", a mean over images.
    """
    mean, spread = train.values.mean(0), train.values.std(0, unbiased=False)
    spread = torch.where(spread > 1e-6 * train.values.abs().amax(0), spread, torch.inf)
    if classes:
        mean[-classes:], spread[-classes:] = 0, 1
    values, checked = (train.values - mean) / spread, (validation.values - mean) / spread
    linear = nn.Linear(head.in_features, head.out_features)
    with torch.no_grad():
        linear.weight.copy_(torch.where(spread.isinf(), 0, head.weight * spread))
        linear.bias.copy_(head.bias + head.weight @ mean)
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
