"""Property norms and association norms of the drawn world.

The authors of the suite wrote both tables from common knowledge. No people were asked, and no published norms
were copied. The tables have the form of real norms: a number of respondents, production frequencies, one or
two strong answers and many weak ones. They are no evidence about people.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.datasets.mini.concepts import CONCEPTS
from benchmark.datasets.mini.source import made_from_source, target_hash
from benchmark.datasets.norms import AssociationTarget, PropertyTarget
from benchmark.datasets.properties import finer_kind
from benchmark.datasets.root import DataRoot

if TYPE_CHECKING:
    from scipy import sparse

#: imagined respondents per cue; those whose answer is not in the table gave a rare word, or no word
ASSOCIATION_RESPONDENTS = 100

#: imagined respondents per concept
PROPERTY_RESPONDENTS = 30

#: Properties of colour, and of shape and size
_COLOURS = frozenset(
    f"is {colour}"
    for colour in (
        "black", "bright", "brown", "colourful", "gold", "green", "grey", "orange", "pink", "purple", "red",
        "shiny", "white", "yellow",
    )
)  # fmt: skip
_SHAPES = frozenset(
    f"is {shape}" for shape in ("big", "curved", "long", "rectangular", "round", "small", "tall")
)

IDS: tuple[str, ...] = tuple(concept.id for concept in CONCEPTS)


@made_from_source
def associations(root: DataRoot, *, name: str) -> AssociationTarget:  # noqa: ARG001 - the engine passes a root to every dataset
    """Association norms: 48 cues, about 350 responses, 100 imagined respondents per cue.

    Authored, not measured: nobody was asked what a cue brings to mind.

    Parameters
    ----------
    root : DataRoot
        Not used: the table is part of the package.
    name : str
        Name of the target.

    Returns
    -------
    AssociationTarget
        Rows are the 48 concepts. Columns are the responses in alphabetical order. No cue is a response to
        itself. The strengths (counts / respondents) of a cue sum to less than 1.
    """
    rows = table("associations.csv")
    columns = tuple(sorted({row["response"] for row in rows}))
    counts = _counts([(row["cue"], row["response"], int(row["count"])) for row in rows], columns)
    return AssociationTarget(
        name=name,
        ids=IDS,
        hash=target_hash(associations),
        simulated=True,
        columns=columns,
        counts=counts,
        respondents=np.full(len(IDS), float(ASSOCIATION_RESPONDENTS)),
    )


@made_from_source
def properties(root: DataRoot, *, name: str) -> PropertyTarget:  # noqa: ARG001 - the engine passes a root to every dataset
    """Property norms: 48 concepts, about 260 properties of five types, 30 imagined respondents per concept.

    Authored, not measured: nobody was asked to list properties. The types are visual perceptual, other
    perceptual, functional, taxonomic and encyclopaedic.

    Parameters
    ----------
    root : DataRoot
        Not used: the table is part of the package.
    name : str
        Name of the target.

    Returns
    -------
    PropertyTarget
        Rows are the 48 concepts. Columns are the properties in alphabetical order. Counts are production
        frequencies.
    """
    rows = table("properties.csv")
    types = {row["property"]: row["type"] for row in rows}
    columns = tuple(sorted(types))
    counts = _counts([(row["concept"], row["property"], int(row["frequency"])) for row in rows], columns)
    return PropertyTarget(
        name=name,
        ids=IDS,
        hash=target_hash(properties),
        simulated=True,
        columns=columns,
        counts=counts,
        respondents=np.full(len(IDS), float(PROPERTY_RESPONDENTS)),
        types=tuple(types[column] for column in columns),
        finer=tuple(finer_kind(column, _COLOURS, _SHAPES) for column in columns),
    )


@cache
def table(file: str) -> tuple[dict[str, str], ...]:
    """Rows of the table ``file`` ("forms.csv") of this package; each row maps column names to cells."""
    with (Path(__file__).parent / file).open(encoding="utf-8", newline="") as stream:
        return tuple(csv.DictReader(stream))


def _counts(entries: Sequence[tuple[str, str, int]], columns: Sequence[str]) -> sparse.csr_array:
    from scipy import sparse  # the hash of the norms is asked for more often than the norms

    row = {concept: i for i, concept in enumerate(IDS)}
    column = {word: i for i, word in enumerate(columns)}
    values = [float(count) for _, _, count in entries]
    places = ([row[concept] for concept, _, _ in entries], [column[word] for _, word, _ in entries])
    return sparse.csr_array((values, places), shape=(len(IDS), len(columns)))
