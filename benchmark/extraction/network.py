"""The base of every model that is a torch module with named layers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmark.common.cost import Cost
from benchmark.common.did_you_mean import did_you_mean
from benchmark.common.errors import UsageError
from benchmark.datasets.stimuli import Stimuli
from benchmark.extraction.capture import Captured, capture
from benchmark.extraction.cost import timed_cost
from benchmark.extraction.images import shared_images
from benchmark.extraction.layer_sets import by_depth, convolutions, layer_set
from benchmark.extraction.loader import batches, in_parts, require_one_shape
from benchmark.extraction.pooling import declared_poolings, pool, projection_size
from benchmark.extraction.precision import FEWEST, PRECISIONS, arithmetic, require_same_rdms
from benchmark.extraction.projection import Projection
from benchmark.extraction.rows import FeatureRows
from benchmark.extraction.weights import seeded
from benchmark.model import OUTPUT, Model, ModelSpec, Progress

#: Stimuli per batch on a GPU, and in the one batch that is passed twice to compare two precisions.
BATCH = 32
#: Stimuli per batch on a CPU; in half the precision twice as many. The maps of a larger batch are too large
#: for the allocator to reuse (32 MiB with glibc). Each would then be new memory, which the system clears page
#: by page, and less of it would be in the processor's cache when it is read again.
BATCH_ON_CPU = 8


class NetworkModel(Model):
    """A torch module with its own preprocessing and named layers.

    A subclass defines :meth:`build`, :meth:`preprocess`, :meth:`modules` and ``preprocessing``. One forward
    pass gives all layers: hooks pool each activation as it arrives.

    Attributes
    ----------
    pooling : str
        How activations become vectors (:func:`benchmark.extraction.pool`) if the entry does not say it.
    precision : {"float32", "bfloat16"}
        Precision of the forward pass. bfloat16 is refused if it changes the RDM of a layer.

    Notes
    -----
    ``params: {layers: [...]}`` replaces the layers of :meth:`modules`. Each name in it is one of these
    layers, or the dotted path of a module. ``params: {layers: SET}`` names a set
    (:mod:`benchmark.extraction.layer_sets`). The last layer is always ``"output"``, what the forward pass
    returns.

    ``params: {pooling: max}`` overrides the pooling of all layers. ``params: {pooling: {conv1: none,
    /blocks/: projection:4096}}`` overrides the pooling of some.
    """

    pooling: str = "average"

    def __init__(self, spec: ModelSpec | None = None) -> None:
        super().__init__(spec)
        declared = self.spec.params.get("pooling", {})
        try:
            for how in [declared] if isinstance(declared, str) else [self.pooling, *declared.values()]:
                projection_size(how)
        except ValueError as error:
            raise UsageError(f"{self.spec.name}: {error}") from error
        if isinstance(declared, str):
            self.pooling = declared
        self.precision = self.spec.params.get("precision", PRECISIONS[0])
        if self.precision not in PRECISIONS:
            raise UsageError(
                f"{self.spec.name}: unknown precision {self.precision!r}; known: {', '.join(PRECISIONS)}"
            )
        self._projections: dict[str, Projection] = {}

    @abstractmethod
    def build(self) -> torch.nn.Module:
        """Make the network and load its weights.

        The caller seeds torch's random numbers before (with ``spec.untrained``), and puts the module in eval
        mode afterwards.
        """

    @abstractmethod
    def preprocess(self, image: Image.Image) -> torch.Tensor:
        """RGB image to tensor, float32, shape (c, h, w). The shape is the same for every image."""

    @abstractmethod
    def modules(self) -> dict[str, str]:
        """Layer name to dotted module path, from the input to the output; without ``"output"``.

        A path that ends in ``:input`` means the input of the module, not its output.
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
        """Every layer with a name: those of :meth:`modules` and of ``params``, and every convolution."""
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
            raise UsageError(f"{self.spec.name} has no layer {layer!r}; {did_you_mean(layer, known, most=3)}")

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """One forward pass. What it returns is the layer ``"output"``."""
        output: torch.Tensor = self.network(batch)
        return output

    @property
    def gives_one_shape(self) -> bool:
        """Whether the preprocessing gives one shape for images of any shape; else all are looked at first."""
        return True

    @property
    def prefix_tokens(self) -> int | None:
        """Number of tokens before the patches: the class token and registers.

        None: it is not known, and the poolings ``cls`` and ``patches`` are refused. A plug-in whose network
        has tokens says it: ``prefix_tokens = 1``.
        """
        return None

    def default_pooling(self, layer: str, activation: torch.Tensor) -> str:
        """Pooling of a layer for which the entry names none."""
        del layer, activation
        return self.pooling

    def pool_layer(self, layer: str, activation: torch.Tensor) -> torch.Tensor:
        """Activation of ``layer`` to vectors, shape (n, d)."""
        return self._pooled(layer, activation, self.prefix_tokens)

    def pooling_of(self, layer: str, activation: torch.Tensor) -> str:
        """Pooling of a layer: that of the entry, else the default."""
        return self._poolings.get(layer) or self.default_pooling(layer, activation)

    def _pooled(self, layer: str, activation: torch.Tensor, leading: int | None) -> torch.Tensor:
        how = self.pooling_of(layer, activation)
        size = projection_size(how)
        if size is None:
            return pool(activation, how, leading)
        vectors = activation.flatten(1)
        projection = self._projections.get(layer)
        if projection is None or projection.width != vectors.shape[1]:
            projection = Projection(layer, size, vectors.shape[1], vectors.device)
            self._projections[layer] = projection
        return projection(vectors)

    @cached_property
    def _poolings(self) -> dict[str, str]:
        try:
            return declared_poolings(self.spec.params.get("pooling", {}), self.all_layers)
        except ValueError as error:
            raise UsageError(f"{self.spec.name}: {error}") from error

    def pooled(self, how: str) -> NetworkModel:
        """The same network, with ``how`` as the pooling of every layer, whatever the entry names.

        Parameters
        ----------
        how : str
            One of :data:`benchmark.extraction.POOLINGS`, or ``grid:SIZE``.
        """
        other = copy(self)
        other.spec = replace(self.spec, params={**self.spec.params, "pooling": how})
        other.pooling = how
        other._projections = {}
        vars(other).pop("_poolings", None)  # was computed from the other params
        return other

    def features(
        self,
        stimuli: Stimuli,
        layers: Sequence[str],
        *,
        device: str = "cpu",
        progress: Progress | None = None,
    ) -> dict[str, np.ndarray]:
        """Features of every stimulus. One forward pass per batch gives all layers.

        Parameters
        ----------
        stimuli : Stimuli
            The stimuli, with images.
        layers : sequence of str
            Names from :attr:`all_layers`.
        device : {"cpu", "cuda", "mps"}
            Where the network runs.
        progress : callable, optional
            Called after each batch: ``progress(done, total)``, two numbers of stimuli.

        Returns
        -------
        dict of str to ndarray, shape (len(stimuli), d_layer), float32
            Features by layer. Rows are in the order of the stimuli.

        Raises
        ------
        UsageError
            If a layer does not exist.
        BenchError
            If a layer is never called, or does not give a tensor with one row per stimulus.
        DataError
            If a feature is not finite. The message names the layer and the first such stimulus.
        """
        network = self._ready(layers, device)
        if not self.gives_one_shape:
            require_one_shape(stimuli.ids, self._loader(stimuli))
        precision = self.precision if len(stimuli) >= FEWEST else PRECISIONS[0]
        if precision != PRECISIONS[0]:
            self._require_same_rdms(stimuli, layers, device)
        size = _batch_size(device, precision)
        with FeatureRows(self.spec.name, stimuli) as rows:
            with (
                torch.inference_mode(),
                capture(network, self._hooked(layers), self.pool_layer, rows.add) as captured,
            ):

                def run(start: int, part: torch.Tensor) -> None:
                    rows.start(start)
                    self._pass(part, captured, layers, device, precision)
                    rows.finish(layers)

                for start, batch in batches(
                    stimuli.ids, self._loader(stimuli), size, pinned=device == "cuda"
                ):
                    size = in_parts(self.spec.name, start, batch, size, run)
                    if progress is not None:
                        progress(start + len(batch), len(stimuli))
            self._projections.clear()
            return rows.result()

    def trace(self, stimuli: Stimuli, *, device: str = "cpu") -> dict[str, np.ndarray]:
        """The preprocessed pixels of one stimulus, and the output for it.

        Parameters
        ----------
        stimuli : Stimuli
            One stimulus.
        device : {"cpu", "cuda", "mps"}
            Where the network runs.

        Returns
        -------
        dict of str to ndarray
            "pixels" and "output".
        """
        return {"pixels": self.preprocess(stimuli.image(0)).numpy(), **super().trace(stimuli, device=device)}

    def estimate(self, stimuli: Stimuli, layers: Sequence[str], *, device: str = "cpu") -> Cost:
        """What :meth:`features` will cost, estimated from the first stimuli, which are timed."""
        widths: dict[str, int] = {}

        def measure(layer: str, vectors: torch.Tensor) -> None:
            widths[layer] = vectors.shape[1]

        network, load = self._ready(layers, device), self._loader(stimuli)
        size = _batch_size(device, self.precision)
        with (
            torch.inference_mode(),
            capture(network, self._hooked(layers), self.pool_layer, measure) as captured,
        ):

            def run(count: int) -> None:
                for _, batch in batches(stimuli.ids[:count], load, size):
                    self._pass(batch, captured, layers, device, self.precision)

            return timed_cost(len(stimuli), run, BATCH, lambda: sum(widths.get(layer, 0) for layer in layers))

    def _loader(self, stimuli: Stimuli) -> Callable[[int], torch.Tensor]:
        # plug-ins share images only if their functions are the same, and not only their descriptions
        function = type(self).preprocess
        description = f"{function.__module__}.{function.__qualname__}: {self.preprocessing}"
        return shared_images(stimuli, self.preprocess, description)

    def _ready(self, layers: Sequence[str], device: str) -> torch.nn.Module:
        for layer in layers:
            self._require(layer, self.all_layers)
        return self.network.to(device).to(memory_format=torch.channels_last)

    def _hooked(self, layers: Sequence[str]) -> dict[str, str]:
        return {layer: self._all_paths[layer] for layer in layers if layer != OUTPUT}

    def _pass(
        self, batch: torch.Tensor, captured: Captured, layers: Sequence[str], device: str, precision: str
    ) -> None:
        """One forward pass. Every layer is pooled and passed on in it."""
        captured.start(len(batch))
        batch = batch.to(device, non_blocking=True).contiguous(memory_format=torch.channels_last)
        with arithmetic(precision, device):
            output = self.forward(batch)
        if OUTPUT in layers:
            captured.record(OUTPUT, output)

    def _require_same_rdms(self, stimuli: Stimuli, layers: Sequence[str], device: str) -> None:
        """Pass the first batch in both precisions, and compare the RDMs of every layer."""
        features: list[dict[str, torch.Tensor]] = []

        def keep(layer: str, vectors: torch.Tensor) -> None:
            features[-1][layer] = vectors.to(torch.float32, copy=True)

        network = self._ready(layers, device)
        _, batch = next(batches(stimuli.ids[:BATCH], self._loader(stimuli), BATCH))
        with (
            torch.inference_mode(),
            capture(network, self._hooked(layers), self.pool_layer, keep) as captured,
        ):
            for precision in PRECISIONS:
                features.append({})
                self._pass(batch, captured, layers, device, precision)
        require_same_rdms(self.spec.name, *({x: f[x] for x in layers if x in f} for f in features))


def _batch_size(device: str, precision: str) -> int:
    if device != "cpu":
        return BATCH
    return BATCH_ON_CPU if precision == PRECISIONS[0] else 2 * BATCH_ON_CPU
