"""The association network: an encoder, its features flattened, and a head that gives a logit a response."""

from __future__ import annotations

import torch
from torch import nn

from benchmark.common.errors import UsageError
from benchmark.extraction import NetworkModel


class AssociationNetwork(nn.Module):
    """Encoder, its features flattened, and a head over a vocabulary.

    Parameters
    ----------
    encoder : Module
        Images (n, 3, h, w) to features, flattened here to (n, d).
    head : Module or None
        Features (n, d) to logits (n, responses); None: there is no head, and the features are the output.
    """

    def __init__(self, encoder: nn.Module, head: nn.Module | None) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Identity() if head is None else head

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images, shape (n, 3, h, w), to logits, shape (n, responses)."""
        logits: torch.Tensor = self.head(self.encoder(images).flatten(1))
        return logits


def classifier_of(model: NetworkModel) -> str | None:
    """Dotted path of the classifier of a plug-in; None: it has none."""
    find = getattr(model, "classifier", None)
    path: str | None = find() if find is not None else None
    return path


def encoder_of(model: NetworkModel) -> nn.Module:
    """The network of a plug-in up to what its classifier reads; without a classifier, all of it.

    The classifier becomes the identity, so that what follows it (a mean over space) stays.

    Parameters
    ----------
    model : NetworkModel
        Its own network is changed.
    """
    network = model.network
    path = classifier_of(model)
    if path is not None:
        parent, _, name = path.rpartition(".")
        setattr(network.get_submodule(parent), name, nn.Identity())
    return network


def feature_count(encoder: nn.Module, shape: tuple[int, ...]) -> int:
    """Length d of the flattened features of one image of ``shape`` (3, h, w).

    Raises
    ------
    UsageError
        If the encoder gives no tensor with one row an image.
    """
    with torch.inference_mode():
        features = encoder(torch.zeros(1, *shape))
    if not isinstance(features, torch.Tensor) or len(features) != 1:
        raise UsageError(f"{type(encoder).__name__} gives no tensor with one row an image: no head fits it")
    return features[0].numel()
