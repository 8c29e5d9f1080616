"""What people answer to a word: association norms and property norms."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from benchmark.common.errors import DataError
from benchmark.datasets.names import nfc
from benchmark.datasets.norms import AssociationTarget, PropertyTarget
from benchmark.datasets.readers.files import locate, read_table, whole_numbers
from benchmark.datasets.readers.property_tables import property_target
from benchmark.datasets.readers.text import encoding_of
from benchmark.datasets.root import DataRoot, hash_files, hashed_by


def _associations_hash(root: DataRoot, *, name: str, path: str) -> str:
    return hash_files([locate(root, name, path)])


@hashed_by(_associations_hash)
def associations(root: DataRoot, *, name: str, path: str) -> AssociationTarget:
    """Read association norms under the data root.

    :func:`read_associations` says which layout the file has, which order the ids have, and which errors are
    raised.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    path : str
        The file, under the data root.
    """
    return read_associations(locate(root, name, path), name=name)


def read_associations(file: Path, *, name: str) -> AssociationTarget:
    """Read association norms in the layout of the Small World of Words strength files.

    The file is tab separated, without quoting, and has one row per pair of cue and response. Columns:

    - ``cue`` and ``response``;
    - ``R1``, how many people gave the response as their first one, or ``R123``, as one of three;
    - ``N``, the number of all responses to the cue, the same in every row of the cue;
    - ``R1.Strength`` or ``R123.Strength``, optional: the count over ``N``.

    De Deyne et al. 2019, Behavior Research Methods. Norms that list only a part of the responses to every
    cue, like those of the University of South Florida, are read too.

    Parameters
    ----------
    file : Path
        The file.
    name : str
        Name of the target.

    Returns
    -------
    AssociationTarget
        Ids are the cues. Cues and responses are in order of first appearance, in the spelling of the file.

    Raises
    ------
    DataError
        If a column is missing, or a pair occurs twice. If ``N`` differs between the rows of a cue, or a
        strength is not the count over ``N``. If the responses to a cue are more than ``N``, or fewer although
        most cues have all of theirs.
    """
    column = count_column(file)
    # "null" is a cue, "nan" is a response, and a quote is a character like any other.
    table = read_table(file, ("cue", "response", column, "N"), "\t", quoted=False)
    table["cue"], table["response"] = table["cue"].map(nfc), table["response"].map(nfc)
    _require_unique_pairs(table, file)
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
        source=str(file),
        ids=tuple(cues),
        hash=hash_files([file]),
        columns=tuple(responses),
        counts=sparse.csr_array(
            (counts.astype(np.float64), (cue, response)), shape=(len(cues), len(responses))
        ),
        respondents=respondents,
    )


def count_column(file: Path) -> str:
    """The column of ``file`` that counts responses: "R123" (a person's first three) or "R1" (the first)."""
    with file.open("rb") as stream:
        start = stream.read(4096)
    header = start.decode(encoding_of(file, start), errors="replace").splitlines()[:1]
    first = re.split("[\t,;| ]", "".join(header).replace('"', ""))
    return "R123" if "R123" in first and "R1" not in first else "R1"


#: Names of the properties of colour, and of shape and size, one a line: those of Derby et al. 2020
_COLOURS, _SHAPES = "derby2020/colours.txt", "derby2020/shapes.txt"


def _cslb_hash(root: DataRoot, *, name: str, path: str = "cslb/norms.dat") -> str:
    lists = [sorted(_listed(root, file)) for file in (_COLOURS, _SHAPES)]
    return hash_files([locate(root, name, path)], "participants counted once, names without senses", *lists)


@hashed_by(_cslb_hash)
def cslb(root: DataRoot, *, name: str, path: str = "cslb/norms.dat") -> PropertyTarget:
    """Read the CSLB concept property norms (``norms.dat``).

    The file is tab separated, without quoting. Columns that are read: "feature type", "concept", "feature"
    (the property), "pf" (production frequency) and "participant list" (numbers of participants).

    A few properties are listed twice for a concept. Then each participant counts once. A few properties are
    listed under two types. Then the type is the one under which most participants gave the property.
    Devereux et al. 2014, Behavior Research Methods.

    The finer kinds of colour and of shape and size are those of ``derby2020/colours.txt`` and ``shapes.txt``
    (one property a line). Without these files such properties are of the kind "is".

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    path : str
        The file, under the data root.

    Returns
    -------
    PropertyTarget
        Ids are the concepts by :func:`benchmark.datasets.properties.concept_names`. ``counts`` are production
        frequencies. Concepts (ids) and properties (columns) are in order of first appearance. ``respondents``
        is the number of participants who are named in any row of the concept.

    Raises
    ------
    NotPossible
        If the file is not there.
    DataError
        If a column is missing or a production frequency is not a whole number greater than zero.
    """
    file = locate(root, name, path)
    columns = ("feature type", "concept", "feature", "pf", "participant list")
    table = read_table(file, columns, "\t", quoted=False)
    table["concept"], table["feature"] = table["concept"].map(nfc), table["feature"].map(nfc)
    table["count"] = whole_numbers(table, "pf", file)
    table["people"] = [frozenset(re.findall(r"\d+", people)) for people in table["participant list"]]
    repeated = table.duplicated(["concept", "feature"], keep=False)
    for _, rows in table[repeated].groupby(["concept", "feature"]):
        table.loc[rows.index, "count"] = len(frozenset().union(*rows["people"]))
    pairs = table.drop_duplicates(["concept", "feature"])
    by_type = table.groupby(["feature", "feature type"], sort=False)["count"].sum()
    commonest = by_type.groupby(level="feature").idxmax()
    participants = table.groupby("concept")["people"].agg(lambda sets: len(frozenset().union(*sets)))
    return property_target(
        name,
        file,
        pairs.rename(columns={"feature": "property"}),
        types=dict(commonest.to_list()),
        colours=_listed(root, _COLOURS),
        shapes=_listed(root, _SHAPES),
        respondents=participants.to_dict(),
        digest=_cslb_hash(root, name=name, path=path),
    )


def _listed(root: DataRoot, file: str) -> frozenset[str]:
    """The names in a file of the data root, one a line; none if the file is not there."""
    path = root.path / file
    return frozenset(path.read_text(encoding="utf-8").split("\n")) - {""} if path.is_file() else frozenset()


def _require_unique_pairs(table: pd.DataFrame, path: Path) -> None:
    repeated = table.duplicated(["cue", "response"]).to_numpy()
    if repeated.any():
        number = int(repeated.argmax())
        cue, response = table["cue"].iloc[number], table["response"].iloc[number]
        raise DataError(
            f"{path}, line {number + 2}: cue {cue!r} with response {response!r} occurs twice; "
            f"write each pair once: add the counts up in one row, or remove a row"
        )


def _respondents(totals: np.ndarray, cue: np.ndarray, cues: pd.Index, path: Path) -> np.ndarray:
    """Number of responses to each cue. Every row of a cue must give the same number."""
    respondents = totals[np.unique(cue, return_index=True)[1]].astype(np.float64)
    differ = respondents[cue] != totals
    if differ.any():
        number = int(differ.argmax())
        raise DataError(f"{path}, line {number + 2}: N of cue {cues[cue[number]]!r} differs between its rows")
    return respondents


def _require_strengths(strength_column: pd.Series, expected: np.ndarray, column: str, path: Path) -> None:
    """Refuse strengths that differ from count / N in the decimals that the file has."""
    strengths = pd.to_numeric(strength_column, errors="coerce").to_numpy(np.float64)
    decimals = int(strength_column.str.extract(r"\.(\d+)$")[0].str.len().fillna(0).max())
    wrong = ~(np.abs(strengths - expected) < 10.0 ** -min(max(decimals, 1), 6))
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(
            f"{path}, line {row + 2}: {column}.Strength is {strength_column.iloc[row]!r}, but {column} / N "
            f"is {expected[row]:.3g}; correct it, or leave the column out"
        )


def _require_all_responses(
    sums: np.ndarray, respondents: np.ndarray, cue: np.ndarray, cues: pd.Index, path: Path
) -> None:
    """Refuse counts of a cue that sum to more than N, or to less than N if those of most cues sum to N."""
    wrong = sums > respondents
    # Norms may leave out responses that only one person gave, for every cue. If only a few cues lack
    # responses, the file was cut.
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
