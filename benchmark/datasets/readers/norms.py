"""What people say to a word: association norms and property norms."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from benchmark.common.errors import DataError
from benchmark.datasets.readers.files import locate, read_table, whole_numbers
from benchmark.datasets.root import DataRoot, hash_files
from benchmark.datasets.types import AssociationTarget, PropertyTarget


def associations(root: DataRoot, *, name: str, path: str) -> AssociationTarget:
    """Read association norms of the data root; see :func:`read_associations`.

    Parameters
    ----------
    path : str
        The file, under the data root.
    """
    return read_associations(locate(root, name, path), name=name)


def read_associations(file: Path, *, name: str) -> AssociationTarget:
    """Read association norms in the layout of the Small World of Words strength files.

    Tab separated, one row a (cue, response): how many people gave the response (``R1``: as their first one,
    or ``R123``: as one of three), and ``N``, all the responses to the cue. A strength (``R1.Strength``) may
    stand beside them. De Deyne et al. 2019, Behavior Research Methods. Norms that list only a part of the
    responses to every cue, as those of the University of South Florida do, are read too.

    Returns
    -------
    AssociationTarget
        Cues and responses in order of first appearance, as they are spelled.

    Raises
    ------
    DataError
        If a column is missing, a (cue, response) stands twice, counts of a cue do not agree, a strength is
        not its count over N, or responses to a cue are missing though all of most cues are there.
    """
    column = count_column(file)
    # "null" is a cue, "nan" a response, and a quote is a character: nothing may be guessed here.
    table = read_table(file, ("cue", "response", column, "N"), "\t", quoted=False)
    _require_no_pair_twice(table, file)
    counts = whole_numbers(table, column, file)
    cue, cues = pd.factorize(table["cue"])
    response, responses = pd.factorize(table["response"])
    totals = whole_numbers(table, "N", file)
    respondents = _respondents(totals, cue, cues, file)
    if f"{column}.Strength" in table:
        _require_strengths(table[f"{column}.Strength"], counts / totals, column, file)
    _require_all_responses(np.bincount(cue, counts), respondents, cue, cues, file)
    return AssociationTarget(
        name=name,
        ids=tuple(cues),
        hash=hash_files([file]),
        columns=tuple(responses),
        counts=sparse.csr_array(
            (counts.astype(np.float64), (cue, response)), shape=(len(cues), len(responses))
        ),
        respondents=respondents,
    )


def count_column(file: Path) -> str:
    """The column of ``file`` that counts responses: "R123" (first to third ones) or "R1" (first ones)."""
    with file.open(encoding="utf-8", errors="replace") as stream:
        first = stream.readline().rstrip("\r\n").split("\t")
    return "R123" if "R123" in first and "R1" not in first else "R1"


def cslb(root: DataRoot, *, name: str, path: str = "cslb/norms.dat") -> PropertyTarget:
    """Read the CSLB concept property norms (``norms.dat``).

    A property that stands twice for a concept counts every participant once. The property type of a
    column is the one most participants gave it under, since a few properties stand under two.
    Devereux et al. 2014, Behavior Research Methods.

    Returns
    -------
    PropertyTarget
        Production frequencies; concepts and properties in order of first appearance. ``respondents`` is
        the number of participants named in any row of the concept.

    Raises
    ------
    DataError
        If a column is missing or a production frequency is no count.
    """
    file = locate(root, name, path)
    columns = ("feature type", "concept", "feature", "pf", "participant list")
    table = read_table(file, columns, "\t", quoted=False)
    table["count"] = whole_numbers(table, "pf", file)
    table["people"] = [frozenset(re.findall(r"\d+", people)) for people in table["participant list"]]
    twice = table.duplicated(["concept", "feature"], keep=False)
    for _, rows in table[twice].groupby(["concept", "feature"]):
        table.loc[rows.index, "count"] = len(frozenset().union(*rows["people"]))
    once = table.drop_duplicates(["concept", "feature"])
    concept, concepts = pd.factorize(once["concept"])
    feature, features = pd.factorize(once["feature"])
    by_type = table.groupby(["feature", "feature type"], sort=False)["count"].sum()
    commonest = by_type.groupby(level="feature").idxmax()
    everyone = table.groupby("concept")["people"].agg(lambda sets: len(frozenset().union(*sets)))
    return PropertyTarget(
        name=name,
        ids=tuple(concepts),
        hash=hash_files([file], "participants counted once"),
        columns=tuple(features),
        counts=sparse.csr_array(
            (once["count"].to_numpy(np.float64), (concept, feature)), shape=(len(concepts), len(features))
        ),
        respondents=everyone.loc[list(concepts)].to_numpy(np.float64),
        types=tuple(commonest[name][1] for name in features),
    )


def _require_no_pair_twice(table: pd.DataFrame, path: Path) -> None:
    twice = table.duplicated(["cue", "response"]).to_numpy()
    if twice.any():
        number = int(twice.argmax())
        cue, response = table["cue"].iloc[number], table["response"].iloc[number]
        raise DataError(
            f"{path}, line {number + 2}: cue {cue!r} with response {response!r} stands twice; "
            f"a pair may stand once: add the counts up in one row, or take one away"
        )


def _respondents(totals: np.ndarray, cue: np.ndarray, cues: pd.Index, path: Path) -> np.ndarray:
    """Respondents of each cue, which every row of the cue must give alike."""
    respondents = totals[np.unique(cue, return_index=True)[1]].astype(np.float64)
    differ = respondents[cue] != totals
    if differ.any():
        number = int(differ.argmax())
        raise DataError(f"{path}, line {number + 2}: N of cue {cues[cue[number]]!r} differs between its rows")
    return respondents


def _require_strengths(written: pd.Series, expected: np.ndarray, column: str, path: Path) -> None:
    """Refuse strengths that are not count / N, to the decimals of the file."""
    strengths = pd.to_numeric(written, errors="coerce").to_numpy(np.float64)
    decimals = int(written.str.extract(r"\.(\d+)$")[0].str.len().fillna(0).max())
    wrong = ~(np.abs(strengths - expected) < 10.0 ** -min(max(decimals, 1), 6))
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(
            f"{path}, line {row + 2}: {column}.Strength is {written.iloc[row]!r}, but {column} / N is "
            f"{expected[row]:.3g}; correct it, or leave the column out"
        )


def _require_all_responses(
    sums: np.ndarray, respondents: np.ndarray, cue: np.ndarray, cues: pd.Index, path: Path
) -> None:
    """Refuse counts that sum to more than N, or to less where those of most cues sum to N."""
    wrong = sums > respondents
    # Norms may leave out what one person alone said, of every cue; a few cues that do are a file cut short.
    if (sums == respondents).mean() > 0.5:
        wrong |= sums < respondents
    if wrong.any():
        number = int(wrong.argmax())
        line = len(cue) - int((cue == number)[::-1].argmax()) + 1
        more = sums[number] > respondents[number]
        raise DataError(
            f"{path}, line {line}: responses to cue {cues[number]!r} are {sums[number]:.0f}, "
            f"{'more' if more else 'fewer'} than its N = {respondents[number]:.0f}, so strengths do not sum "
            f"to one; {'correct N' if more else 'take the whole file, or correct N'}"
        )
