"""What a task sees of a model: features out of the store, extracted when first asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmark.common.cost import Cost
from benchmark.common.errors import DataError
from benchmark.datasets import Stimuli
from benchmark.extraction.store import FeatureStore
from benchmark.model import OUTPUT, Announcing, Associations, ClassProbabilities, Model, Progress
from benchmark.runner.layers import choose_layers
from benchmark.task import LongWork

#: Stimuli from which on it is worth a batch to know, and to say, what an extraction will cost
LONG = 256


class StoredView:
    """A model's features for one stimulus set.

    All layers that are asked for and not yet stored come from one forward pass, at the first use.

    Parameters
    ----------
    model : Model
    stimuli : Stimuli
    store : FeatureStore
    key : mapping
        Everything but the layer that can change a feature.
    layers : tuple of str or None
        The layers to score (:func:`benchmark.runner.layers.choose_layers`).
    device : str
    progress : callable, optional
        Called as stimuli are done.
    work : LongWork, optional
        For the task.
    """

    def __init__(
        self,
        model: Model,
        stimuli: Stimuli,
        store: FeatureStore,
        key: Mapping[str, Any],
        layers: tuple[str, ...] | None = None,
        device: str = "cpu",
        progress: Progress | None = None,
        work: LongWork | None = None,
    ) -> None:
        self.name = model.spec.name
        self.stimuli = stimuli
        self.layers = choose_layers(model, layers)
        self.work = work or LongWork()
        self._model = model
        self._store = store
        self._key = dict(key)
        self._device = device
        self._progress = progress

    def features(self, layer: str) -> np.ndarray:
        """Features (n stimuli, d), float32, in stimulus order."""
        stored = self._store.get(self._key, layer)
        return self._extract_missing(layer)[layer] if stored is None else stored

    def missing(self, *asked: str) -> list[str]:
        """Of the layers ``asked``, those that are scored and ``"output"``: what is not stored yet."""
        wanted = dict.fromkeys([*asked, *self.layers, *([OUTPUT] if OUTPUT in self._model.layers else [])])
        return [layer for layer in wanted if self._store.get(self._key, layer) is None]

    def cost(self, layers: Sequence[str]) -> Cost | None:
        """What it will cost to extract ``layers``; None: not known, or next to nothing."""
        return self._model.estimate(self.stimuli, layers, device=self._device)

    def _extract_missing(self, asked: str) -> dict[str, np.ndarray]:
        """Extract, in one pass, ``asked`` and every other layer that is not stored yet."""
        layers = self.missing(asked)
        if isinstance(self._progress, Announcing) and len(self.stimuli) >= LONG:
            cost = self.cost(layers)
            if cost is not None:
                self._progress.expect(cost)
        made = self._model.features(self.stimuli, layers, device=self._device, progress=self._progress)
        features = {
            layer: checked_features(self.name, layer, made.get(layer), self.stimuli) for layer in layers
        }
        self._store.put(self._key, features, {"model": self.name, "stimuli": self.stimuli.name})
        return features

    def associations(self) -> Associations | None:
        """Association strengths of every stimulus, or None."""
        if OUTPUT not in self._model.layers:
            return None
        return self._model.associations(self.features(OUTPUT))

    def classify(self) -> ClassProbabilities | None:
        """Class probabilities of every stimulus, or None."""
        if OUTPUT not in self._model.layers:
            return None
        return self._model.classify(self.features(OUTPUT))


def checked_features(model: str, layer: str, features: np.ndarray | None, stimuli: Stimuli) -> np.ndarray:
    """``features`` as float32, shape (n stimuli, d).

    Raises
    ------
    DataError
        For what a plug-in may not give: no features, another shape, NaN or infinite values.
    """
    where = f"model {model!r}, layer {layer!r}"
    if features is None:
        raise DataError(f"{where}: the plug-in gave no features for it")
    array = np.asanyarray(features, dtype=np.float32)
    if array.ndim != 2 or len(array) != len(stimuli) or array.shape[1] == 0:
        raise DataError(f"{where}: features of shape {array.shape}; expected ({len(stimuli)}, d)")
    for stimulus, row in zip(stimuli.ids, array, strict=True):  # by rows: features may be larger than memory
        if not np.isfinite(row).all():
            raise DataError(f"{where}: NaN or infinite features, first for stimulus {stimulus!r}")
    return array
