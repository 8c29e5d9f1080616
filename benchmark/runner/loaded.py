"""A model made from its registry entry, and everything that can change its features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmark.datasets import Stimuli, Target
from benchmark.extraction.store import FeatureStore
from benchmark.model import Model, Progress
from benchmark.registry import Placed, ResolvedCheckpoint
from benchmark.registry.schema import ModelEntry
from benchmark.results import canonical, extraction_version, versions
from benchmark.runner.view import StoredView

DTYPE = "float32"


@dataclass(frozen=True)
class LoadedModel:
    """A model made from its registry entry, and what identifies its weights.

    Attributes
    ----------
    model : Model
    placed : Placed
        The registry entry and its place.
    checkpoint : ResolvedCheckpoint
        The weights.
    source : str
        sha256 of the plug-in's source.
    inner : LoadedModel or None
        The other model from which this model is built.
    target : Target or None
        The target from which this model is built.
    """

    model: Model
    placed: Placed[ModelEntry]
    checkpoint: ResolvedCheckpoint
    source: str
    inner: LoadedModel | None = None
    target: Target | None = None

    @property
    def weights(self) -> str:
        """Text that identifies the weights: the sha256 of their file, their hub name and pin, or the seed."""
        found = self.checkpoint
        if found.hub is None:
            return found.sha256 or found.label
        pin = found.revision or found.sha256
        return f"{found.label}@{pin}" if pin else found.label


def feature_key(loaded: LoadedModel, stimuli: Stimuli, device: str) -> dict[str, Any]:
    """Everything that can change a feature, except the layer.

    The key of a model that is built from another model holds the key of that other model too.

    Parameters
    ----------
    loaded : LoadedModel
    stimuli : Stimuli
    device : str
        "cpu", "cuda" or "mps".

    Returns
    -------
    dict
        Can be written as JSON.
    """
    entry = loaded.placed.entry
    key = {
        "plugin": entry.plugin,
        "source": loaded.source,
        "params": entry.params,
        "weights": loaded.weights,
        "preprocessing": loaded.model.preprocessing,
        "stimuli": stimuli.manifest,
        "device": device,
        "dtype": DTYPE,
        "code": extraction_version(),
        "packages": {name: v for name, v in versions().items() if name != "semantic-benchmark"},
    }
    if loaded.inner is not None:
        key["built_from"] = {
            "model": feature_key(loaded.inner, stimuli, device),
            "target": None if loaded.target is None else loaded.target.hash,
            "on": None if entry.built_from is None else entry.built_from.on,
        }
    found: dict[str, Any] = canonical(key)
    return found


class KeptModel(Model):
    """A model whose features come from the store. A model that is built from another model gets this one."""

    def __init__(self, loaded: LoadedModel, store: FeatureStore) -> None:
        super().__init__(loaded.model.spec)
        self._loaded = loaded
        self._store = store

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers, from the input to the output."""
        return self._loaded.model.layers

    @property
    def preprocessing(self) -> str:
        """What is done to an image before the first layer."""
        return self._loaded.model.preprocessing

    def features(
        self,
        stimuli: Stimuli,
        layers: Sequence[str],
        *,
        device: str = "cpu",
        progress: Progress | None = None,
    ) -> dict[str, np.ndarray]:
        """Features of every stimulus. Those that are not stored are extracted."""
        key = feature_key(self._loaded, stimuli, device)
        view = StoredView(
            self._loaded.model, stimuli, self._store, key, tuple(layers), device=device, progress=progress
        )
        return {layer: view.features(layer) for layer in layers}
