"""An association head that mixes what people say to the classes that an encoder sees.

An encoder that was trained to classify ImageNet knows more about the classes than a few thousand images can
teach a head on its features. For example, it knows what a shark looks like, of which the training images may
hold only two. The head uses the class probabilities of the encoder: they mix the profiles of the cues that
stand for the classes, as in ConSE [1]_. An image that is a banana with probability .7 brings to mind mostly
what people say to "banana", and a little of what they say to the other classes that it may belong to. The
head mixes strengths, not logits. A mixture of logits would be a geometric mean: a word that is rare for one
of the classes would be rare in the mixture. Classes whose cue is held out are left out of the mixture, so
that the network cannot name them.

The head has two classifiers. The first is the classifier of the encoder, and it stays fixed. The second
starts as a copy of the first and is trained. A gate, which is trained too, decides for each image how much
each of them counts. The reason: if all training images of a class are small and blurred, the trained
classifier learns that sharp images belong to other classes. For sharp images the gate can choose the fixed
classifier.

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
from benchmark.association.recipe import LEAST, logits_of
from benchmark.common.errors import UsageError
from benchmark.extraction import NetworkModel

#: Number of classes of ImageNet
CLASSES = 1000
#: Weight of the mean profile that is added to the profile of a class: no response that people give to any
#: of the cues gets the strength zero
_SMOOTHING = 0.1
#: The gate learns this many times faster than the classifier, so that it learns before the classifier forgets
_GATE_SPEED = 10.0


class ClassMixture(nn.Module):
    """A head that mixes what people say to the classes it sees.

    The strengths are sum_c p_c profile_c, and the output is their logits (:func:`mixture_logits`). The class
    probabilities are p = g known + (1 - g) learned: ``known`` are the probabilities of the fixed classifier,
    ``learned`` those of the trained classifier, and the gate g is between 0 and 1. At the start of the
    training both classifiers are equal and the gate is one half. The gate is the sigmoid of ten times a
    linear map of the features. The profiles are not trained.

    Parameters
    ----------
    classifier : Linear
        From d features to the logits of c classes.
    profiles : Tensor, shape (c, v)
        Strengths of the v responses for each class.
    loss : {"bce", "softmax", "mse"}
        It decides how strengths become logits.
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
        """Logits, shape (n, v), of ``features``, shape (n, d)."""
        gate = (_GATE_SPEED * self.gate(features)).sigmoid()
        known, learned = self.known(features).softmax(1), self.learned(features).softmax(1)
        probabilities = gate * known + (1 - gate) * learned
        return mixture_logits(self.loss, probabilities @ self.profiles)


def mixture_logits(loss: Loss, strengths: torch.Tensor) -> torch.Tensor:
    """Finite logits from which :func:`mixture_strengths` gets every strength back, zero included.

    Below :data:`LEAST` the logarithm is continued along its tangent, which reaches strength zero one lower.

    Parameters
    ----------
    loss : {"bce", "softmax", "mse"}
        It decides how strengths become logits. For "mse" the logits are the strengths.
    strengths : Tensor
        Strengths of any shape, from 0 to 1.
    """
    if loss == "mse":
        return strengths
    return logits_of(loss, strengths) + (strengths / LEAST - 1).clamp(max=0)


def mixture_strengths(loss: Loss, logits: torch.Tensor) -> torch.Tensor:
    """The strengths, to 12 decimals, that the ``logits`` of a :class:`ClassMixture` stand for.

    Parameters
    ----------
    loss : {"bce", "softmax", "mse"}
        The loss of the head.
    logits : Tensor
        Outputs of the head, of any shape.
    """
    if loss == "mse":
        return logits
    # in single precision, as the head computes it, so that strength zero comes back as zero
    lowest = logits_of(loss, torch.zeros(1)).to(logits)
    strengths = logits.sigmoid() if loss == "bce" else logits.exp()
    return torch.where(logits < lowest, (LEAST * (1 + logits - lowest)).clamp(min=0), strengths)


def class_mixture(
    model: NetworkModel, classes: Sequence[int], profiles: torch.Tensor, mean: torch.Tensor, loss: Loss
) -> ClassMixture:
    """Build the head at the start of training, from the classifier of a plug-in.

    Parameters
    ----------
    model : NetworkModel
        The plug-in whose classifier is used.
    classes : sequence of int
        Indices of the ImageNet classes that take part.
    profiles : Tensor, shape (c, v)
        Profiles of ``classes``, then those of further classes, which the plug-in does not know. The logits of
        the further classes start at zero.
    mean : Tensor, shape (v,)
        The mean profile. A tenth of it is added to each profile; the sum is scaled back by 1 / 1.1.
    loss : {"bce", "softmax", "mse"}
        It decides how strengths become logits.

    Returns
    -------
    ClassMixture

    Raises
    ------
    UsageError
        If the plug-in has no linear classifier of ImageNet's 1,000 classes.
    """
    path = classifier_of(model)
    original = model.network.get_submodule(path) if path else None
    if not isinstance(original, nn.Linear) or original.out_features != CLASSES:
        raise UsageError(
            f"--classes: {model.spec.name} has no linear classifier of ImageNet's {CLASSES:,} classes; "
            "leave --classes out"
        )
    classifier = nn.Linear(original.in_features, len(profiles))
    nn.init.zeros_(classifier.weight)
    nn.init.zeros_(classifier.bias)
    with torch.no_grad():
        classifier.weight[: len(classes)] = original.weight[list(classes)]
        classifier.bias[: len(classes)] = original.bias[list(classes)]
    return ClassMixture(classifier, (profiles + _SMOOTHING * mean) / (1 + _SMOOTHING), loss)
