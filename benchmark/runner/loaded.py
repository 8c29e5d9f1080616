"""A model plug-in made from its entry, and everything that can change its features."""

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
    """A model plug-in made from its entry, and what identifies its weights.

    Attributes
    ----------
    model : Model
    placed : Placed
    checkpoint : ResolvedCheckpoint
    source : str
        sha256 of the plug-in's source.
    inner : LoadedModel or None
        The model it is built from.
    target : Target or None
        The target it is built from.
    """

    model: Model
    placed: Placed[ModelEntry]
    checkpoint: ResolvedCheckpoint
    source: str
    inner: LoadedModel | None = None
    target: Target | None = None

    @property
    def weights(self) -> str:
        """What identifies the weights: the sha256 of their file, the hub's name with its pin, or the seed."""
        found = self.checkpoint
        if found.hub is None:
            return found.sha256 or found.label
        pin = found.revision or found.sha256
        return f"{found.label}@{pin}" if pin else found.label


def feature_key(loaded: LoadedModel, stimuli: Stimuli, device: str) -> dict[str, Any]:
    """Everything but the layer that can change a feature; of a model built from another, that one's too."""
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
    """A model whose features come out of the store: what another model is built from."""

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
        """Everything done to an image before the first layer."""
        return self._loaded.model.preprocessing

    def features(
        self,
        stimuli: Stimuli,
        layers: Sequence[str],
        *,
        device: str = "cpu",
        progress: Progress | None = None,
    ) -> dict[str, np.ndarray]:
        """Features of every stimulus, extracted when they are not stored."""
        key = feature_key(self._loaded, stimuli, device)
        view = StoredView(
            self._loaded.model, stimuli, self._store, key, tuple(layers), device=device, progress=progress
        )
        return {layer: view.features(layer) for layer in layers}
