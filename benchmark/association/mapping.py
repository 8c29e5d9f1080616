"""The cue in association norms that stands for a class of images, and how it was found.

The names of a class are looked up among the cues, first as they are spelled, then normalised. A curated table
decides in two cases: no name is a cue; or the name means something else to most people (most people do not
know that a drake is a duck).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import pandas as pd

from benchmark.datasets.readers.class_cues import TABLES, Decision, curated_table, decisions
from benchmark.datasets.readers.imagenet import imagenet_names

How = Literal["direct", "normalised", "curated", "none"]


@dataclass(frozen=True)
class Match:
    """The cue of a class, and how it was found.

    Attributes
    ----------
    cue : str or None
        The cue, spelled as in the norms; None: the class has no cue.
    how : {"direct", "normalised", "curated", "none"}
        "direct": a name of the class is the cue. "normalised": a name is the cue if the spelling is
        simplified. "curated": the curated table names the cue. "none": there is no cue.
    why : str
        For "direct" and "normalised" the name that matched; for "curated" the relation of the cue to the
        class, such as "hypernym"; for "none" the reason.
    """

    cue: str | None
    how: How
    why: str

    def __str__(self) -> str:
        return self.how if self.how in ("direct", "normalised") else f"{self.how}: {self.why}"


def class_cues(names_by_class: Mapping[str, Sequence[str]], cues: Collection[str]) -> dict[str, Match]:
    """Find the cue of each class by its names.

    Parameters
    ----------
    names_by_class : mapping of str to sequence of str
        Names of each class, the best known first. A space may be written as "_". The curated table is used if
        the class is a WordNet id of ILSVRC-2012, or if one of its names is a name of such a class.
    cues : collection of str
        The cues of the norms.

    Returns
    -------
    dict of str to Match
        Every class, in the given order.
    """
    spellings = _Spellings(cues)
    return {name: _match(names, _decision(name, names), spellings) for name, names in names_by_class.items()}


def imagenet_cues(cues: Collection[str]) -> dict[str, Match]:
    """Find the cue, among ``cues``, of each of the 1,000 classes of ILSVRC-2012.

    The result maps WordNet ids to cues, in the order of the class index.
    """
    return class_cues(imagenet_names(), cues)


def class_names(classes: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Names of ``classes``. Each class is a WordNet id of ILSVRC-2012, or a name such as "sea_horse"."""
    classes = list(classes)
    known = imagenet_names() if any(re.fullmatch(r"n\d{8}", name) for name in classes) else {}
    return {name: known.get(name, (name.replace("_", " "),)) for name in classes}


@cache
def _by_name() -> dict[str, Decision]:
    """Decisions of the tables by name of a class. Names with another meaning for most people are left out."""
    rows = pd.concat([curated_table(name) for name in reversed(TABLES)]).drop_duplicates("class")
    by_name: dict[str, Decision] = {}
    for class_id, class_name in zip(rows["class"], rows["name"], strict=True):
        # a folder has no id, only its name; the name "crane" fits two classes of ImageNet
        if decisions()[class_id].sense is None or _plain(class_id) == class_name:
            by_name.setdefault(_plain(class_name), decisions()[class_id])
    return by_name


def _decision(name: str, names: Sequence[str]) -> Decision | None:
    """Decision of the tables about a class: by its id, else by one of its names."""
    candidates = (_by_name().get(_plain(candidate)) for candidate in names)
    return decisions().get(name) or next(filter(None, candidates), None)


def _match(names: Sequence[str], decision: Decision | None, spellings: _Spellings) -> Match:
    if decision is None or decision.sense is None:
        for name in names:
            if name in spellings.cues:
                return Match(name, "direct", name)
        for name in names:
            cue = spellings.find(name)
            if cue is not None:
                return Match(cue, "normalised", name)
    if decision is None:
        return Match(None, "none", "none of its names is a cue of these norms, and no table lists the class")
    for cue, relation in decision.cues:
        if cue in spellings.cues:
            return Match(cue, "curated", relation)
    tried = ", ".join(cue for cue, _ in decision.cues)
    sense = f"its name is not used ({decision.sense}), and " if decision.sense else ""
    return Match(None, "none", f"{sense}these norms have no cue {tried}")


class _Spellings:
    """The cues by simplified spelling: without case and hyphens, then without spaces, then without plural."""

    def __init__(self, cues: Collection[str]) -> None:
        self.cues = frozenset(cues)
        self._levels: list[dict[str, str]] = []
        # If several cues have the same spelling on a level ("TV", "tv"), the one in lower case is taken.
        ordered = sorted(self.cues, key=lambda cue: (cue != cue.lower(), cue))
        for level in _LEVELS:
            by_spelling: dict[str, str] = {}
            for cue in ordered:
                by_spelling.setdefault(level(cue), cue)
            self._levels.append(by_spelling)

    def find(self, name: str) -> str | None:
        """The cue with the spelling of ``name`` on the first level where there is one; None: on no level."""
        hits = (
            by_spelling.get(level(name)) for level, by_spelling in zip(_LEVELS, self._levels, strict=True)
        )
        return next((cue for cue in hits if cue is not None), None)


def _plain(name: str) -> str:
    return " ".join(re.sub(r"[-_]", " ", name.lower()).split())


def _joined(name: str) -> str:
    return re.sub(r"[^\w]", "", _plain(name))


def _singular(name: str) -> str:
    """The name without spaces and without a plural ending. The result need not be a word."""
    word = _joined(name)
    if len(word) < 4 or re.search(r"(ss|us|is)$", word):
        return word
    for ending, replacement in ((r"ies$", "y"), (r"(?<=[sxzh])es$", ""), (r"s$", "")):
        if re.search(ending, word):
            return re.sub(ending, replacement, word)
    return word


_LEVELS = (_plain, _joined, _singular)
