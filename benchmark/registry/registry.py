"""The registry: everything that exists, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from benchmark.common.errors import BenchError, UsageError
from benchmark.registry.names import parse_model_name, unknown
from benchmark.registry.resolve import load_plugin
from benchmark.registry.schema import (
    BindingEntry,
    Checkpoint,
    DatasetEntry,
    ModelEntry,
    SuiteEntry,
    TaskEntry,
)

E = TypeVar("E", ModelEntry, DatasetEntry, TaskEntry)
S = TypeVar("S")


@dataclass(frozen=True)
class Placed(Generic[E]):
    """An entry, and where it stands.

    Attributes
    ----------
    name : str
        As asked for; a model's with ``@untrained:SEED``.
    entry : ModelEntry, DatasetEntry or TaskEntry
    base : Path
        Folder of the registry file; the entry's paths are relative to it.
    where : str
        ``FILE:LINE``, for messages.
    untrained : int or None
        Of a model: the seed of its untrained twin, if that was asked for.
    """

    name: str
    entry: E
    base: Path
    where: str
    untrained: int | None = None

    def load(self) -> Any:
        """The class or function that the entry's ``plugin`` names.

        Raises
        ------
        BenchError
            If it cannot be had; the message begins with ``FILE:LINE``.
        """
        if self.entry.plugin is None:
            raise UsageError(f"{self.where}: {self.name}: is of kind training: a name, with nothing to read")
        try:
            return load_plugin(self.entry.plugin, self.base)
        except BenchError as error:
            raise type(error)(f"{self.where}: {self.name}: {error}") from error


@dataclass(frozen=True)
class Registry:
    """Everything that exists, by name.

    Attributes
    ----------
    models, datasets, tasks : dict of str to Placed
        Entries as written, no variant applied.
    suites : dict of str to SuiteEntry
    files : tuple of Path
        The files it was read from, the shipped one first.
    """

    models: Mapping[str, Placed[ModelEntry]] = field(default_factory=dict)
    datasets: Mapping[str, Placed[DatasetEntry]] = field(default_factory=dict)
    tasks: Mapping[str, Placed[TaskEntry]] = field(default_factory=dict)
    suites: Mapping[str, SuiteEntry] = field(default_factory=dict)
    files: tuple[Path, ...] = ()

    def model(self, name: str, suite: str | None = None) -> Placed[ModelEntry]:
        """The model ``NAME`` or ``NAME@untrained:SEED`` as it stands in ``suite``.

        An untrained twin has the checkpoint ``{untrained: SEED}`` and was trained on nothing. A model that is
        built from another keeps its entry: the other one is the twin.

        Raises
        ------
        UsageError
            If there is none, it is not for this suite, or it has no weights to leave untrained.
        """
        asked = parse_model_name(name)
        placed = _look_up("model", asked.name, self.models)
        if suite is not None:
            self.suite(suite)
            if placed.entry.suites is not None and suite not in placed.entry.suites:
                only = ", ".join(placed.entry.suites)
                raise UsageError(f"model {asked.name!r} is not for suite {suite!r}; it is for {only}")
        entry = self._with_parts(placed.entry.in_suite(suite), suite)
        if asked.untrained is not None:
            entry = _untrained(asked.name, entry, asked.untrained)
        return Placed(str(asked), entry, placed.base, placed.where, asked.untrained)

    def _with_parts(self, entry: ModelEntry, suite: str | None) -> ModelEntry:
        """Of a model built from another: trained on what that one was, and on the target it is built from."""
        built = entry.built_from
        if built is None:
            return entry
        other = self.model(built.model, suite).entry.trained_on
        target = () if built.target is None else (built.target,)
        return entry.model_copy(
            update={"trained_on": tuple(dict.fromkeys((*entry.trained_on, *other, *target)))}
        )

    def dataset(self, name: str) -> Placed[DatasetEntry]:
        """The stimulus set or target ``name``; UsageError names the nearest if there is none."""
        return _look_up("dataset", name, self.datasets)

    def task(self, name: str) -> Placed[TaskEntry]:
        """The task ``name``; UsageError names the nearest if there is none."""
        return _look_up("task", name, self.tasks)

    def suite(self, name: str) -> SuiteEntry:
        """The suite ``name``; UsageError names the nearest if there is none."""
        return _look_up("suite", name, self.suites)

    def bindings(self, suite: str) -> Mapping[str, BindingEntry]:
        """The bindings of a suite, in the order written."""
        return self.suite(suite).bindings

    def binding(self, suite: str, name: str) -> BindingEntry:
        """One binding of a suite; UsageError names the nearest if there is none."""
        return _look_up(f"binding of suite {suite!r}", name, self.bindings(suite))


def _untrained(name: str, entry: ModelEntry, seed: int) -> ModelEntry:
    """The entry with random weights; of one built from another model, that one's."""
    if entry.built_from is not None:
        target = entry.built_from.target
        return entry.model_copy(update={"trained_on": () if target is None else (target,)})
    if entry.checkpoint is None:
        raise UsageError(f"model {name!r} has no weights, so no untrained twin: ask for it plainly")
    return entry.model_copy(update={"checkpoint": Checkpoint(untrained=seed), "trained_on": ()})


def _look_up(what: str, name: str, known: Mapping[str, S]) -> S:
    if name not in known:
        raise UsageError(unknown(what, name, known))
    return known[name]
