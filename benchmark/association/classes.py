"""The classes that an ImageNet encoder sees, beside its features, as what the head of a network reads.

An encoder that was trained to tell the classes of ImageNet apart knows more of them than a few thousand
images can teach a head on its features: what a shark looks like, for one, of which there may be two. Read as
class probabilities, that knowledge meets what people say to the cue of each class; training begins there.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import nn

from benchmark.association.mapping import imagenet_cues
from benchmark.association.network import encoder_of
from benchmark.association.targets import AssociationTargets
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


def with_classes(model: NetworkModel) -> FeaturesAndClasses:
    """The network of a plug-in up to its classifier, and the classifier beside it.

    Raises
    ------
    UsageError
        If it has no linear classifier of ImageNet's 1,000 classes.
    """
    find = getattr(model, "classifier", None)
    path: str | None = find() if find is not None else None
    classifier = model.network.get_submodule(path) if path else None
    if not isinstance(classifier, nn.Linear) or classifier.out_features != CLASSES:
        raise UsageError(
            f"--classes: {model.spec.name} has no linear classifier of ImageNet's {CLASSES:,} classes; "
            "leave --classes out"
        )
    return FeaturesAndClasses(encoder_of(model), classifier)


def class_profiles(
    targets: AssociationTargets, norm_cues: Collection[str], trained: Collection[str]
) -> torch.Tensor:
    """What people say to the cue of each ImageNet class, (1000, v), in class index order.

    Parameters
    ----------
    targets : AssociationTargets
        Their strengths are the profiles.
    norm_cues : collection of str
        All cues of the norms, among which a class finds its own.
    trained : collection of str
        Cues that are trained on. A class of any other cue has a row of zeros: it is held out.
    """
    profiles = torch.zeros(CLASSES, len(targets.vocabulary))
    row = {cue: i for i, cue in enumerate(targets.cues) if cue in trained}
    for index, match in enumerate(imagenet_cues(norm_cues).values()):
        if match.cue in row:
            profiles[index] = torch.from_numpy(targets.strengths[row[match.cue]])
    return profiles
