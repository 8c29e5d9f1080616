"""Which cue of association norms stands for a class of images, and how it was found.

A class is looked up under its names, as they are spelled and then normalised; where no name is a cue, or
the name means another thing to most people (a crane is a bird), a curated table of this folder decides.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import pandas as pd

from benchmark.datasets.imagenet import known_lemmas
from benchmark.datasets.reading import read_table

How = Literal["direct", "normalised", "curated", "none"]

#: The decided classes, by WordNet id and, for classes that have none, by name
TABLES = ("imagenet_cues.csv", "caltech101_cues.csv")


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


@dataclass(frozen=True)
class Decision:
    """A row of a curated table.

    Attributes
    ----------
    cues : tuple of str
        In order of preference: the first that the norms hold is taken. Empty: the class has no sensible cue.
    how : str
        What the cues are to the class: "synonym", "hypernym", "part", "kin" (a close relative that people
        hardly tell from it) or "sense" (its own name means another thing to most people, so that the
        name is not looked up at all).
    note : str
    """

    cues: tuple[str, ...]
    how: str
    note: str


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
    from timm.data import ImageNetInfo

    info = ImageNetInfo("imagenet-1k")
    return {
        info.index_to_label_name(i): tuple(known_lemmas(info.index_to_description(i)))
        for i in range(info.num_classes())
    }


def class_names(classes: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Names of classes that are given as WordNet ids of ILSVRC-2012, or else as a name ("sea_horse")."""
    classes = list(classes)
    known = imagenet_names() if any(re.fullmatch(r"n\d{8}", name) for name in classes) else {}
    return {name: known.get(name, (name.replace("_", " "),)) for name in classes}


@cache
def decisions() -> dict[str, Decision]:
    """The curated tables: decision by WordNet id, or by name in lower case with spaces."""
    return {
        row.id: Decision(tuple(filter(None, row.cues.split(";"))), row.how, row.note)
        for table in map(_table, TABLES)
        for row in table.itertuples()
    }


@cache
def _table(name: str) -> pd.DataFrame:
    return read_table(Path(__file__).parent / name, ("id", "name", "how"))


@cache
def _by_name() -> dict[str, Decision]:
    """Decisions by the name of the class; a name that means something else to most does not tell which."""
    rows = decisions()
    return {
        _plain(row.name): rows[row.id]
        for table in map(_table, TABLES)
        for row in table.itertuples()
        if row.how != "sense" or row.id == _plain(row.name)
    }


def _decision(name: str, names: Sequence[str]) -> Decision | None:
    """The row of a class: by its id, else by a name."""
    known = decisions().get(name)
    return known or next((_by_name()[key] for key in map(_plain, names) if key in _by_name()), None)


def _match(names: Sequence[str], decision: Decision | None, spelled: _Spellings) -> Match:
    if decision is None or decision.how != "sense":
        for name in names:
            if name in spelled.cues:
                return Match(name, "direct", name)
        for name in names:
            cue = spelled.find(name)
            if cue is not None:
                return Match(cue, "normalised", name)
    if decision is None:
        return Match(None, "none", "no name of it is a cue, and no table decides it")
    cue = next((cue for cue in decision.cues if cue in spelled.cues), None)
    if cue is not None:
        return Match(cue, "curated", decision.how)
    if not decision.cues:
        return Match(None, "none", decision.note)
    return Match(None, "none", f"these norms have no cue {' or '.join(decision.cues)}")


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
        return next(
            (
                found[key]
                for level, found in zip(_LEVELS, self._levels, strict=True)
                if (key := level(name)) in found
            ),
            None,
        )


def _plain(name: str) -> str:
    return " ".join(re.sub(r"[-_]", " ", name.lower()).split())


def _joined(name: str) -> str:
    return re.sub(r"[^\w]", "", _plain(name))


def _singular(name: str) -> str:
    """Without spaces, and without an ending of the plural; no claim that what is left is a word."""
    word = _joined(name)
    if re.search(r"(ss|us|is)$", word):
        return word
    return re.sub(
        r"(?<=...)s$", "", re.sub(r"(?<=...)(?<=[sxzh])es$", "", re.sub(r"(?<=...)ies$", "y", word))
    )


_LEVELS = (_plain, _joined, _singular)
