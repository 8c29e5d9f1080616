"""What people call the thing that a class of images shows: the curated tables beside this file.

Names of classes are no safe guide: a crane is a bird or a machine, an organ the heart rather than that of a
church. The tables say of ImageNet's 1,000 classes, and of the folders of Caltech-101, which words stand for
a class, and whether its own names mean another thing to most people.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from benchmark.datasets.readers.files import read_table

#: Cues by class: of WordNet ids, and of the folder names of Caltech-101
TABLES = ("imagenet_cues.csv", "caltech101_cues.csv")


@dataclass(frozen=True)
class Decision:
    """What a curated table says of a class.

    Attributes
    ----------
    cues : tuple of (str, str)
        Cue, and what it is to the class, in order of preference: the first that the norms hold is taken.
        "synonym"; "hypernym"; "kin", which people hardly tell from it; "part", a part of it or what it is a
        part of; "context", what it is used for or with, or where it is met.
    sense : str or None
        The names of the class mean another thing to most people, which: they are not looked up.
    """

    cues: tuple[tuple[str, str], ...]
    sense: str | None = None

    @property
    def synonyms(self) -> tuple[str, ...]:
        """The cues that mean the class itself."""
        return tuple(cue for cue, relation in self.cues if relation == "synonym")


@cache
def decisions() -> dict[str, Decision]:
    """The curated tables: decision by WordNet id or folder name."""
    found = {}
    for table in map(curated_table, TABLES):
        for name, rows in table.groupby("class", sort=False):
            other = rows["how"] == "sense"
            cues = tuple(zip(rows["cue"][~other], rows["how"][~other], strict=True))
            found[str(name)] = Decision(cues, next(iter(rows["note"][other]), None))
    return found


@cache
def curated_table(name: str) -> pd.DataFrame:
    """One of :data:`TABLES` as it stands."""
    return read_table(Path(__file__).parent / name, ("class", "name", "how"))
