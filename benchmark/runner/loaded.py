"""A model made from its registry entry, and everything that can change its features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from benchmark.datasets import Stimuli
from benchmark.extraction.store import FeatureStore
from benchmark.model import Model, Progress
from benchmark.registry import Placed, ResolvedCheckpoint
from benchmark.registry.schema import ModelEntry
from benchmark.results import canonical, extraction_version, versions
from benchmark.runner.view import StoredView

DTYPE = "float32"


@dataclass(frozen=True)
class LoadedModel:
    """A model of the registry: its entry, what identifies its weights, and its plug-in, made at first use.

    Attributes
    ----------
    placed : Placed
        The registry entry and its place.
    checkpoint : ResolvedCheckpoint
        The weights.
    source : str
        sha256 of the plug-in's source.
    make : callable
        Makes the plug-in's object; this imports what the plug-in imports, but builds no network.
    inner : LoadedModel or None
        The other model from which this model is built.
    target_hash : str or None
        Hash of the target from which this model is built.
    """

    placed: Placed[ModelEntry]
    checkpoint: ResolvedCheckpoint
    source: str
    make: Callable[[], Model]
    inner: LoadedModel | None = None
    target_hash: str | None = None

    @cached_property
    def model(self) -> Model:
        """The plug-in's object."""
        return self.make()

    @property
    def weights(self) -> str:
        """Text that identifies the weights: the sha256 of their file, their hub name and pin, or the seed."""
        checkpoint = self.checkpoint
        if checkpoint.hub is None:
            return checkpoint.sha256 or checkpoint.label
        pin = checkpoint.revision or checkpoint.sha256
        return f"{checkpoint.label}@{pin}" if pin else checkpoint.label


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
    return _feature_key(loaded, stimuli.manifest, device, complete=True)


def feature_outline(loaded: LoadedModel, manifest: str, device: str) -> dict[str, Any]:
    """The parts of :func:`feature_key` that are known before the plug-in is loaded.

    The missing part is the preprocessing in words. It may follow from the others, as
    :func:`benchmark.runner.key.unchanged` says.

    Parameters
    ----------
    loaded : LoadedModel
    manifest : str
        Of the stimuli.
    device : str
    """
    return _feature_key(loaded, manifest, device, complete=False)


def _feature_key(loaded: LoadedModel, manifest: str, device: str, *, complete: bool) -> dict[str, Any]:
    entry = loaded.placed.entry
    key = {
        "plugin": entry.plugin,
        "source": loaded.source,
        "params": entry.params,
        "weights": loaded.weights,
        "stimuli": manifest,
        "device": device,
        "dtype": DTYPE,
        "code": extraction_version(),
        "packages": {name: v for name, v in versions().items() if name != "semantic-benchmark"},
    }
    if complete:
        key["preprocessing"] = loaded.model.preprocessing
    if loaded.inner is not None:
        key["built_from"] = {
            "model": _feature_key(loaded.inner, manifest, device, complete=complete),
            "target": loaded.target_hash,
            "on": None if entry.built_from is None else entry.built_from.on,
        }
    canonical_key: dict[str, Any] = canonical(key)
    return canonical_key


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
