"""What people say to the classes that an encoder sees, as what an association network says.

An encoder that was trained to tell the classes of ImageNet apart knows more of them than a few thousand
images can teach a head on its features: what a shark looks like, for one, of which there may be two. Its
class probabilities mix the profiles of the cues that stand for the classes, as ConSE does [1]_: an image that
is a banana by .7 brings to mind what people say to "banana", and a little of what they say to what else it
may be. The mixture is one of strengths; one of logits would be a geometric mean, in which a word that is rare
for one of the classes is rare. Classes whose cue is held out take no part, so that the network cannot name
them.

Which classes are seen is learned, and what was known is kept: beside the classifier that is trained stands
that of the encoder, and a gate, learned too, says for each image how far it is trusted. A class may have been
trained on in small, blurred pictures alone; the classifier then learns that sharp ones are of other classes.
The gate leaves those to the encoder.

References
----------
.. [1] Norouzi et al. 2014, Zero-shot learning by convex combination of semantic embeddings, ICLR.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import nn

from benchmark.association.checkpoint import Loss
from benchmark.association.network import classifier_of
from benchmark.association.recipe import logits_of
from benchmark.common.errors import UsageError
from benchmark.extraction import NetworkModel

CLASSES = 1000
#: Weight of the mean profile in that of a class: a response that nobody gave is not impossible
_SMOOTHING = 0.1
#: The gate is to learn whom to trust before the classifier forgets: so many times as fast
_HASTE = 10.0


class ClassMixture(nn.Module):
    """A head that says what people say to the classes it sees.

    The strengths are sum_c p_c profile_c; the output is the logits that stand for them. With a gate g between
    0 and 1, p = g known + (1 - g) learned: the probabilities that a fixed and a trained classifier give. They
    begin alike, and the gate, the sigmoid of ten times a linear map, at one half. Profiles are not trained.

    Parameters
    ----------
    classifier : Linear
        Of d features, for c classes.
    profiles : Tensor, shape (c, v)
        Strengths for each class.
    loss : {"bce", "softmax", "mse"}
        It decides which logits stand for strengths.
    """

    profiles: torch.Tensor

    def __init__(self, classifier: nn.Linear, profiles: torch.Tensor, loss: Loss) -> None:
        super().__init__()
        self.known = copy.deepcopy(classifier).requires_grad_(requires_grad=False)
        self.learned = classifier
        self.gate = nn.Linear(classifier.in_features, 1)
        nn.init.zeros_(self.gate.weight)
        nn.init.zeros_(self.gate.bias)
        self.register_buffer("profiles", profiles)
        self.loss = loss

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Features, shape (n, d), to logits, shape (n, v)."""
        trust = (_HASTE * self.gate(features)).sigmoid()
        seen = trust * self.known(features).softmax(1) + (1 - trust) * self.learned(features).softmax(1)
        return logits_of(self.loss, seen @ self.profiles)


def class_mixture(
    model: NetworkModel, classes: Sequence[int], profiles: torch.Tensor, mean: torch.Tensor, loss: Loss
) -> ClassMixture:
    """The head as training finds it: it sees what the classifier of a plug-in sees.

    Parameters
    ----------
    model : NetworkModel
    classes : sequence of int
        Indices of the classes of ImageNet that take part.
    profiles : Tensor, shape (c, v)
        Theirs, then those of classes that the plug-in does not know, whose logits begin at zero.
    mean : Tensor, shape (v,)
        The mean profile, of which each profile takes a tenth as much.
    loss : {"bce", "softmax", "mse"}

    Raises
    ------
    UsageError
        If the plug-in has no linear classifier of ImageNet's 1,000 classes.
    """
    path = classifier_of(model)
    own = model.network.get_submodule(path) if path else None
    if not isinstance(own, nn.Linear) or own.out_features != CLASSES:
        raise UsageError(
            f"--classes: {model.spec.name} has no linear classifier of ImageNet's {CLASSES:,} classes; "
            "leave --classes out"
        )
    classifier = nn.Linear(own.in_features, len(profiles))
    nn.init.zeros_(classifier.weight)
    nn.init.zeros_(classifier.bias)
    with torch.no_grad():
        classifier.weight[: len(classes)] = own.weight[list(classes)]
        classifier.bias[: len(classes)] = own.bias[list(classes)]
    return ClassMixture(classifier, (profiles + _SMOOTHING * mean) / (1 + _SMOOTHING), loss)
