"""The classes that an ImageNet encoder sees, beside its features, as what the head of a network reads.

An encoder that was trained to tell the classes of ImageNet apart knows more of them than a few thousand
images can teach a head on its features: what a shark looks like, for one, of which there may be two. Read as
class probabilities, that knowledge meets what people say to the cue of each class; training begins there.
Classes whose cue is held out are not among those that are read, so that the network cannot name them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from benchmark.association.network import classifier_of, encoder_of
from benchmark.errors import UsageError
from benchmark.extraction import NetworkModel

CLASSES = 1000


class FeaturesAndClasses(nn.Module):
    """Features of an encoder, flattened, then the probabilities of the classes that its classifier sees.

    Parameters
    ----------
    encoder : Module
        Images (n, 3, h, w) to features, flattened here to (n, d).
    classifier : Linear
        Of d features, for c classes; the output is (n, d + c).
    """

    def __init__(self, encoder: nn.Module, classifier: nn.Linear) -> None:
        super().__init__()
        self.encoder = encoder
        self.classifier = classifier

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images, shape (n, 3, h, w), to features and class probabilities, shape (n, d + c)."""
        features = self.encoder(images).flatten(1)
        return torch.cat([features, self.classifier(features).softmax(1)], dim=1)


def with_classes(model: NetworkModel, classes: Sequence[int]) -> FeaturesAndClasses:
    """The network of a plug-in up to its classifier, and beside it the classifier of some of its classes.

    Parameters
    ----------
    model : NetworkModel
        Its own network is changed.
    classes : sequence of int
        Their indices; the probabilities are among these alone.

    Raises
    ------
    UsageError
        If it has no linear classifier of ImageNet's 1,000 classes.
    """
    path = classifier_of(model)
    classifier = model.network.get_submodule(path) if path else None
    if not isinstance(classifier, nn.Linear) or classifier.out_features != CLASSES:
        raise UsageError(
            f"--classes: {model.spec.name} has no linear classifier of ImageNet's {CLASSES:,} classes; "
            "leave --classes out"
        )
    some = nn.Linear(classifier.in_features, len(classes))
    kept = torch.tensor(list(classes))
    with torch.no_grad():
        some.weight.copy_(classifier.weight[kept])
        some.bias.copy_(classifier.bias[kept])
    return FeaturesAndClasses(encoder_of(model), some)
