"""The session of a run: the registry, the data, the stores, and everything that is loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from benchmark.common.errors import BenchError, DataError, UsageError
from benchmark.common.files import cache_folder
from benchmark.datasets import AssociationTarget, DataRoot, Stimuli, Target
from benchmark.datasets.content import hashed_by_content
from benchmark.datasets.join import rows_in_all
from benchmark.extraction.devices import resolve_device, set_deterministic
from benchmark.extraction.store import FeatureStore
from benchmark.model import BuiltFrom, Model, ModelSpec
from benchmark.registry import (
    Placed,
    Registry,
    is_shipped,
    load_plugin,
    load_registry,
    plugin_code,
    resolve_checkpoint,
    shipped_root,
)
from benchmark.registry.schema import AssociationRuleEntry, BindingEntry, DatasetEntry, ModelEntry
from benchmark.registry.schema import BuiltFrom as BuiltFromEntry
from benchmark.results import VARIANT, ResultStore
from benchmark.runner.loaded import KeptModel, LoadedModel
from benchmark.task import Task

if TYPE_CHECKING:
    from benchmark.representation.associations import AssociationRule

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
        "cpu", "cuda", "mps", or "auto" (:func:`benchmark.extraction.devices.resolve_device`).
    seed : int
        Seed of everything random.
    deterministic : bool
        Whether networks use only operations that give the same bits each time.
    """

    registries: tuple[Path, ...] = ()
    data: Path | None = None
    output: Path = Path("results")
    layers: tuple[str, ...] | None = None
    device: str = "cpu"
    seed: int = 0
    deterministic: bool = False


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
    def device(self) -> str:
        """Where networks run."""
        set_deterministic(self.options.deterministic)
        return resolve_device(self.options.device)

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

    def target_of(self, binding: BindingEntry) -> Target:
        """The target of ``binding``, with only the rows that ``concepts_common_to`` leaves."""
        target = self.target(binding.target)
        if not binding.concepts_common_to:
            return target
        return rows_in_all(target, [self.target(name) for name in binding.concepts_common_to])

    def task(self, name: str) -> Task:
        """The task ``name``."""
        task: Task = self._once("task", name, lambda: self.registry.task(name).load()())
        return task

    def params(self, binding: BindingEntry) -> dict[str, Any]:
        """The parameters that ``binding`` gives its task; functions that it names are loaded."""
        own = {key: load_plugin(text, binding.base) for key, text in self._functions(binding).items()}
        return {**binding.params, **own}

    def functions_key(self, binding: BindingEntry) -> dict[str, Any]:
        """The part of a cache key for the functions that ``binding`` names: their code."""
        functions = self._functions(binding).items()
        return {key: plugin_code(text, binding.base).as_key() for key, text in functions}

    def _functions(self, binding: BindingEntry) -> dict[str, str]:
        """The parameters that name a function. No task is loaded where none can."""
        named = functions_in(binding.params)
        known = self.task(binding.task).parameters if named else {}
        return {key: text for key, text in named.items() if key in known and known[key].plugin}

    def rule(self, binding: BindingEntry) -> AssociationRule:
        """The rule under which ``binding`` compares association profiles (:meth:`rule_of`)."""
        return self.rule_of(binding.associations, self.task(binding.task).association_rule)

    def rule_of(self, entry: AssociationRuleEntry | None, default: str) -> AssociationRule:
        """The rule of an entry, with its norms; ``default`` names the rule where there is no entry.

        Raises
        ------
        BenchError
            If its norms cannot be read, or are no association norms.
        """
        from benchmark.representation.associations import DECAY, AssociationRule  # imports the measures

        if entry is None:
            return AssociationRule(default)
        norms = None if entry.norms is None else self._dataset(entry.norms, AssociationTarget)
        return AssociationRule(entry.rule, norms, entry.decay or DECAY)

    def rule_key(self, binding: BindingEntry) -> dict[str, Any]:
        """The part of a cache key for the rule of ``binding``. The rule of the task is in the task's code."""
        entry = binding.associations
        if entry is None:
            return {}
        norms = None if entry.norms is None else self.dataset_key(entry.norms)
        return {**entry.model_dump(mode="json"), "norms": norms}

    def model(self, name: str, suite: str, pooling: str | None = None) -> LoadedModel:
        """The model ``name`` in ``suite``: its weights are found, and its network is not built yet.

        ``pooling`` is that of the binding (:class:`benchmark.registry.BindingEntry`).
        """
        place = f"{suite}/{name}"
        if pooling is not None:
            return self._once(
                f"model, pooling {pooling}", place, lambda: self.model(name, suite).pooled(pooling)
            )
        return self._once("model", place, lambda: self._load(self.registry.model(name, suite), suite))

    def home_of(self, name: str, suite: str) -> tuple[str, str] | None:
        """The first binding, as suite and name, of whose stimuli the model ``name`` can represent some.

        A binding whose stimuli are not here, or that the model may not enter, is left out. None: there is no
        such binding.
        """

        def find() -> tuple[str, str] | None:
            model = self.model(name, suite)
            tried: set[str] = set()
            for other, entry in self.registry.suites.items():
                for binding, bound in entry.bindings.items():
                    if bound.stimuli in tried or other not in (model.placed.entry.suites or [other]):
                        continue
                    tried.add(bound.stimuli)
                    with suppress(BenchError):
                        if model.model.covered(self.stimuli(bound.stimuli)):
                            return other, binding
            return None

        return self._once("home", f"{suite}/{name}", find)

    def adopt(self, loaded: LoadedModel, suite: str) -> None:
        """Keep ``loaded``, a model made in Python, as if it were loaded by its name in ``suite``."""
        self._kept["model", f"{suite}/{loaded.placed.name}"] = loaded

    def _load(self, placed: Placed[ModelEntry], suite: str) -> LoadedModel:
        entry, built = placed.entry, placed.entry.built_from
        inner = None if built is None else self._inner(placed, built, suite)
        checkpoint = resolve_checkpoint(entry, placed.base, self.data.path, cache_folder())

        def make() -> Model:
            parts = None
            if built is not None and inner is not None:
                target = None if built.target is None else self.target(built.target)
                parts = BuiltFrom(KeptModel(inner, self.features), target, built.on)
            spec = ModelSpec(
                name=placed.name,
                params=entry.params,
                weights=checkpoint.path,
                hub=checkpoint.hub,
                untrained=checkpoint.untrained,
                settings_of=checkpoint.settings_of,
                data=self.data.path,
                base=_own_base(placed),
                sha256=checkpoint.sha256,
                revision=checkpoint.revision,
                built_from=parts,
            )
            model: Model = placed.load()(spec)
            return model

        target = self.dataset_key(built.target) if built is not None and built.target is not None else None
        code = plugin_code(entry.plugin, placed.base)
        return LoadedModel(placed, checkpoint, code, make, inner, target)

    def _inner(self, placed: Placed[ModelEntry], built: BuiltFromEntry, suite: str) -> LoadedModel:
        """The other model from which a model is built; for an untrained twin, its twin of the same seed."""
        name = built.model if placed.untrained is None else f"{built.model}@untrained:{placed.untrained}"
        inner = self.registry.model(name, suite)
        params = {**inner.entry.params, **built.params}
        return self._load(replace(inner, entry=inner.entry.model_copy(update={"params": params})), suite)

    def hash_of(self, name: str) -> str:
        """The hash of the target ``name``, or the manifest of the stimulus set ``name``.

        A reader marked with :func:`benchmark.datasets.hashed_by` gives it without reading the data set.
        """
        placed = self.registry.dataset(name)
        hash_of = getattr(placed.load(), "hash_of", None)
        if hash_of is not None and is_shipped(str(placed.entry.plugin), placed.base):
            return str(hash_of(self._source(placed), name=name, **placed.entry.params))
        dataset: Any = self._dataset(name, object)
        return str(dataset.manifest if isinstance(dataset, Stimuli) else dataset.hash)

    def dataset_key(self, name: str) -> dict[str, Any]:
        """The part of a cache key for the data set ``name``.

        It holds the hash, the entry, the code of a user's own reader, and the key of the features of a target
        that is made from a model.
        """

        def make() -> dict[str, Any]:
            placed = self.registry.dataset(name)
            entry = placed.entry
            key = {"hash": self.hash_of(name), "plugin": entry.plugin, "params": entry.params}
            features_of = getattr(placed.load(), "features_of", None)
            if features_of is not None:
                key["features"] = features_of(self, **entry.params)
            return key | (self._reader(placed) or {})

        return self._once("dataset_key", name, make)

    def _reader(self, placed: Placed[DatasetEntry]) -> dict[str, Any] | None:
        """The code of a reader as part of a key; None for a reader of the suite, which other parts hold."""
        plugin = str(placed.entry.plugin)
        return None if is_shipped(plugin, placed.base) else plugin_code(plugin, placed.base).as_key()

    def _source(self, placed: Placed[DatasetEntry]) -> DataRoot | Session:
        """What a reader reads from: the data root, or this session if it makes a target from a model."""
        return self if hasattr(placed.load(), "features_of") else self._root(placed)

    def _root(self, placed: Placed[DatasetEntry]) -> DataRoot:
        how = placed.entry.how
        if how and placed.entry.collections:
            how = f"{how}; bench data pull {placed.name} gets it, or says the steps"
        return DataRoot(self.data.path, {placed.name: how} if how else {}, _own_base(placed))

    def _dataset(self, name: str, kind: type[T]) -> T:
        placed = self.registry.dataset(name)

        def read() -> Any:
            dataset = placed.load()(self._source(placed), name=name, **placed.entry.params)
            reader = self._reader(placed)
            return dataset if reader is None else hashed_by_content(dataset, reader)

        dataset = self._once("dataset", name, read)
        if not isinstance(dataset, kind):
            raise DataError(
                f"{placed.where}: dataset {name!r} gives {type(dataset).__name__}; "
                f"a {kind.__name__} is needed here"
            )
        return dataset

    def _once(self, what: str, name: str, load: Callable[[], T]) -> T:
        """Load once. An error is kept too, and raised again without the work."""
        kept = self._kept
        if (what, name) not in kept:
            kept[what, name] = UsageError(f"{name!r} is made from itself")  # for a load that comes back here
            try:
                kept[what, name] = load()
            except BenchError as error:
                kept[what, name] = error
            except BaseException:
                del kept[what, name]
                raise
        if isinstance(kept[what, name], BenchError):
            raise kept[what, name]
        return kept[what, name]  # type: ignore[no-any-return]


def _own_base(placed: Placed[Any]) -> Path | None:
    """The folder of a user's registry file. Files that shipped entries name are under the data root."""
    return None if placed.base == shipped_root() else placed.base


def functions_in(params: Mapping[str, Any]) -> dict[str, str]:
    """The entries of ``params``, those of a binding, that may name a function: texts with a colon."""
    return {key: value for key, value in params.items() if isinstance(value, str) and ":" in value}


def binding_seed(seed: int, suite: str, binding: str) -> int:
    """Seed of a binding: the same for all models, in any order of cells, and for each recipe of an RDM.

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
    written = binding.partition(VARIANT)[0]
    digest = hashlib.sha256(f"{seed}/{suite}/{written}".encode()).digest()
    return int.from_bytes(digest[:8], "big")
