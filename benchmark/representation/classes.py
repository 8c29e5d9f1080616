"""The classes of a classifier beside the concepts of the stimuli: which are the same, and their words."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from benchmark.datasets.join import Join
from benchmark.datasets.readers.class_cues import decisions
from benchmark.datasets.readers.folders import name_variants
from benchmark.datasets.readers.imagenet import imagenet_keys
from benchmark.datasets.stimuli import Keys, Stimuli
from benchmark.datasets.types import Target

T = TypeVar("T", bound=Target)

#: The key of a stimulus set that holds the words for its concepts
_WORD = "word"
#: Relations of a cue that is a word for the class. A "part" of it, or its "context", is something else
_WORDS_FOR_IT = ("synonym", "hypernym", "kin")


def class_rows(stimuli: Stimuli, joined: Join[T], names: Sequence[str], *, cues: bool) -> np.ndarray:
    """The row of the whole target that stands for each concept or class.

    A concept of the stimuli is looked up as :func:`benchmark.datasets.join` does, and a class of ImageNet
    that the stimuli do not show by its own names. Two names may have one row.

    Parameters
    ----------
    stimuli : Stimuli
        The stimuli that were joined.
    joined : Join
        Its :attr:`~benchmark.datasets.Join.whole` target is searched.
    names : sequence of str, length m
        Concepts of the stimuli, or ids of classes.
    cues : bool
        Whether a name without a row takes that of a cue of the reviewed tables
        (:mod:`benchmark.datasets.readers.class_cues`) that is a synonym of it, a hypernym, or something that
        people hardly tell from it. The first cue that has a row is taken.

    Returns
    -------
    ndarray of int, shape (m,)
        Row numbers in the whole target; -1 where there is none.
    """
    row = {name: i for i, name in enumerate(joined.whole.ids)}
    outside = _imagenet(names).get(joined.on or "", {})

    def find(name: str) -> int:
        candidates = stimuli.candidates(name, joined.on) or outside.get(name, ())
        if cues and name in decisions():
            candidates += name_variants([c for c, how in decisions()[name].cues if how in _WORDS_FOR_IT])
        return next((row[candidate] for candidate in candidates if candidate in row), -1)

    return np.array([find(name) for name in names], dtype=np.intp)


def concept_classes(
    stimuli: Stimuli, concepts: Sequence[str], class_ids: Sequence[str]
) -> list[frozenset[int]]:
    """The classes that each concept is.

    A concept is the class of the same id. If there is none, it is every class of ImageNet that has one of its
    words (its key "word") as a name or as a synonym in the reviewed table: the folder "laptop" is the class
    n03642806. A name that means something else to most people names no class.

    Parameters
    ----------
    stimuli : Stimuli
        The stimuli that show the concepts.
    concepts : sequence of str, length k
        Concepts of the stimuli.
    class_ids : sequence of str, length c
        The classes of the classifier.

    Returns
    -------
    list of frozenset of int, length k
        Numbers of classes. Empty: the concept is no class of the classifier.
    """
    number = {class_id: i for i, class_id in enumerate(class_ids)}
    by_word = defaultdict(set)
    for wnid, names in _imagenet(class_ids).get(_WORD, {}).items():
        synonyms = name_variants(decisions()[wnid].synonyms) if wnid in decisions() else ()
        for word in (*names, *synonyms):
            if wnid in number:
                by_word[word].add(number[wnid])
    words = stimuli.keys.get(_WORD, {})
    return [
        frozenset({number[concept]})
        if concept in number
        else frozenset().union(*(by_word[word] for word in words.get(concept, ()) if word in by_word))
        for concept in concepts
    ]


def _imagenet(names: Sequence[str]) -> dict[str, Keys]:
    """The keys of ImageNet's classes, if one of ``names`` is a WordNet id; else none."""
    return imagenet_keys() if any(re.fullmatch(r"n\d{8}", name) for name in names) else {}
