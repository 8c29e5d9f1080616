"""Which cue of association norms stands for a class of images, and how it was found.

A class is looked up under its names, as they are spelled and then normalised; where no name is a cue, or
the name means another thing to most people (a drake is no duck to them), a curated table decides.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import pandas as pd

from benchmark.datasets.readers.class_cues import TABLES, Decision, curated_table, decisions
from benchmark.datasets.readers.imagenet import known_lemmas

How = Literal["direct", "normalised", "curated", "none"]


@dataclass(frozen=True)
class Match:
    """The cue of a class, and how it was found.

    Attributes
    ----------
    cue : str or None
        As the norms spell it; None where the class has none.
    how : {"direct", "normalised", "curated", "none"}
    why : str
        Of a direct or normalised match the name that matched, of a curated one what the cue is to the class
        ("hypernym"), of none the reason.
    """

    cue: str | None
    how: How
    why: str

    def __str__(self) -> str:
        return self.how if self.how in ("direct", "normalised") else f"{self.how}: {self.why}"


def class_cues(names_by_class: Mapping[str, Sequence[str]], cues: Collection[str]) -> dict[str, Match]:
    """Cue of each class, by its names.

    Parameters
    ----------
    names_by_class : mapping of str to sequence of str
        Names of each class, the best known first, "_" for a space or not. A class that is a WordNet id of
        ILSVRC-2012, or one of whose names is a name of such a class, may be decided by the curated table.
    cues : collection of str
        The cues of the norms.

    Returns
    -------
    dict of str to Match
        Every class, in the order given.
    """
    spelled = _Spellings(cues)
    return {name: _match(names, _decision(name, names), spelled) for name, names in names_by_class.items()}


def imagenet_cues(cues: Collection[str]) -> dict[str, Match]:
    """Cue of each of the 1,000 classes of ILSVRC-2012, by WordNet id, in class index order."""
    return class_cues(imagenet_names(), cues)


@cache
def imagenet_names() -> dict[str, tuple[str, ...]]:
    """Names of the 1,000 classes of ILSVRC-2012 by WordNet id, in class index order."""
    from timm.data.imagenet_info import ImageNetInfo

    info = ImageNetInfo("imagenet-1k")
    return {
        wnid: tuple(known_lemmas(info.label_name_to_description(wnid)))
        for wnid in info.label_names()  # type: ignore[no-untyped-call]
    }


def class_names(classes: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Names of classes that are given as WordNet ids of ILSVRC-2012, or else as a name ("sea_horse")."""
    classes = list(classes)
    known = imagenet_names() if any(re.fullmatch(r"n\d{8}", name) for name in classes) else {}
    return {name: known.get(name, (name.replace("_", " "),)) for name in classes}


@cache
def _by_name() -> dict[str, Decision]:
    """Decisions by name of a class, but the names that mean another thing to most people than this class."""
    rows = pd.concat([curated_table(name) for name in reversed(TABLES)]).drop_duplicates("class")
    found: dict[str, Decision] = {}
    for name, called in zip(rows["class"], rows["name"], strict=True):
        # a folder is known by its name alone; a "crane" may be either of two classes of ImageNet
        if decisions()[name].sense is None or _plain(name) == called:
            found.setdefault(_plain(called), decisions()[name])
    return found


def _decision(name: str, names: Sequence[str]) -> Decision | None:
    """What the tables say of a class: by its id, else by a name."""
    by_name = (_by_name().get(_plain(each)) for each in names)
    return decisions().get(name) or next(filter(None, by_name), None)


def _match(names: Sequence[str], decision: Decision | None, spelled: _Spellings) -> Match:
    if decision is None or decision.sense is None:
        for name in names:
            if name in spelled.cues:
                return Match(name, "direct", name)
        for name in names:
            cue = spelled.find(name)
            if cue is not None:
                return Match(cue, "normalised", name)
    if decision is None:
        return Match(None, "none", "no name of it is a cue of these norms, and no table knows it")
    for cue, relation in decision.cues:
        if cue in spelled.cues:
            return Match(cue, "curated", relation)
    tried = ", ".join(cue for cue, _ in decision.cues)
    other = f"its name is not taken ({decision.sense}), and " if decision.sense else ""
    return Match(None, "none", f"{other}these norms have no cue {tried}")


class _Spellings:
    """Cues by what is left of their spelling when case, hyphens, spaces and the plural are let go in turn."""

    def __init__(self, cues: Collection[str]) -> None:
        self.cues = frozenset(cues)
        self._levels: list[dict[str, str]] = []
        # Of cues that fall together ("TV", "tv") the one in lower case stands for all.
        ordered = sorted(self.cues, key=lambda cue: (cue != cue.lower(), cue))
        for level in _LEVELS:
            found: dict[str, str] = {}
            for cue in ordered:
                found.setdefault(level(cue), cue)
            self._levels.append(found)

    def find(self, name: str) -> str | None:
        """The cue that ``name`` is at the first level where it is any."""
        hits = (found.get(level(name)) for level, found in zip(_LEVELS, self._levels, strict=True))
        return next((cue for cue in hits if cue is not None), None)


def _plain(name: str) -> str:
    return " ".join(re.sub(r"[-_]", " ", name.lower()).split())


def _joined(name: str) -> str:
    return re.sub(r"[^\w]", "", _plain(name))


def _singular(name: str) -> str:
    """Without spaces, and without an ending of the plural; no claim that what is left is a word."""
    word = _joined(name)
    if len(word) < 4 or re.search(r"(ss|us|is)$", word):
        return word
    for ending, instead in ((r"ies$", "y"), (r"(?<=[sxzh])es$", ""), (r"s$", "")):
        if re.search(ending, word):
            return re.sub(ending, instead, word)
    return word


_LEVELS = (_plain, _joined, _singular)
