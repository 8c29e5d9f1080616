"""The registry: everything that exists, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from benchmark.common.errors import BenchError, UsageError
from benchmark.registry.collections import CollectionEntry
from benchmark.registry.names import parse_model_name, unknown
from benchmark.registry.resolve import load_plugin, require_params
from benchmark.registry.schema import (
    BindingEntry,
    Checkpoint,
    DatasetEntry,
    ModelEntry,
    SuiteEntry,
    TaskEntry,
)

E = TypeVar("E", ModelEntry, DatasetEntry, TaskEntry, CollectionEntry)
S = TypeVar("S")


@dataclass(frozen=True)
class Placed(Generic[E]):
    """An entry and its place in a registry file.

    Attributes
    ----------
    name : str
        Name of the entry; of a twin with ``@untrained:SEED``.
    entry : ModelEntry, DatasetEntry, TaskEntry or CollectionEntry
    base : Path
        Folder of the registry file. The entry's paths are relative to it.
    where : str
        ``FILE:LINE``, for messages.
    untrained : int or None
        Seed of the untrained twin; None: not an untrained twin.
    """

    name: str
    entry: E
    base: Path
    where: str
    untrained: int | None = None

    def load(self) -> Any:
        """Load the class or function that the entry's ``plugin`` names.

        Raises
        ------
        BenchError
            If it cannot be loaded, or does not take the parameters of a data set; the message begins with
            ``FILE:LINE``.
        """
        plugin = getattr(self.entry, "plugin", None)
        if plugin is None:
            raise UsageError(f"{self.where}: {self.name}: is of kind training: a name, with nothing to read")
        try:
            loaded = load_plugin(plugin, self.base)
            if isinstance(self.entry, DatasetEntry):
                require_params(loaded, self.entry.params)
        except BenchError as error:
            raise type(error)(f"{self.where}: {self.name}: {error}") from error
        return loaded


@dataclass(frozen=True)
class Registry:
    """Everything that exists, by name.

    Attributes
    ----------
    models, datasets, tasks, collections : dict of str to Placed
        The entries as they are written, without the variant of a suite.
    suites : dict of str to SuiteEntry
    files : tuple of Path
        The registry files, the shipped one first.
    own_models, own_suites : frozenset of str
        Names of the models and suites that are not in the first file: the user's own.
    """

    models: Mapping[str, Placed[ModelEntry]] = field(default_factory=dict)
    datasets: Mapping[str, Placed[DatasetEntry]] = field(default_factory=dict)
    tasks: Mapping[str, Placed[TaskEntry]] = field(default_factory=dict)
    collections: Mapping[str, Placed[CollectionEntry]] = field(default_factory=dict)
    suites: Mapping[str, SuiteEntry] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    own_models: frozenset[str] = frozenset()
    own_suites: frozenset[str] = frozenset()

    def model(self, name: str, suite: str | None = None) -> Placed[ModelEntry]:
        """Look up a model as one suite uses it.

        An untrained twin has the checkpoint ``{untrained: SEED}``, and its ``trained_on`` is empty. A model
        that is built from another model keeps its entry: the twin is then that other model.

        Parameters
        ----------
        name : str
            ``NAME`` or ``NAME@untrained:SEED``.
        suite : str, optional
            The suite whose variant of the entry is used; None: the entry without a variant.

        Returns
        -------
        Placed of ModelEntry

        Raises
        ------
        UsageError
            If there is no such model, it is not for this suite, it has no weights and so no twin, or its
            weights differ between suites and a suite of the user's own does not say which.
        """
        wanted = parse_model_name(name)
        placed = _look_up("model", wanted.name, self.models)
        version = None if suite is None else self.version(wanted.name, suite)
        entry = self._add_trained_on(placed.entry.in_suite(version), suite)
        if wanted.untrained is not None:
            entry = _untrained(wanted.name, entry, wanted.untrained)
        return Placed(str(wanted), entry, placed.base, placed.where, wanted.untrained)

    def version(self, name: str, suite: str) -> str:
        """The suite whose variant of the model ``name`` is used in ``suite``.

        That is ``suite`` itself, or for a user's own suite the one that it extends. The list ``suites`` of a
        shipped model does not restrict a user's own suites.

        Parameters
        ----------
        name : str
            Name of the model.
        suite : str
            Name of the suite.

        Returns
        -------
        str

        Raises
        ------
        UsageError
            As for :meth:`model`.
        """
        entry, used = self.models[parse_model_name(name).name].entry, self.suite(suite)
        names = [suite] if used.extends is None else [suite, used.extends]
        is_free = name not in self.own_models and suite in self.own_suites
        fitting = [known for known in names if known in entry.variants or known in (entry.suites or ())]
        if fitting:
            return fitting[0]
        if entry.suites is not None and not is_free:
            only = ", ".join(entry.suites)
            raise UsageError(f"model {name!r} is not for suite {suite!r}; it is for {only}")
        if is_free and entry.variants and used.extends is None and not used.miniature:
            known = ", ".join(name for name in self.suites if name not in self.own_suites)
            raise UsageError(
                f"model {name!r} has other weights in each of the suites {known}; say whose it has in suite "
                f"{suite!r}: extends: {next(iter(entry.variants))}"
            )
        return names[-1]

    def first_suite(self, name: str) -> str:
        """The first suite in which the model ``name`` may take part."""
        entry = self.model(name).entry
        return entry.suites[0] if entry.suites else next(iter(self.suites))

    def _add_trained_on(self, entry: ModelEntry, suite: str | None) -> ModelEntry:
        """The entry; for a model built from another, with that model's data and its target in trained_on."""
        origin = entry.built_from
        if origin is None:
            return entry
        inherited = self.model(origin.model, suite).entry.trained_on
        target = () if origin.target is None else (origin.target,)
        return entry.model_copy(
            update={"trained_on": tuple(dict.fromkeys((*entry.trained_on, *inherited, *target)))}
        )

    def dataset(self, name: str) -> Placed[DatasetEntry]:
        """Look up the stimulus set or target ``name``; if there is none, UsageError names the nearest."""
        return _look_up("dataset", name, self.datasets)

    def task(self, name: str) -> Placed[TaskEntry]:
        """Look up the task ``name``; if there is none, UsageError names the nearest."""
        return _look_up("task", name, self.tasks)

    def suite(self, name: str) -> SuiteEntry:
        """Look up the suite ``name``; if there is none, UsageError names the nearest."""
        return _look_up("suite", name, self.suites)

    def bindings(self, suite: str) -> Mapping[str, BindingEntry]:
        """The bindings of the suite ``suite``, in the order in which they are written."""
        return self.suite(suite).bindings

    def binding(self, suite: str, name: str) -> BindingEntry:
        """Look up the binding ``name`` of ``suite``; if there is none, UsageError names the nearest."""
        return _look_up(f"binding of suite {suite!r}", name, self.bindings(suite))


def _untrained(name: str, entry: ModelEntry, seed: int) -> ModelEntry:
    """The entry of a twin. Where the model is built from another, that other model is the twin."""
    if entry.built_from is not None:
        target = entry.built_from.target
        return entry.model_copy(update={"trained_on": () if target is None else (target,)})
    if entry.checkpoint is None:
        raise UsageError(f"model {name!r} has no weights, so no untrained twin: leave out @untrained:{seed}")
    checkpoint = Checkpoint(untrained=seed, settings_of=entry.checkpoint.hub or entry.checkpoint.settings_of)
    return entry.model_copy(update={"checkpoint": checkpoint, "trained_on": ()})


def _look_up(what: str, name: str, known: Mapping[str, S]) -> S:
    if name not in known:
        raise UsageError(unknown(what, name, known))
    return known[name]
