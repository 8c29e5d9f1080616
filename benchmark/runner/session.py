"""The session of a run: the registry, the data, the stores, and everything that is loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from benchmark.common.errors import BenchError, DataError
from benchmark.common.files import cache_folder
from benchmark.datasets import DataRoot, Stimuli, Target
from benchmark.extraction.store import FeatureStore
from benchmark.model import BuiltFrom, ModelSpec
from benchmark.registry import (
    Placed,
    Registry,
    load_registry,
    plugin_source_hash,
    resolve_checkpoint,
)
from benchmark.registry.schema import DatasetEntry, ModelEntry
from benchmark.results import ResultStore
from benchmark.runner.loaded import KeptModel, LoadedModel
from benchmark.task import Task

T = TypeVar("T")


@dataclass(frozen=True)
class Options:
    """The options of a run, without its cells. They can be pickled, so that workers open the same session.

    Attributes
    ----------
    registries : tuple of Path
        The user's registry files, which are added to the shipped one.
    data : Path or None
        The data root; None: ``$BENCH_DATA``, else the user's data directory.
    output : Path
        Folder for the results.
    layers : tuple of str or None
        The layers to score (:func:`benchmark.runner.layers.choose_layers`).
    device : str
        "cpu", "cuda" or "mps".
    seed : int
        Seed of everything random.
    """

    registries: tuple[Path, ...] = ()
    data: Path | None = None
    output: Path = Path("results")
    layers: tuple[str, ...] | None = None
    device: str = "cpu"
    seed: int = 0


@dataclass
class Session:
    """Loads each thing once and keeps it for the run."""

    options: Options
    _kept: dict[tuple[str, ...], Any] = field(default_factory=dict, repr=False)

    @cached_property
    def registry(self) -> Registry:
        """The shipped registry and the user's own."""
        return load_registry(self.options.registries)

    @cached_property
    def data(self) -> DataRoot:
        """The data root of this run."""
        return DataRoot.find(self.options.data)

    @cached_property
    def results(self) -> ResultStore:
        """The store of results."""
        return ResultStore(self.options.output)

    @cached_property
    def features(self) -> FeatureStore:
        """The store of features."""
        return FeatureStore(cache_folder() / "features")

    def stimuli(self, name: str) -> Stimuli:
        """The stimulus set ``name``."""
        return self._dataset(name, Stimuli)

    def target(self, name: str) -> Target:
        """The target ``name``."""
        return self._dataset(name, Target)

    def task(self, name: str) -> Task:
        """The task ``name``."""
        task: Task = self._once("task", name, lambda: self.registry.task(name).load()())
        return task

    def model(self, name: str, suite: str) -> LoadedModel:
        """The model ``name`` in ``suite``: its weights are found, and its network is not built yet."""
        return self._once(
            "model", f"{suite}/{name}", lambda: self._load(self.registry.model(name, suite), suite)
        )

    def adopt(self, loaded: LoadedModel, suite: str) -> None:
        """Keep ``loaded``, a model made in Python, as if it were loaded by its name in ``suite``."""
        self._kept["model", f"{suite}/{loaded.placed.name}"] = loaded

    def _load(self, placed: Placed[ModelEntry], suite: str) -> LoadedModel:
        entry = placed.entry
        inner, target = self._built_from(placed, suite)
        checkpoint = resolve_checkpoint(entry, placed.base, self.data.path, cache_folder())
        spec = ModelSpec(
            name=placed.name,
            params=entry.params,
            weights=checkpoint.path,
            hub=checkpoint.hub,
            untrained=checkpoint.untrained,
            data=self.data.path,
            sha256=checkpoint.sha256,
            revision=checkpoint.revision,
            built_from=None
            if inner is None or entry.built_from is None
            else BuiltFrom(KeptModel(inner, self.features), target, entry.built_from.on),
        )
        model = placed.load()(spec)
        source = plugin_source_hash(entry.plugin, placed.base)
        return LoadedModel(model, placed, checkpoint, source, inner, target)

    def _built_from(self, placed: Placed[ModelEntry], suite: str) -> tuple[LoadedModel | None, Target | None]:
        """What a model is built from: another model and a target.

        For an untrained twin, it is the twin of the other model with the same seed.
        """
        built = placed.entry.built_from
        if built is None:
            return None, None
        name = built.model if placed.untrained is None else f"{built.model}@untrained:{placed.untrained}"
        other = self.registry.model(name, suite)
        params = {**other.entry.params, **built.params}
        inner = self._load(replace(other, entry=other.entry.model_copy(update={"params": params})), suite)
        return inner, None if built.target is None else self.target(built.target)

    def _dataset(self, name: str, kind: type[T]) -> T:
        def load() -> T:
            placed = self.registry.dataset(name)
            entry: DatasetEntry = placed.entry
            root = DataRoot(self.data.path, {name: entry.how} if entry.how else {})
            found = placed.load()(root, name=name, **entry.params)
            if not isinstance(found, kind):
                raise DataError(
                    f"{placed.where}: dataset {name!r} gives {type(found).__name__}; "
                    f"a {kind.__name__} is needed here"
                )
            return found

        return self._once("dataset", name, load)

    def _once(self, what: str, name: str, load: Callable[[], T]) -> T:
        """Load once. An error is kept too, and raised again without the work."""
        kept = self._kept
        if (what, name) not in kept:
            try:
                kept[what, name] = load()
            except BenchError as error:
                kept[what, name] = error
        if isinstance(kept[what, name], BenchError):
            raise kept[what, name]
        return kept[what, name]  # type: ignore[no-any-return]


def binding_seed(seed: int, suite: str, binding: str) -> int:
    """Seed of a binding: the same for all models, in any order of cells.

    Parameters
    ----------
    seed : int
        Seed of the run.
    suite, binding : str
        Names.

    Returns
    -------
    int
    """
    digest = hashlib.sha256(f"{seed}/{suite}/{binding}".encode()).digest()
    return int.from_bytes(digest[:8], "big")
