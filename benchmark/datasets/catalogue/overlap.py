"""Which names two data sets share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmark.common.errors import UsageError
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import Target


@dataclass(frozen=True)
class Overlap:
    """The names that two data sets share, and those that they do not.

    Attributes
    ----------
    matched : dict of str to str
        Names of the first, and of the second to which each belongs.
    ambiguous : dict of str to str
        The same for names of the first of which several belong to one name of the second: none of them is
        taken when the two are joined.
    lost_first, lost_second : tuple of str
        Names that the other has not, in their order. A name of the second that is ambiguous is not lost.
    """

    matched: dict[str, str]
    ambiguous: dict[str, str]
    lost_first: tuple[str, ...]
    lost_second: tuple[str, ...]


def overlap(first: Stimuli | Target, second: Stimuli | Target, on: str | None = None) -> Overlap:
    """Match the names of two data sets, by the rule of :func:`benchmark.datasets.join`.

    Parameters
    ----------
    first, second : Stimuli or Target
        Of stimuli the concepts are matched, of a target its ids.
    on : str, optional
        The key of the stimuli by which their concepts are named. Default: the concept id.

    Returns
    -------
    Overlap

    Raises
    ------
    UsageError
        If a key is given and none of the two are stimuli that have it.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.datasets import VectorTarget
    >>> from benchmark.datasets.catalogue import overlap
    >>> one = VectorTarget(name="one", ids=("cat", "dog", "yeti"), hash="", vectors=np.eye(3))
    >>> two = VectorTarget(name="two", ids=("dog", "cat"), hash="", vectors=np.eye(2))
    >>> overlap(one, two)
    Overlap(matched={'cat': 'cat', 'dog': 'dog'}, ambiguous={}, lost_first=('yeti',), lost_second=())
    """
    if on is not None and on not in (*keys_of(first), *keys_of(second)):
        known = ", ".join(dict.fromkeys((*keys_of(first), *keys_of(second)))) or "none"
        raise UsageError(f"neither {first.name} nor {second.name} has the key {on!r}; there is {known}")
    if (on is not None and on not in keys_of(first)) or (
        isinstance(second, Stimuli) and not isinstance(first, Stimuli)
    ):
        return _turned(_matched(_candidates(second, on), _names(first)), _names(first))
    return _matched(_candidates(first, on), _names(second))


def keys_of(data: Stimuli | Target) -> tuple[str, ...]:
    """The keys on which the concepts of stimuli can be joined; a target has none."""
    return tuple(data.keys) if isinstance(data, Stimuli) else ()


def _names(data: Stimuli | Target) -> tuple[str, ...]:
    return data.concept_ids if isinstance(data, Stimuli) else tuple(data.ids)


def _candidates(data: Stimuli | Target, on: str | None) -> dict[str, Sequence[str]]:
    if isinstance(data, Stimuli):
        return {concept: data.candidates(concept, on) for concept in data.concept_ids}
    return {name: (name,) for name in data.ids}


def _matched(first: Mapping[str, Sequence[str]], second: Sequence[str]) -> Overlap:
    known = set(second)
    found = {name: next((c for c in candidates if c in known), None) for name, candidates in first.items()}
    users: dict[str, list[str]] = {}
    for name, match in found.items():
        if match is not None:
            users.setdefault(match, []).append(name)
    pairs = {name: match for name, match in found.items() if match is not None}
    return Overlap(
        matched={name: match for name, match in pairs.items() if len(users[match]) == 1},
        ambiguous={name: match for name, match in pairs.items() if len(users[match]) > 1},
        lost_first=tuple(name for name, match in found.items() if match is None),
        lost_second=tuple(name for name in second if name not in users),
    )


def _turned(found: Overlap, order: Sequence[str]) -> Overlap:
    """The overlap seen from the other side; an ambiguous name stands beside one of those that claim it."""
    matched = {match: name for name, match in found.matched.items()}
    ambiguous = {match: name for name, match in found.ambiguous.items()}
    return Overlap(
        matched={name: matched[name] for name in order if name in matched},
        ambiguous={name: ambiguous[name] for name in order if name in ambiguous},
        lost_first=found.lost_second,
        lost_second=found.lost_first,
    )
