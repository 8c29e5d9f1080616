"""Settings of the training of an association network, its losses, and the way from logits to strengths."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch.nn import functional

from benchmark.association.checkpoint import Loss

#: A weaker strength gets the logit of this one, since the logit of zero is not finite
LEAST = 1e-6

Precision = Literal["no", "bf16", "fp16"]


class Recipe(BaseModel):
    """Settings of a training run.

    Attributes
    ----------
    loss : {"bce", "softmax", "mse"}
        Loss between logits and strengths. "bce": binary cross-entropy, summed over the vocabulary. "softmax":
        cross-entropy of the softmax, with the strengths as a distribution. "mse": squared error, summed over
        the vocabulary.
    vocabulary : int
        Largest number of responses.
    freeze : bool
        Whether the encoder stays unchanged, so that only the head is trained, on the features of the encoder.
    warmup_epochs : int
        Number of epochs that train the head alone, before the whole network is trained. They use the frozen
        encoder's features of each image and of its mirror image.
    epochs : int
        Largest number of epochs of the whole network.
    batch : int
        Number of images in a training step.
    accumulate : int
        Number of parts in which a step goes through the network.
    rate, head_rate : float
        Learning rates of AdamW, for the whole network and for the head alone. The rate rises linearly for a
        short time to this value, then falls to zero as a cosine.
    weight_decay : float
        Weight decay of AdamW.
    patience : int
        Training stops after this number of epochs without a lower validation loss.
    fixed_statistics : bool
        Whether batch normalisation keeps its means and variances.
    precision : {"no", "bf16", "fp16"}
        Mixed precision of the training.
    seed : int
        Seed of the order of the images, of their random changes and of the head.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    loss: Loss = "bce"
    vocabulary: int = Field(default=5000, ge=1)
    freeze: bool = False
    warmup_epochs: int = Field(default=10, ge=0)
    epochs: int = Field(default=20, ge=0)
    batch: int = Field(default=64, ge=1)
    accumulate: int = Field(default=1, ge=1)
    rate: float = Field(default=1e-4, gt=0)
    head_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.1, ge=0)
    patience: int = Field(default=5, ge=1)
    fixed_statistics: bool = True
    precision: Precision = "no"
    seed: int = Field(default=0, ge=0)


def loss_sum(loss: Loss, logits: torch.Tensor, strengths: torch.Tensor) -> torch.Tensor:
    """Loss of a batch, summed over its images.

    Parameters
    ----------
    loss : {"bce", "softmax", "mse"}
        Which loss (:class:`Recipe`).
    logits, strengths : Tensor, shape (n, v)
        Outputs of the network, and the strengths that people gave.
    """
    if loss == "bce":
        return functional.binary_cross_entropy_with_logits(logits, strengths, reduction="sum")
    if loss == "softmax":
        return functional.cross_entropy(logits, strengths, reduction="sum")
    return functional.mse_loss(logits, strengths, reduction="sum")


def logits_of(loss: Loss, strengths: torch.Tensor) -> torch.Tensor:
    """Logits that become ``strengths`` (any shape) under ``loss``, down to :data:`LEAST`."""
    if loss == "bce":
        return torch.logit(strengths.clamp(LEAST, 1 - LEAST))
    return strengths.clamp(min=LEAST).log() if loss == "softmax" else strengths


def strengths_of(loss: Loss, logits: torch.Tensor) -> torch.Tensor:
    """Association strengths, shape (n, v), that ``logits`` stand for in a network that ``loss`` trained."""
    if loss == "bce":
        return logits.sigmoid()
    return logits.softmax(1) if loss == "softmax" else logits


def cosine(step: int, steps: int) -> float:
    """Learning rate at ``step`` of ``steps``, as a share of the highest rate.

    It rises linearly over the first twentieth of the steps, then falls to zero as a cosine.
    """
    rise = max(1, steps // 20)
    if step < rise:
        return (step + 1) / rise
    done = (step - rise) / max(1, steps - rise)
    return 0.5 * (1.0 + float(torch.cos(torch.tensor(torch.pi * done))))
