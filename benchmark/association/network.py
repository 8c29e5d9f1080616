"""The association network: an encoder, whose features are flattened, and a head with a logit per response."""

from __future__ import annotations

import torch
from torch import nn

from benchmark.common.errors import UsageError
from benchmark.extraction import NetworkModel


class AssociationNetwork(nn.Module):
    """An encoder, whose features are flattened, and a head over a vocabulary.

    Parameters
    ----------
    encoder : Module
        Images (n, 3, h, w) to features, which are flattened to (n, d).
    head : Module or None
        Features (n, d) to logits (n, responses); None: there is no head, and the output is the features.
    """

    def __init__(self, encoder: nn.Module, head: nn.Module | None) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Identity() if head is None else head

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits, shape (n, responses), of ``images``, shape (n, 3, h, w)."""
        logits: torch.Tensor = self.head(self.encoder(images).flatten(1))
        return logits


def classifier_of(model: NetworkModel) -> str | None:
    """Dotted path of the classifier in the network of ``model``; None: it has no classifier."""
    classifier = getattr(model, "classifier", None)
    path: str | None = classifier() if classifier is not None else None
    return path


def encoder_of(model: NetworkModel) -> nn.Module:
    """Network of a plug-in without its classifier; if there is no classifier, the whole network.

    The classifier is replaced by the identity. Layers that come after it, such as a mean over space, stay.

    Parameters
    ----------
    model : NetworkModel
        The plug-in. Its network is changed in place.
    """
    network = model.network
    path = classifier_of(model)
    if path is not None:
        parent, _, name = path.rpartition(".")
        setattr(network.get_submodule(parent), name, nn.Identity())
    return network


def feature_count(encoder: nn.Module, shape: tuple[int, ...]) -> int:
    """Number of flattened features that ``encoder`` gives for an image of ``shape`` (3, h, w).

    Raises
    ------
    UsageError
        If the encoder does not give a tensor with one row for each image.
    """
    with torch.inference_mode():
        features = encoder(torch.zeros(1, *shape))
    if not isinstance(features, torch.Tensor) or len(features) != 1:
        raise UsageError(
            f"{type(encoder).__name__} gives no tensor with one row for each image, so that no head fits; "
            "start from another encoder"
        )
    return features[0].numel()
