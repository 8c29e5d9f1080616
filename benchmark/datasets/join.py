"""Join stimuli with a target on ids, and count what could not be joined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from benchmark.common.errors import NotPossible
from benchmark.datasets.responses import ResponseTarget
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import Target

T = TypeVar("T", bound=Target)


@dataclass(frozen=True)
class Join(Generic[T]):
    """The concepts that the stimuli and the target share, and the target's rows for them.

    Attributes
    ----------
    concepts : tuple of str, length k
        Ids of the concepts as the stimuli name them, in the order of the stimuli.
    target : Target
        Its rows are in the order of ``concepts``. Its ids are the target's own names.
    counts : dict of str to int
        Number of concepts that are ``joined``, ``missing`` (the target does not have them) and ``ambiguous``
        (two or more of them would join one row; none of these is taken).
    whole : Target
        The target with all its rows, for a task that looks up more than the concepts of the stimuli.
    on : str or None
        The key of the stimuli that was joined on. None: the concept id.
    by_stimulus : bool
        Whether the rows of the target are stimuli, and not concepts. They are then in the order of the
        stimuli, several for a concept, and their ids are those of the stimuli.
    """

    concepts: tuple[str, ...]
    target: T
    counts: dict[str, int]
    whole: T
    on: str | None = None
    by_stimulus: bool = False


def join(stimuli: Stimuli, target: T, on: str | None = None, minimum: int = 3) -> Join[T]:
    """Join the concepts of ``stimuli`` with the rows of ``target``.

    Each concept joins the first of its candidate ids (:meth:`Stimuli.candidates`) that the target has.
    Responses that were measured stimulus by stimulus join on the ids of the stimuli: on the whole ids, or
    where none joins, on what stands after their last "/", the name of an image without its folder.

    Parameters
    ----------
    stimuli : Stimuli
        The set whose concepts are joined.
    target : Target
        The target whose rows are joined.
    on : str, optional
        The key of the stimuli to join on. Default: the concept id itself.
    minimum : int
        The least number of concepts with which anything can be computed.

    Returns
    -------
    Join
        The concepts that joined, the target with only their rows, and the counts.

    Raises
    ------
    NotPossible
        If fewer than ``minimum`` concepts join.
    DataError
        If the stimuli have no key ``on``.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.datasets import Stimuli, VectorTarget, join
    >>> concepts = ("cat", "dog", "car", "sofa")
    >>> stimuli = Stimuli(
    ...     name="photos",
    ...     ids=concepts,
    ...     concepts=concepts,
    ...     manifest="sha256 of the files",
    ...     keys={"word": {"cat": ("cat",), "dog": ("hound", "dog"), "car": ("car",), "sofa": ("sofa",)}},
    ... )
    >>> words = VectorTarget(name="words", ids=("car", "cat", "dog"), hash="sha256", vectors=np.eye(3))
    >>> joined = join(stimuli, words, on="word")
    >>> joined.concepts
    ('cat', 'dog', 'car')
    >>> joined.target.ids
    ('cat', 'dog', 'car')
    >>> joined.counts
    {'joined': 3, 'missing': 1, 'ambiguous': 0}
    """
    known = set(target.ids)
    if on is None and target.kind == ResponseTarget.kind and known.isdisjoint(stimuli.concept_ids):
        by_stimulus = _join_by_stimulus(stimuli, target, minimum)
        if by_stimulus is not None:
            return by_stimulus
    target_ids = {
        concept: next((c for c in stimuli.candidates(concept, on) if c in known), None)
        for concept in stimuli.concept_ids
    }
    uses = Counter(target_id for target_id in target_ids.values() if target_id is not None)
    pairs = [
        (concept, target_id)
        for concept, target_id in target_ids.items()
        if target_id is not None and uses[target_id] == 1
    ]
    counts = {
        "joined": len(pairs),
        "missing": sum(target_id is None for target_id in target_ids.values()),
        "ambiguous": sum(n for n in uses.values() if n > 1),
    }
    if len(pairs) < minimum:
        key = f"key {on!r}" if on else "the concept id"
        raise NotPossible(
            f"only {len(pairs)} concepts of {stimuli.name!r} join target {target.name!r} on {key}; "
            f"at least {minimum} are needed: check that the ids are of one kind "
            f"({stimuli.concept_ids[0]!r} beside {target.ids[0]!r})"
        )
    selected = target.select([target_id for _, target_id in pairs])
    return Join(
        tuple(concept for concept, _ in pairs),
        selected,  # type: ignore[arg-type]  # select gives the same kind of target
        counts,
        whole=target,
        on=on,
    )


def _join_by_stimulus(stimuli: Stimuli, target: T, minimum: int) -> Join[T] | None:
    """Join on the ids of stimuli; None: the stimuli that the target has show too few concepts."""
    known = set(target.ids)
    rows = {name: name for name in stimuli.ids if name in known} or _by_image_name(stimuli.ids, known)
    pairs = [
        (name, concept) for name, concept in zip(stimuli.ids, stimuli.concepts, strict=True) if name in rows
    ]
    concepts = tuple(dict.fromkeys(concept for _, concept in pairs))
    if len(concepts) < minimum:
        return None
    counts = {"joined": len(concepts), "missing": len(stimuli.concept_ids) - len(concepts), "ambiguous": 0}
    selected = replace(target.select([rows[name] for name, _ in pairs]), ids=tuple(name for name, _ in pairs))
    return Join(concepts, selected, counts, whole=target, by_stimulus=True)  # type: ignore[arg-type]


def _by_image_name(ids: Sequence[str], known: set[str]) -> dict[str, str]:
    """The name of its image for each id that has a folder; not for names that two folders have."""
    names = {one: image_name(one) for one in ids}
    uses = Counter(names.values())
    return {one: name for one, name in names.items() if name in known and uses[name] == 1}


def image_name(stimulus: str) -> str:
    """The id of a stimulus without the folder before it.

    Examples
    --------
    >>> image_name("dog/dog_11n")
    'dog_11n'
    """
    return stimulus.rpartition("/")[2]


def rows_in_all(target: T, others: Sequence[Target]) -> T:
    """The target with only the rows whose id every one of ``others`` has too.

    Concepts that join it join each of the others by the same name. So several word spaces are compared on one
    set of concepts.

    Parameters
    ----------
    target : T
        The target whose rows are kept.
    others : sequence of Target
        Targets with ids of the same kind (words). The target itself may be among them.

    Returns
    -------
    Target
        Of the same kind, its rows in their order.

    Raises
    ------
    NotPossible
        If no row is left.
    """
    kept = set(target.ids).intersection(*(other.ids for other in others))
    if not kept:
        names = ", ".join(other.name for other in others)
        raise NotPossible(
            f"no id of target {target.name!r} is in all of {names} (concepts_common_to): "
            f"name targets whose ids are of one kind ({target.ids[0]!r} beside {others[0].ids[0]!r})"
        )
    if len(kept) == len(target.ids):
        return target
    return target.select([name for name in target.ids if name in kept])  # type: ignore[return-value]
