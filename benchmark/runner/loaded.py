"""A model made from its registry entry, and everything that can change its features."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from benchmark.datasets import Stimuli
from benchmark.extraction.devices import is_deterministic
from benchmark.extraction.fingerprint import FINGERPRINT
from benchmark.extraction.store import FeatureStore
from benchmark.model import Model, Progress
from benchmark.registry import Placed, PluginCode, ResolvedCheckpoint, is_shipped
from benchmark.registry.schema import ModelEntry
from benchmark.results import canonical, extraction_version, representation_version, versions
from benchmark.runner.fingerprint import Fingerprint, recall, remember, take
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
    code : PluginCode
        The code of the plug-in, and what it imports.
    make : callable
        Makes the plug-in's object; this imports what the plug-in imports, but builds no network.
    inner : LoadedModel or None
        The other model from which this model is built.
    target : mapping or None
        The part of the key for the target from which this model is built.
    pooling : str or None
        How the binding pools every layer (:meth:`benchmark.model.Model.pooled`). None: as the entry says.
    """

    placed: Placed[ModelEntry]
    checkpoint: ResolvedCheckpoint
    code: PluginCode
    make: Callable[[], Model]
    inner: LoadedModel | None = None
    target: Mapping[str, Any] | None = None
    pooling: str | None = None
    _fingerprints: dict[tuple[str, str], Fingerprint] = field(default_factory=dict, repr=False)

    @cached_property
    def model(self) -> Model:
        """The plug-in's object."""
        model = self.make()
        return model if self.pooling is None else model.pooled(self.pooling)

    def pooled(self, how: str | None) -> LoadedModel:
        """The same model, pooled by ``how`` in every layer. One that is built from another is as it is."""
        if how is None or self.inner is not None:
            return self
        return replace(self, make=lambda: self.model, pooling=how, _fingerprints={})

    @property
    def weights(self) -> str:
        """Text that identifies the weights: the sha256 of their file, their hub name and pin, or the seed."""
        checkpoint = self.checkpoint
        if checkpoint.settings_of is not None:
            return f"{checkpoint.label} with the settings of {checkpoint.settings_of}"
        if checkpoint.hub is None:
            return checkpoint.sha256 or checkpoint.label
        pin = checkpoint.revision or checkpoint.sha256
        return f"{checkpoint.label}@{pin}" if pin else checkpoint.label

    @property
    def is_untrained(self) -> bool:
        """Whether the weights are random."""
        return self.placed.untrained is not None or self.checkpoint.untrained is not None

    @property
    def chain(self) -> Iterator[LoadedModel]:
        """This model, the one from which it is built, and so on."""
        part: LoadedModel | None = self
        while part is not None:
            yield part
            part = part.inner

    @property
    def is_known(self) -> bool:
        """Whether the key holds all that can change the model, besides the suite and its packages.

        That does not hold for a user's plug-in, which may read further files, nor for an entry whose params
        may name a file.
        """
        entry = self.placed.entry
        return is_shipped(entry.plugin, self.placed.base) and not _may_name_a_file(entry.params)

    def fingerprint(self, stimuli: Stimuli, device: str) -> Fingerprint:
        """The fingerprint of the model (:mod:`benchmark.runner.fingerprint`), taken once a run.

        Parameters
        ----------
        stimuli : Stimuli
            The first of these is shown to the model.
        device : str
            "cpu", "cuda" or "mps".

        Returns
        -------
        dict
            Empty for a model that is built from another model, whose fingerprint the key holds.
        """
        known = self.remembered(stimuli.manifest, device)
        if known is None:
            known = take(self.model, stimuli, device)
            self._fingerprints[stimuli.manifest, device] = known
            if self.is_known:
                remember(_feature_key(self, stimuli.manifest, device), known)
        return known

    def remembered(self, manifest: str, device: str) -> Fingerprint | None:
        """The :meth:`fingerprint`, if it is known without building the model.

        Parameters
        ----------
        manifest : str
            Of the stimuli.
        device : str
            "cpu", "cuda" or "mps".

        Returns
        -------
        dict or None
            None: the model has to be built for it.
        """
        if self.inner is not None:
            return {}
        if (manifest, device) not in self._fingerprints and self.is_known:
            known = recall(_feature_key(self, manifest, device))
            if known is not None:
                self._fingerprints[manifest, device] = known
        return self._fingerprints.get((manifest, device))


def _may_name_a_file(value: Any) -> bool:
    """Whether a text in ``value`` looks like a path or a plug-in; a false alarm costs only time."""
    if isinstance(value, str):
        return any(mark in value for mark in "./\\:")
    if isinstance(value, Mapping):
        return any(map(_may_name_a_file, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_may_name_a_file, value))


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

    def own(model: LoadedModel) -> dict[str, Any]:
        taken = model.fingerprint(stimuli, device)
        return {"preprocessing": model.model.preprocessing, **({FINGERPRINT: taken} if taken else {})}

    return _feature_key(loaded, stimuli.manifest, device, own)


def feature_outline(loaded: LoadedModel, manifest: str, device: str) -> dict[str, Any]:
    """The parts of :func:`feature_key` that are known before the plug-in is loaded.

    The preprocessing in words is missing. It may follow from the others, as
    :func:`benchmark.runner.key.unchanged` says. So is a fingerprint that is not remembered.

    Parameters
    ----------
    loaded : LoadedModel
    manifest : str
        Of the stimuli.
    device : str
    """

    def own(model: LoadedModel) -> dict[str, Any]:
        known = model.remembered(manifest, device)
        return {FINGERPRINT: known} if known else {}

    return _feature_key(loaded, manifest, device, own)


def _feature_key(
    loaded: LoadedModel,
    manifest: str,
    device: str,
    own: Callable[[LoadedModel], Mapping[str, Any]] = lambda _: {},
) -> dict[str, Any]:
    """A key with the parts that ``own`` adds for each model of the chain."""
    entry = loaded.placed.entry
    key = {
        "plugin": entry.plugin,
        **loaded.code.as_key(),
        "params": entry.params,
        "weights": loaded.weights,
        "stimuli": manifest,
        "device": device,
        "dtype": DTYPE,
        "code": extraction_version(),
        "packages": {name: v for name, v in versions().items() if name != "semantic-benchmark"},
    }
    if is_deterministic():
        key["deterministic"] = True
    if loaded.pooling is not None:
        key["pooling"] = loaded.pooling
    key.update(own(loaded))
    if loaded.inner is not None:
        key["built_from"] = {
            "model": _feature_key(loaded.inner, manifest, device, own),
            "code": representation_version(),
            "target": loaded.target,
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
