"""How an association network is trained: every choice that can change its weights, and the losses."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch.nn import functional

from benchmark.association.checkpoint import Loss

Precision = Literal["no", "bf16", "fp16"]


class Recipe(BaseModel):
    """Settings of a training run.

    Attributes
    ----------
    loss : {"bce", "softmax", "mse"}
        Between logits and strengths: binary cross-entropy, summed over the vocabulary; cross-entropy of the
        softmax with the strengths as a distribution; squared error, summed over the vocabulary.
    vocabulary : int
        Responses at most.
    freeze : bool
        The encoder stays as it is, and the head alone is trained, on its features.
    warmup_epochs : int
        Epochs of the head alone, on the frozen encoder's features of each image and its mirror image, before
        the network is trained.
    epochs, batch, accumulate : int
        Of the whole network; images a step, and in how many parts they are passed.
    rate, head_rate, weight_decay : float
        AdamW's, for the network and for the warm-up of the head; a rate is the top of a cosine that a short
        linear rise precedes.
    patience : int
        Epochs without a lower validation loss after which training stops.
    fixed_statistics : bool
        Batch normalisation keeps the means and variances it has.
    precision : {"no", "bf16", "fp16"}
    seed : int
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
    logits, strengths : Tensor, shape (n, v)
    """
    if loss == "bce":
        return functional.binary_cross_entropy_with_logits(logits, strengths, reduction="sum")
    if loss == "softmax":
        return functional.cross_entropy(logits, strengths, reduction="sum")
    return functional.mse_loss(logits, strengths, reduction="sum")


def logits_of(loss: Loss, strengths: torch.Tensor) -> torch.Tensor:
    """Logits that say ``strengths``, of any shape: the way back of :func:`strengths_of`."""
    if loss == "bce":
        return torch.logit(strengths.clamp(1e-6, 1 - 1e-6))
    return strengths.clamp(min=1e-6).log() if loss == "softmax" else strengths


def strengths_of(loss: Loss, logits: torch.Tensor) -> torch.Tensor:
    """Association strengths (n, v) that logits stand for."""
    if loss == "bce":
        return logits.sigmoid()
    return logits.softmax(1) if loss == "softmax" else logits


def cosine(step: int, steps: int) -> float:
    """Share of the top rate at a step: a linear rise over a twentieth of the steps, then a cosine to zero."""
    rise = max(1, steps // 20)
    if step < rise:
        return (step + 1) / rise
    done = (step - rise) / max(1, steps - rise)
    return 0.5 * (1.0 + float(torch.cos(torch.tensor(torch.pi * done))))
