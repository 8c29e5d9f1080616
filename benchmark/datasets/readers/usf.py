"""The free association norms of the University of South Florida, as their Appendix A is published."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy import sparse

from benchmark.common.errors import DataError
from benchmark.datasets.norms import AssociationTarget
from benchmark.datasets.readers.files import locate
from benchmark.datasets.root import DataRoot, hash_files, hashed_by

_FILES = "Cue_Target_Pairs*"
#: The first columns of a file; those that follow are not read
_HEADER = ("CUE", "TARGET", "NORMED?", "#G", "#P")


def _usf_hash(root: DataRoot, *, name: str, path: str = "usf") -> str:
    return hash_files(_files(locate(root, name, path)), "words in lower case")


@hashed_by(_usf_hash)
def usf(root: DataRoot, *, name: str, path: str = "usf") -> AssociationTarget:
    """Read the norms of the University of South Florida: 5,019 cues, the responses of about 150 people each.

    The files are those of Appendix A, ``Cue_Target_Pairs.A-B`` to ``Cue_Target_Pairs.T-Z``: lines with commas
    between a page's marks, ``<pre>`` and others, which are left out. Columns that are read: "CUE", "TARGET",
    "#G" (the people who were asked) and "#P" (those who gave the target). Responses that only one person gave
    are not in the files, so strengths do not sum to one. Nelson, McEvoy & Schreiber 2004, Behavior Research
    Methods, Instruments, & Computers.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    path : str
        The folder of the files, or one file.

    Returns
    -------
    AssociationTarget
        Words are in lower case: the files have capitals alone. Cues and responses are in the order of first
        appearance, files in that of their names.

    Raises
    ------
    NotPossible
        If the folder is not there.
    DataError
        If there is no file, its columns are others, a number is no whole number, a pair occurs twice, or the
        numbers of a cue do not fit one another. The message names the line.
    """
    files = _files(locate(root, name, path))
    cues: dict[str, int] = {}
    responses: dict[str, int] = {}
    asked: list[int] = []
    counts: dict[tuple[int, int], int] = {}
    for file in files:
        for line, (cue, target, people, gave) in _rows(file):
            where = f"{file}, line {line}"
            pair = (cues.setdefault(cue, len(cues)), responses.setdefault(target, len(responses)))
            if pair in counts:
                raise DataError(f"{where}: cue {cue!r} with response {target!r} occurs twice; remove a line")
            asked += [people] * (pair[0] == len(asked))
            if asked[pair[0]] != people:
                raise DataError(
                    f"{where}: #G of cue {cue!r} is {people}, in an earlier line {asked[pair[0]]}"
                )
            counts[pair] = gave
    cue, response = np.array(list(counts)).T
    table = sparse.csr_array(
        (np.array(list(counts.values()), np.float64), (cue, response)), shape=(len(cues), len(responses))
    )
    more = table.sum(axis=1) > asked
    if more.any():
        raise DataError(
            f"{files[0].parent}: the responses to cue {list(cues)[int(more.argmax())]!r} are more than its #G"
        )
    return AssociationTarget(
        name=name,
        source=str(files[0].parent),
        ids=tuple(cues),
        hash=_usf_hash(root, name=name, path=path),
        columns=tuple(responses),
        counts=table,
        respondents=np.array(asked, np.float64),
    )


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    files = sorted(file for file in path.glob(_FILES) if file.is_file())
    if not files:
        raise DataError(f"{path}: no file {_FILES} in it; expected those of Appendix A, A-B to T-Z")
    return files


def _rows(path: Path) -> Iterator[tuple[int, tuple[str, str, int, int]]]:
    """Line, cue, response, people who were asked, and people who gave it."""
    header = False
    # a currency sign of Latin-1 stands for what is not known; the words are ASCII
    for line, text in enumerate(path.read_bytes().decode("latin-1").splitlines(), start=1):
        if not text.strip() or text.lstrip().startswith("<"):
            continue
        cells = [cell.strip() for cell in text.split(",")]
        if not header:
            if tuple(cells[: len(_HEADER)]) != _HEADER:
                raise DataError(
                    f"{path}, line {line}: reads {text.strip()[:60]!r}; expected {', '.join(_HEADER)}, ..."
                )
            header = True
            continue
        if len(cells) < len(_HEADER) or not all(cells[:2]):
            raise DataError(f"{path}, line {line}: expected cells {', '.join(_HEADER)}, found {text[:60]!r}")
        people, gave = (_whole(cell, f"{path}, line {line}") for cell in cells[3:5])
        yield line, (cells[0].lower(), cells[1].lower(), people, gave)
    if not header:
        raise DataError(f"{path}: no line {', '.join(_HEADER)}, ... in it")


def _whole(cell: str, where: str) -> int:
    if not cell.isdecimal() or int(cell) < 1:
        raise DataError(f"{where}: {cell[:20]!r} is not a whole number greater than zero")
    return int(cell)
