"""The words that people use for what a class of images shows: the curated tables beside this file.

The name of a class is no safe guide. A "crane" is a bird or a machine. An "organ" is the heart to most
people, not the organ of a church. For each of ImageNet's 1,000 classes, and for each folder of Caltech-101,
the tables say which words stand for the class. They also say whether most people understand something else by
the class's own names.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from benchmark.datasets.readers.files import read_table

#: Tables of cues. The classes of the first are WordNet ids, those of the second folder names of Caltech-101.
TABLES = ("imagenet_cues.csv", "caltech101_cues.csv")


@dataclass(frozen=True)
class Decision:
    """What a curated table says about a class.

    Attributes
    ----------
    cues : tuple of (str, str)
        Each cue with its relation to the class, in order of preference. The first cue that the norms have is
        taken. Relations: "synonym"; "hypernym"; "kin" (something that people hardly tell from it); "part" (a
        part of it, or what it is a part of); "context" (what it is used for or with, or where it is met).
    sense : str or None
        What most people understand by the class's own names, where that is not the class ("jay": "to many a
        first name"). Such names are not looked up in the norms. None: the names mean the class.
    """

    cues: tuple[tuple[str, str], ...]
    sense: str | None = None

    @property
    def synonyms(self) -> tuple[str, ...]:
        """The cues that mean the class itself."""
        return tuple(cue for cue, relation in self.cues if relation == "synonym")


@cache
def decisions() -> dict[str, Decision]:
    """What the curated tables say about each class, by WordNet id or folder name."""
    by_class = {}
    for table in map(curated_table, TABLES):
        for name, rows in table.groupby("class", sort=False):
            names_sense = rows["how"] == "sense"
            cues = tuple(zip(rows["cue"][~names_sense], rows["how"][~names_sense], strict=True))
            by_class[str(name)] = Decision(cues, next(iter(rows["note"][names_sense]), None))
    return by_class


@cache
def curated_table(name: str) -> pd.DataFrame:
    """Every row of a curated table, unchanged. ``name`` is one of :data:`TABLES`.

    Columns: "class", "name", "how" (the relation of the cue, or "sense"), "cue" and "note".
    """
    return read_table(Path(__file__).parent / name, ("class", "name", "how"))
