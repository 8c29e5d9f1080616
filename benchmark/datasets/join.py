"""Join stimuli with a target on ids, and count what could not be joined."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Generic, TypeVar

from benchmark.common.errors import NotPossible
from benchmark.datasets.types import Stimuli, Target

T = TypeVar("T", bound=Target)


@dataclass(frozen=True)
class Join(Generic[T]):
    """Concepts that stand in both, in stimulus order, and the target in that order.

    Attributes
    ----------
    concepts : tuple of str, length k
        Concept ids as the stimuli name them.
    target : Target
        Rows in the order of ``concepts``; its ids are the target's own names.
    counts : dict of str to int
        ``joined``, ``missing`` (concepts the target does not have), ``ambiguous`` (two concepts that
        would join one row: neither is taken).
    """

    concepts: tuple[str, ...]
    target: T
    counts: dict[str, int]


def join(stimuli: Stimuli, target: T, on: str | None = None, minimum: int = 3) -> Join[T]:
    """Join the concepts of ``stimuli`` with the rows of ``target``.

    Parameters
    ----------
    stimuli : Stimuli
    target : Target
    on : str, optional
        The key of the stimuli to join on; None joins on the concept id itself.
    minimum : int
        Fewest concepts with which anything can be computed.

    Raises
    ------
    NotPossible
        If fewer than ``minimum`` concepts join.
    """
    known = set(target.ids)
    match = {
        concept: next((c for c in stimuli.candidates(concept, on) if c in known), None)
        for concept in stimuli.concept_ids
    }
    times = Counter(found for found in match.values() if found is not None)
    pairs = [(concept, found) for concept, found in match.items() if found is not None and times[found] == 1]
    counts = {
        "joined": len(pairs),
        "missing": sum(found is None for found in match.values()),
        "ambiguous": sum(n for n in times.values() if n > 1),
    }
    if len(pairs) < minimum:
        key = f"key {on!r}" if on else "the concept id"
        raise NotPossible(
            f"only {len(pairs)} concepts of {stimuli.name!r} join target {target.name!r} on {key}; "
            f"at least {minimum} are needed: check that the ids are of one kind "
            f"({stimuli.concept_ids[0]!r} beside {target.ids[0]!r})"
        )
    selected = target.select([found for _, found in pairs])
    return Join(tuple(concept for concept, _ in pairs), selected, counts)  # type: ignore[arg-type]
