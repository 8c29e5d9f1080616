"""What a model is: a plug-in that turns stimuli into features, layer by layer.

A plug-in is a class that derives from :class:`Model` (anything that can give features), or from
:class:`benchmark.extraction.NetworkModel` (a torch module with named layers: one forward pass then gives the
features of all layers). ``registry.yaml`` names it: ``plugin: models/mine.py:MyModel``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np

from benchmark.common.cost import Cost
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import Target

#: The last layer of every network: the output of its forward pass. Associations and classes are read from it.
OUTPUT = "output"

#: ``progress(done, total)``, called as stimuli are done
Progress = Callable[[int, int], None]


@runtime_checkable
class Announcing(Protocol):
    """A :data:`Progress` that also announces the cost of a long extraction before it starts."""

    def expect(self, cost: Cost) -> None:
        """Announce the ``cost``."""


@dataclass(frozen=True)
class ModelSpec:
    """What a plug-in is built from: its registry entry, resolved.

    Attributes
    ----------
    name : str
        Name in the registry, with ``@untrained:SEED`` for an untrained twin (the same network with random
        weights).
    params : mapping
        The ``params`` of the entry.
    weights : Path or None
        The checkpoint file. It exists and has the recorded sha256. None: see ``hub`` and ``untrained``.
    hub : str or None
        Name of the weights in the model's own library ("IMAGENET1K_V1"), which fetches them itself.
    untrained : int or None
        Seed of an untrained twin. No weights are then read.
    settings_of : str or None
        For an untrained twin: the hub weights of the trained network, whose settings the twin has.
    data : Path
        The data root, for files that ``params`` name.
    base : Path or None
        Folder of the registry file, where such files are looked for first. None: the model has no entry.
    sha256 : str or None
        For hub weights: the sha256 that their file must have, or its first digits. (A file in ``weights`` has
        been checked.)
    revision : str or None
        For hub weights: the commit of the repository that they come from.
    built_from : BuiltFrom or None
        Another model, for a plug-in that computes its features from that model's features.
    """

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)
    weights: Path | None = None
    hub: str | None = None
    untrained: int | None = None
    settings_of: str | None = None
    data: Path = Path()
    base: Path | None = None
    sha256: str | None = None
    revision: str | None = None
    built_from: BuiltFrom | None = None


@dataclass(frozen=True)
class BuiltFrom:
    """What a model is built from.

    Attributes
    ----------
    model : Model
        The other model. Its features are kept in the store, so that they are computed once for all models
        that are built from them.
    target : Target or None
        A target that the model also uses (word vectors). None: there is none.
    on : str or None
        Key of the stimuli that joins them with the target. None: the concept id.
    """

    model: Model
    target: Target | None = None
    on: str | None = None


@dataclass(frozen=True)
class StartedFrom:
    """The network from which the training of a model started.

    Attributes
    ----------
    name : str
        A model of the registry, or what else the training was given ("taskonomy:class_object", a file).
    plugin : str
        The plug-in of this network, as its entry names it.
    """

    name: str
    plugin: str


@dataclass(frozen=True)
class Associations:
    """Predicted association strengths.

    Attributes
    ----------
    vocabulary : tuple of str, length v
        The responses.
    strengths : ndarray, shape (n, v)
        Greater is stronger. Only the order and the ratios within a row matter.
    """

    vocabulary: tuple[str, ...]
    strengths: np.ndarray


@dataclass(frozen=True)
class ClassProbabilities:
    """Class probabilities.

    Attributes
    ----------
    class_ids : tuple of str, length c
        Concept ids as the stimuli name them (ImageNet networks: WordNet ids).
    probabilities : ndarray, shape (n, c)
        Each row sums to one.
    """

    class_ids: tuple[str, ...]
    probabilities: np.ndarray

    @property
    def predicted(self) -> np.ndarray:
        """The id of the most probable class of each stimulus, shape (n,)."""
        predicted: np.ndarray = np.array(self.class_ids)[self.probabilities.argmax(axis=1)]
        return predicted


class Model(ABC):
    """A model under test.

    Parameters
    ----------
    spec : ModelSpec, optional
        The resolved registry entry. For an object that is made in Python, without an entry, the default is a
        spec with only the name of its class.
    """

    #: Whether a readout of the layer "output", cross-validated over images, stands for a classifier that the
    #: weights lack: a trunk of a network. Tasks that need classes have those of the readout, and say so
    classes_read_out: ClassVar[bool] = False

    def __init__(self, spec: ModelSpec | None = None) -> None:
        self.spec = ModelSpec(type(self).__name__) if spec is None else spec

    @property
    @abstractmethod
    def layers(self) -> tuple[str, ...]:
        """Names of the layers, from the input to the output."""

    @property
    def all_layers(self) -> tuple[str, ...]:
        """Every layer that a user can ask for, in depth order. :attr:`layers` are scored by default."""
        return self.layers

    @property
    def preprocessing(self) -> str:
        """Everything that is done to an image before the first layer, in words.

        The words must change when the preprocessing changes, because they are part of the cache key.
        """
        return "none"

    @abstractmethod
    def features(
        self,
        stimuli: Stimuli,
        layers: Sequence[str],
        *,
        device: str = "cpu",
        progress: Progress | None = None,
    ) -> dict[str, np.ndarray]:
        """Features of every stimulus.

        Parameters
        ----------
        stimuli : Stimuli
            The stimuli, with images that are opened when they are read.
        layers : sequence of str
            Layers to compute, of :attr:`all_layers`.
        device : str
            Where to compute, by its name in torch.
        progress : callable, optional
            ``progress(done, total)``, to be called as stimuli are done.

        Returns
        -------
        dict of str to ndarray, shape (len(stimuli), d_layer), float32
            One array per layer of ``layers``, with rows in the order of ``stimuli``.
        """

    def pooled(self, how: str) -> Model:
        """The same model, with ``how`` as the pooling of every layer that has positions. By default itself.

        Parameters
        ----------
        how : str
            One of :data:`benchmark.extraction.POOLINGS`, or ``grid:SIZE``.
        """
        del how
        return self

    def trace(self, stimuli: Stimuli, *, device: str = "cpu") -> dict[str, np.ndarray]:
        """What the model makes of one stimulus, for its fingerprint in the cache key.

        Parameters
        ----------
        stimuli : Stimuli
            One stimulus.
        device : str
            Where to compute, by its name in torch.

        Returns
        -------
        dict of str to ndarray
            "output": features of the last layer. A network adds "pixels", what it gets to see.
        """
        last = self.layers[-1]
        return {"output": self.features(stimuli, [last], device=device)[last]}

    def estimate(self, stimuli: Stimuli, layers: Sequence[str], *, device: str = "cpu") -> Cost | None:
        """The expected cost of :meth:`features`. None: it is not known, or very small."""
        del stimuli, layers, device
        return None

    def covered(self, stimuli: Stimuli) -> frozenset[str]:
        """Concepts that the model can represent. Only these are shown to it and scored. By default all."""
        return frozenset(stimuli.concepts)

    @property
    def started_from(self) -> StartedFrom | None:
        """What the training started from, as the file of the weights says. None: it says nothing."""
        return None

    @property
    def has_associations(self) -> bool:
        """Whether the plug-in has :meth:`associations`. An untrained twin of it may still have none."""
        return type(self).associations is not Model.associations

    def associations(self, output: np.ndarray) -> Associations | None:
        """Association strengths, read from the layer ``"output"``. None: the model has no such head."""
        del output
        return None

    def classify(self, output: np.ndarray) -> ClassProbabilities | None:
        """Class probabilities, read from the layer ``"output"``. None: the model has no classes."""
        del output
        return None
