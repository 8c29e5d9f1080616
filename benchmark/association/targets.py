"""The targets of an association network: strengths of the responses to each cue, over a vocabulary."""

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
    """The file that association targets come from.

    Attributes
    ----------
    file : str
        Name of the norms file.
    sha256 : str
        Hash of its bytes.
    column : str
        Column of the counts: "R1" (first responses) or "R123" (first to third responses).
    cues, responses : int
        Number of cues and of responses in the file.
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
        The cues: distinct, sorted by code point.
    vocabulary : tuple of str, length v
        The responses: the greatest total strength first, ties sorted by code point.
    strengths : ndarray of float64, shape (n, v)
        Strength of each response to each cue. Responses outside the vocabulary are removed first. Then each
        row is divided by its sum, so that rows sum to 1.
    coverage : ndarray of float64, shape (n,)
        Share of the responses to a cue that is in the vocabulary. So ``strengths * coverage[:, None]`` is the
        share of all responses to the cue.
    source : NormsSource
        The file of the norms.
    """

    cues: tuple[str, ...]
    vocabulary: tuple[str, ...]
    strengths: np.ndarray
    coverage: np.ndarray
    source: NormsSource


def association_targets(norms: Path, cues: Iterable[str], vocabulary_size: int = 5000) -> AssociationTargets:
    """Read the strengths of the responses to cues from association norms.

    The vocabulary is the ``vocabulary_size`` responses with the greatest total strength, or all responses if
    there are fewer. The strength of a response to a cue is its count divided by the count of all responses to
    the cue in the file. The total strength is the sum over the distinct ``cues``. Totals are exact (integers
    over the least common multiple of the denominators), and ties are sorted by code point, so that the
    vocabulary is the same on every machine. A cue that people gave as a response is a response like any
    other.

    Parameters
    ----------
    norms : Path
        A file in the layout of :func:`benchmark.datasets.readers.norms.associations`.
    cues : iterable of str
        The cues, spelled as in the file. A cue that is given twice counts once.
    vocabulary_size : int
        Largest number of responses in the vocabulary.

    Returns
    -------
    AssociationTargets

    Raises
    ------
    DataError
        If the file is not such a table, a cue is not in it, or no response to a cue is in the vocabulary.
    """
    if vocabulary_size < 1:
        raise ValueError(f"vocabulary_size is {vocabulary_size}; expected at least 1")
    if not norms.is_file():
        raise DataError(
            f"{norms}: no such file; give a file of association norms, such as strength.SWOW-EN.R1.csv"
        )
    wanted = tuple(sorted(set(cues)))
    target = read_associations(norms, name=norms.name)
    known = set(target.ids)
    missing = [cue for cue in wanted if cue not in known]
    if missing or not wanted:
        raise DataError(
            f"{norms}: {len(missing)} of the {len(wanted)} requested cues are not in the file; "
            f"the first is {missing[0]!r}"
            if missing
            else f"{norms}: no cue is requested; give at least one"
        )
    counts = target.select(wanted).counts
    columns = _strongest(counts, target.columns)[:vocabulary_size]
    kept = counts[:, columns].toarray()
    kept_totals, totals = kept.sum(axis=1), counts.sum(axis=1)
    if not kept_totals.all():
        cue = wanted[int((kept_totals == 0).argmax())]
        raise DataError(
            f"{norms}: no response to cue {cue!r} is in the vocabulary of {vocabulary_size} responses; "
            "use a larger vocabulary"
        )
    return AssociationTargets(
        cues=wanted,
        vocabulary=tuple(target.columns[i] for i in columns),
        strengths=kept / kept_totals[:, None],
        coverage=kept_totals / totals,
        source=NormsSource(
            norms.name, sha256_of(norms), count_column(norms), len(target.ids), len(target.columns)
        ),
    )


def class_profiles(
    targets: AssociationTargets, norm_cues: Collection[str], trained: Collection[str]
) -> tuple[list[int], np.ndarray]:
    """The classes whose cue is trained on, with what people say to the cue of each class.

    These are the ImageNet classes whose cue is trained on. Each trained cue that is the cue of no ImageNet
    class is added as one more class.

    Parameters
    ----------
    targets : AssociationTargets
        Its strengths are the profiles.
    norm_cues : collection of str
        All cues of the norms. The cue of each class is one of them.
    trained : collection of str
        Cues that are trained on.

    Returns
    -------
    classes : list of int
        Indices of the ImageNet classes, in increasing order.
    profiles : ndarray, shape (c, v)
        Profiles of the ImageNet classes, then those of the other cues in the order of ``targets``.

    Raises
    ------
    UsageError
        If no ImageNet class has a cue that is trained on.
    """
    row = {cue: i for i, cue in enumerate(targets.cues) if cue in trained}
    row_of_class = {
        index: row[match.cue]
        for index, match in enumerate(imagenet_cues(norm_cues).values())
        if match.cue in row
    }
    if not row_of_class:
        raise UsageError("--classes: no class of ImageNet has a cue that is trained on; leave --classes out")
    other_rows = sorted(set(row.values()) - set(row_of_class.values()))
    return list(row_of_class), targets.strengths[[*row_of_class.values(), *other_rows]]


def _strongest(counts: sparse.csr_array, responses: tuple[str, ...]) -> list[int]:
    """Columns with a count above zero, by total strength: the greatest first, ties sorted by code point."""
    table = counts.tocoo()
    sums = [int(total) for total in counts.sum(axis=1)]
    # Strengths are integer multiples of one unit. Nothing is rounded, so equal totals are equal in any order.
    unit = lcm(*sums)
    weight = [unit // total for total in sums]
    totals: dict[int, int] = {}
    for row, column, count in zip(table.row.tolist(), table.col.tolist(), table.data.tolist(), strict=True):
        totals[column] = totals.get(column, 0) + int(count) * weight[row]
    return sorted(totals, key=lambda column: (-totals[column], responses[column]))
