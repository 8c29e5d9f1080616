"""``bench data list``: which data are here, what each suite lacks, and how to get it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.cli.collections import new_table
from benchmark.cli.console import console, say
from benchmark.common.errors import UsageError
from benchmark.datasets.catalogue import Collection, FileState, state_of
from benchmark.registry import Registry, unknown
from benchmark.registry.choose import chosen_collections, used_for
from benchmark.runner import Options, Session
from benchmark.submission.data_states import DataState, data_states

#: Names of missing data sets that a suite shows in the summary
_SHOWN = 6


def list_data(options: Options, name: str | None = None, *, everything: bool = False) -> None:
    """Print which data are here: a summary of one screen, or what there is to say of some.

    Parameters
    ----------
    options : Options
        Registries and data root.
    name : str, optional
        A data set, a collection or a suite, of which all is said.
    everything : bool
        Whether all is said of all.

    Raises
    ------
    UsageError
        If there is no such name.
    """
    session = Session(options)
    registry = session.registry
    known = (*registry.datasets, *registry.collections, *registry.suites)
    if name is not None and name not in known:
        raise UsageError(unknown("data set, collection or suite", name, dict.fromkeys(known)))
    states = list(data_states(session))
    collections = [_Here.of(collection, session) for collection in chosen_collections(registry, None)]
    say(f"data root: {session.data.path}")
    if name is None and not everything:
        _summarise(registry, states, collections)
        return
    if name is not None:
        states = [found for found in states if _is_meant(registry, found, name)]
        read = {place for found in states for place in registry.dataset(found.name).entry.collections} | {
            name
        }
        collections = [found for found in collections if found.collection.name in read]
    _say_all(registry, states, collections)


def _is_meant(registry: Registry, found: DataState, name: str) -> bool:
    """Whether ``name`` is the data set, a suite that needs it, or a collection that it is read from.

    A data set of the user's own has a suite of the same name, which extends a whole one: it is not meant.
    """
    suites = () if name in registry.datasets else found.suites
    return name in (found.name, *suites, *registry.dataset(found.name).entry.collections)


@dataclass(frozen=True)
class _Here:
    """What is here of a collection."""

    collection: Collection
    states: tuple[FileState, ...]

    @classmethod
    def of(cls, collection: Collection, session: Session) -> _Here:
        folder = session.data.path / collection.name
        return cls(collection, tuple(state_of(folder, file, hashed=False) for file in collection.files))

    @property
    def missing(self) -> list[FileState]:
        return [state for state in self.states if state.state in ("missing", "changed")]

    @property
    def files(self) -> str:
        return f"{len(self.states) - len(self.missing)} of {len(self.states)}"

    @property
    def command(self) -> str:
        """How to get what is missing."""
        if any(state.file.url for state in self.missing):
            return f"bench data pull {self.collection.name}"
        return f"bench data import {self.collection.name} PATH"

    @property
    def size(self) -> str:
        """Bytes that are here, of those that the registry knows of."""
        here = sum(state.size for state in self.states)
        known = sum(state.file.size or state.size for state in self.states)
        unit, name = (1e6, "MB") if known >= 1e6 else (1e3, "kB")
        return f"{here / unit:.1f} of {known / unit:.1f} {name}" if known else "not known"


def _summarise(registry: Registry, states: Sequence[DataState], collections: Sequence[_Here]) -> None:
    _say_suites(registry, states, _SHOWN)
    whole = [found.collection.name for found in collections if not found.missing]
    say(f"collections here: {', '.join(whole) or 'none'}")
    lacking = [found for found in collections if found.missing]
    if lacking:
        say("")
        table = new_table("not here, or in part", "files here", "how to get it")
        for found in lacking:
            table.add_row(found.collection.name, found.files, found.command)
        console().print(table)
    say("", "more: bench data list NAME (a data set, a collection or a suite), bench data list --all")


def _say_suites(registry: Registry, states: Sequence[DataState], shown: int | None) -> None:
    """Print how many of the data sets of each suite are here, and the names of ``shown`` that are not."""
    for suite in registry.suites:
        needed = [found for found in states if suite in found.suites]
        lacks = [found.name for found in needed if found.state != "here"]
        more = f" and {len(lacks[shown:])} more" if lacks[:shown] != lacks else ""
        told = f"; not here: {', '.join(lacks[:shown])}{more}" if lacks else ""
        if needed:
            say(f"suite {suite}: {len(needed) - len(lacks)} of {len(needed)} data sets are here{told}")


def _say_all(registry: Registry, states: Sequence[DataState], collections: Sequence[_Here]) -> None:
    if states:
        table = new_table("data set", "kind", "state", "needed by")
        for found in states:
            table.add_row(found.name, found.kind, found.state, ", ".join(found.suites) or "-")
        console().print(table)
        say(*(f"{found.state}: {found.name}: {found.problem}" for found in states if found.problem))
        _say_suites(registry, states, None)
    if collections:
        say("")
        table = new_table("collection", "files here", "size", "may be passed on", "used for")
        for here in collections:
            uses = ", ".join(used_for(registry, here.collection.name)) or "-"
            passed_on = here.collection.redistribution
            table.add_row(here.collection.name, here.files, here.size, passed_on, uses)
        console().print(table)
        say(*(f"get {here.collection.name}: {here.command}" for here in collections if here.missing))
