"""The base of every model that is a torch module with named layers."""

from __future__ import annotations

import difflib
from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmark.datasets.types import Stimuli
from benchmark.errors import BenchError, DataError, UsageError
from benchmark.extraction.capture import capture
from benchmark.extraction.layer_sets import by_depth, convolutions, layer_set
from benchmark.extraction.loader import batches
from benchmark.extraction.pooling import POOLINGS, pool
from benchmark.extraction.weights import seeded
from benchmark.model import OUTPUT, Model, ModelSpec, Progress

BATCH = 32


class NetworkModel(Model):
    """A torch module with its own preprocessing and named layers.

    A subclass gives :meth:`build`, :meth:`preprocess`, :meth:`modules` and ``preprocessing``. All layers are
    had in one forward pass: hooks pool each activation as it arrives.

    Attributes
    ----------
    pooling : str
        How activations become vectors (:func:`benchmark.extraction.pool`); ``params: {pooling: max}``
        overrides the class's choice.

    Notes
    -----
    ``params: {layers: [...]}`` replaces the layers of :meth:`modules`: each name is one of those or a dotted
    module path. ``params: {layers: SET}`` names a set (:mod:`benchmark.extraction.layer_sets`). ``"output"``,
    what the forward pass returns, is always the last layer.
    """

    pooling: str = "average"

    def __init__(self, spec: ModelSpec | None = None) -> None:
        super().__init__(spec)
        spec = self.spec
        self.pooling = spec.params.get("pooling", self.pooling)
        if self.pooling not in POOLINGS:
            raise UsageError(f"{spec.name}: unknown pooling {self.pooling!r}; known: {', '.join(POOLINGS)}")

    @abstractmethod
    def build(self) -> torch.nn.Module:
        """Make the network with its weights in.

        torch's random numbers are seeded by the caller (``spec.untrained``), and the module is put in eval
        mode after.
        """

    @abstractmethod
    def preprocess(self, image: Image.Image) -> torch.Tensor:
        """RGB image to tensor, shape (c, h, w), float32, the same for every image."""

    @abstractmethod
    def modules(self) -> dict[str, str]:
        """Layer name to dotted module path, from the input to the output; without ``"output"``.

        A path that ends in ``:input`` means what the module is given, not what it returns.
        """

    @property
    @abstractmethod
    def preprocessing(self) -> str:
        """Everything done to an image before the first layer, in words that change when it changes."""

    @cached_property
    def network(self) -> torch.nn.Module:
        """The network, built once, in eval mode."""
        with seeded(self.spec.untrained or 0):
            network = self.build()
        return network.eval().requires_grad_(False)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers, from the input to the output."""
        return (*self._paths, OUTPUT)

    @property
    def all_layers(self) -> tuple[str, ...]:
        """Every layer that has a name: those of :meth:`modules` and of ``params``, and every convolution."""
        return (*self._all_paths, OUTPUT)

    def path_of(self, layer: str) -> str:
        """Dotted module path of a layer that is not ``"output"``; see :meth:`modules`."""
        return self._all_paths[layer]

    @cached_property
    def _all_paths(self) -> dict[str, str]:
        everything = {**convolutions(self.network), **self.modules(), **self._paths}
        return by_depth(self.network, everything.items())

    @cached_property
    def _paths(self) -> dict[str, str]:
        named = self.modules()
        chosen = self.spec.params.get("layers")
        if chosen is None:
            return named
        if isinstance(chosen, str):
            try:
                return layer_set(self.network, chosen)
            except ValueError as error:
                raise UsageError(f"{self.spec.name}: params.layers: {error}") from error
        known = named | {path: path for path, _ in self.network.named_modules() if path}
        chosen = [layer for layer in chosen if layer != OUTPUT]
        for layer in chosen:
            self._require(layer, known)
        return {layer: known[layer] for layer in chosen}

    def _require(self, layer: str, known: Sequence[str] | dict[str, Any]) -> None:
        if layer not in known:
            near = difflib.get_close_matches(layer, list(known)) or list(known)[:5]
            raise UsageError(f"{self.spec.name} has no layer {layer!r}; nearest: {', '.join(near)}")

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """One forward pass; what it returns is the layer ``"output"``."""
        output: torch.Tensor = self.network(batch)
        return output

    def pool(self, activation: torch.Tensor) -> torch.Tensor:
        """Activation of a layer to vectors, shape (n, d)."""
        return pool(activation, self.pooling)

    def pool_layer(self, layer: str, activation: torch.Tensor) -> torch.Tensor:
        """Activation of ``layer`` to vectors, shape (n, d): :meth:`pool`, unless its name says otherwise."""
        del layer
        return self.pool(activation)

    def features(
        self,
        stimuli: Stimuli,
        layers: Sequence[str],
        *,
        device: str = "cpu",
        progress: Progress | None = None,
    ) -> dict[str, np.ndarray]:
        """Features of every stimulus, all layers from one forward pass a batch.

        Parameters
        ----------
        stimuli : Stimuli
        layers : sequence of str
            Names out of :attr:`all_layers`.
        device : {"cpu", "cuda", "mps"}
        progress : callable, optional
            ``progress(done, total)`` after each batch.

        Returns
        -------
        dict of str to ndarray, shape (len(stimuli), d_layer), float32

        Raises
        ------
        UsageError
            If a layer does not exist.
        BenchError
            If a layer is never called, or gives no tensor with one row a stimulus.
        DataError
            If a feature is not finite; the message names the layer and the first such stimulus.
        """
        for layer in layers:
            self._require(layer, self.all_layers)
        paths = {layer: self._all_paths[layer] for layer in layers if layer != OUTPUT}
        network = self.network.to(device).to(memory_format=torch.channels_last)
        result: dict[str, np.ndarray] = {}
        with torch.inference_mode(), capture(network, paths, self.pool_layer) as captured:
            for start, batch in batches(stimuli, self.preprocess, BATCH):
                captured.start(len(batch))
                output = self.forward(batch.to(device).contiguous(memory_format=torch.channels_last))
                captured.record(OUTPUT, output)
                for layer in layers:
                    vectors = self._vectors(layer, captured.vectors, stimuli, start)
                    rows = result.setdefault(layer, np.empty((len(stimuli), vectors.shape[1]), np.float32))
                    rows[start : start + len(batch)] = vectors
                if progress is not None:
                    progress(start + len(batch), len(stimuli))
        return result

    def _vectors(
        self, layer: str, captured: dict[str, torch.Tensor], stimuli: Stimuli, start: int
    ) -> np.ndarray:
        if layer not in captured:
            raise BenchError(
                f"{self.spec.name}: layer {layer!r} is never called in the forward pass; name another"
            )
        vectors = captured[layer].cpu().numpy()
        finite = np.isfinite(vectors).all(axis=1)
        if not finite.all():
            raise DataError(
                f"{self.spec.name}: layer {layer!r} gives NaN or infinite features, first for stimulus "
                f"{stimuli.ids[start + int(np.argmin(finite))]!r}"
            )
        return vectors
