"""What a model is: a plug-in that turns stimuli into features, layer by layer.

A plug-in is a class that derives from :class:`Model` (anything that can give features), or from
:class:`benchmark.extraction.NetworkModel` (a torch module with named layers: all layers are then had in
one forward pass). ``registry.yaml`` names it: ``plugin: models/mine.py:MyModel``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.datasets.types import Stimuli

#: The last layer of every network: what its forward pass returns. Associations and classes are read from it.
OUTPUT = "output"

#: ``progress(done, total)``, called as stimuli are done
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ModelSpec:
    """What a plug-in is made from: its registry entry, resolved.

    Attributes
    ----------
    name : str
        Name in the registry, with ``@untrained:SEED`` where asked for.
    params : mapping
        The entry's ``params``.
    weights : Path or None
        The checkpoint file; already there and of the recorded sha256. None: see the other two.
    hub : str or None
        Name of the weights in the model's own library ("IMAGENET1K_V1"), which fetches them itself.
    untrained : int or None
        Seed of an untrained twin; then no weights are read.
    data : Path
        The data root, for files that ``params`` name.
    """

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)
    weights: Path | None = None
    hub: str | None = None
    untrained: int | None = None
    data: Path = Path()


@dataclass(frozen=True)
class Associations:
    """Predicted association strengths.

    Attributes
    ----------
    vocabulary : tuple of str, length v
        The responses.
    strengths : ndarray, shape (n, v)
        Greater is stronger; only the order and the ratios within a row matter.
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
        Rows sum to one.
    """

    class_ids: tuple[str, ...]
    probabilities: np.ndarray


class Model(ABC):
    """A model under test."""

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec

    @property
    @abstractmethod
    def layers(self) -> tuple[str, ...]:
        """Names of the layers, from the input to the output."""

    @property
    def preprocessing(self) -> str:
        """Everything done to an image before the first layer, in words that change when it changes."""
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

        Returns
        -------
        dict of str to ndarray, shape (len(stimuli), d_layer), float32
            One array a layer asked for, rows in the order of ``stimuli``.
        """

    def associations(self, output: np.ndarray) -> Associations | None:
        """Association strengths read from the layer ``"output"``; None: the model has no such head."""
        del output
        return None

    def classify(self, output: np.ndarray) -> ClassProbabilities | None:
        """Class probabilities read from the layer ``"output"``; None: the model has no classes."""
        del output
        return None
