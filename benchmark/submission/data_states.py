"""Which data sets of the registry are here, which are missing, and which suites need them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmark.common.errors import BenchError, NotPossible
from benchmark.runner import Session


@dataclass(frozen=True)
class DataState:
    """One data set of stimuli or of a target.

    Attributes
    ----------
    name, kind : str
        As in the registry.
    state : str
        "here", "missing" (a file is not there) or "refused" (a file is there and cannot be used).
    problem : str
        Why it is not here, and how to get it; empty where it is.
    suites : tuple of str
        The suites of which a binding needs it.
    """

    name: str
    kind: str
    state: str
    problem: str
    suites: tuple[str, ...]


def data_states(session: Session) -> Iterator[DataState]:
    """Look for the files of each data set, in the order of the registry.

    Parameters
    ----------
    session : Session
        Its registry and data root.

    Yields
    ------
    DataState
        Its files are hashed, as for the key of a result. A run reads them, and may yet find a fault.
    """
    needed = _needed(session)
    for name, placed in session.registry.datasets.items():
        if placed.entry.plugin is None:
            continue
        state, problem = "here", ""
        try:
            session.hash_of(name)
        except NotPossible as error:
            state, problem = "missing", str(error)
        except BenchError as error:
            state, problem = "refused", str(error)
        yield DataState(name, placed.entry.kind, state, problem, needed.get(name, ()))


def _needed(session: Session) -> dict[str, tuple[str, ...]]:
    """The suites that need each data set: as stimuli, as target, for the words in common, or as norms."""
    needed: dict[str, tuple[str, ...]] = {}
    for suite, entry in session.registry.suites.items():
        for binding in entry.bindings.values():
            norms = None if binding.associations is None else binding.associations.norms
            for name in (binding.stimuli, binding.target, norms, *binding.concepts_common_to):
                if name is not None:
                    needed[name] = tuple(dict.fromkeys((*needed.get(name, ()), suite)))
    return needed
