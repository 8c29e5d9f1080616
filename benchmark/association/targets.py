"""What an association network is trained to say: response strengths of cues, over a vocabulary."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from math import lcm
from pathlib import Path

import numpy as np
from scipy import sparse

from benchmark.association.mapping import imagenet_cues
from benchmark.common.errors import DataError, UsageError
from benchmark.common.files import sha256_of
from benchmark.datasets.readers.norms import count_column, read_associations


@dataclass(frozen=True)
class NormsSource:
    """Where association targets come from.

    Attributes
    ----------
    file : str
        Name of the norms file.
    sha256 : str
        Of its bytes.
    column : str
        The counts: "R1" (first responses) or "R123" (first to third).
    cues, responses : int
        How many the file has.
    """

    file: str
    sha256: str
    column: str
    cues: int
    responses: int


@dataclass(frozen=True)
class AssociationTargets:
    """Association strengths of cues over a vocabulary of responses.

    Attributes
    ----------
    cues : tuple of str, length n
        Distinct, sorted by code point.
    vocabulary : tuple of str, length v
        The greatest total strength first; ties by code point.
    strengths : ndarray of float64, shape (n, v)
        What is outside the vocabulary is dropped first, then each row is divided by its sum: rows sum to 1.
    coverage : ndarray of float64, shape (n,)
        Share of a cue's responses that is in the vocabulary, so that ``strengths * coverage[:, None]`` is
        the share of all responses to the cue.
    source : NormsSource
    """

    cues: tuple[str, ...]
    vocabulary: tuple[str, ...]
    strengths: np.ndarray
    coverage: np.ndarray
    source: NormsSource


def association_targets(norms: Path, cues: Iterable[str], vocabulary_size: int = 5000) -> AssociationTargets:
    """Read the strengths of ``cues`` from association norms, over the responses that matter to them.

    The vocabulary is the ``vocabulary_size`` responses with the greatest total strength, all of them where
    there are fewer. The strength of a response to a cue is its count over the count of all responses to the
    cue in the file; the total runs over the distinct ``cues``. Totals are exact (integers over the least
    common multiple of the denominators) and ties go by code point, so that it is the same everywhere.
    A cue stands among the responses where people gave it: nothing is left out.

    Parameters
    ----------
    norms : Path
        A file in the layout of :func:`benchmark.datasets.readers.norms.associations`.
    cues : iterable of str
        Spelled as in the file; one that stands twice counts once.
    vocabulary_size : int

    Raises
    ------
    DataError
        If the file is no such table, lacks a cue, or no response to a cue is in the vocabulary.
    """
    if vocabulary_size < 1:
        raise ValueError(f"vocabulary_size is {vocabulary_size}; expected at least 1")
    if not norms.is_file():
        raise DataError(f"{norms}: no such file; expected association norms, as strength.SWOW-EN.R1.csv is")
    wanted = tuple(sorted(set(cues)))
    target = read_associations(norms, name=norms.name)
    known = set(target.ids)
    missing = [cue for cue in wanted if cue not in known]
    if missing or not wanted:
        raise DataError(
            f"{norms}: {len(missing)} of the {len(wanted)} cues asked for are no cues of it, "
            f"{missing[0]!r} the first"
            if missing
            else f"{norms}: no cue is asked for"
        )
    counts = target.select(wanted).counts
    columns = _strongest(counts, target.columns)[:vocabulary_size]
    kept = counts[:, columns].toarray()
    inside, all_ = kept.sum(axis=1), counts.sum(axis=1)
    if not inside.all():
        cue = wanted[int((inside == 0).argmax())]
        raise DataError(
            f"{norms}: no response to cue {cue!r} is among the {vocabulary_size} of the vocabulary; "
            f"use a larger vocabulary"
        )
    return AssociationTargets(
        cues=wanted,
        vocabulary=tuple(target.columns[i] for i in columns),
        strengths=kept / inside[:, None],
        coverage=inside / all_,
        source=NormsSource(
            norms.name, sha256_of(norms), count_column(norms), len(target.ids), len(target.columns)
        ),
    )


def class_profiles(
    targets: AssociationTargets, norm_cues: Collection[str], trained: Collection[str]
) -> tuple[list[int], np.ndarray]:
    """The classes whose cue is trained on, and what people say to the cue of each.

    They are those of ImageNet, and one for each cue that stands for none of them.

    Parameters
    ----------
    targets : AssociationTargets
        Their strengths are the profiles.
    norm_cues : collection of str
        All cues of the norms, among which a class finds its own.
    trained : collection of str
        Cues that are trained on.

    Returns
    -------
    classes : list of int
        Indices of those of ImageNet, in their order.
    profiles : ndarray, shape (c, v)
        Theirs, then those of the other cues, sorted.

    Raises
    ------
    UsageError
        If there is no such class of ImageNet.
    """
    row = {cue: i for i, cue in enumerate(targets.cues) if cue in trained}
    found = {
        index: row[match.cue]
        for index, match in enumerate(imagenet_cues(norm_cues).values())
        if match.cue in row
    }
    if not found:
        raise UsageError("--classes: no class of ImageNet has a cue that is trained on; leave --classes out")
    others = sorted(set(row.values()) - set(found.values()))
    return list(found), targets.strengths[[*found.values(), *others]]


def _strongest(counts: sparse.csr_array, responses: tuple[str, ...]) -> list[int]:
    """Columns that have any count, by total strength, the greatest first, ties by code point."""
    table = counts.tocoo()
    sums = [int(total) for total in counts.sum(axis=1)]
    # Whole multiples of one common unit: nothing is rounded, so equal totals are equal in any order.
    unit = lcm(*sums)
    weight = [unit // total for total in sums]
    totals: dict[int, int] = {}
    for row, column, count in zip(table.row.tolist(), table.col.tolist(), table.data.tolist(), strict=True):
        totals[column] = totals.get(column, 0) + int(count) * weight[row]
    return sorted(totals, key=lambda column: (-totals[column], responses[column]))
