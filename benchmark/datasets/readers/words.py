"""Word vectors in the text format of GloVe and word2vec."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from benchmark.common.errors import DataError
from benchmark.datasets.names import nfc
from benchmark.datasets.readers.files import locate
from benchmark.datasets.readers.text import encoding_of
from benchmark.datasets.root import DataRoot, hash_files, hashed_by
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import VectorTarget

#: Number of bytes that are looked at for the line ends; the first line is shorter
_START = 2**20


def _vectors_hash(root: DataRoot, *, name: str, path: str) -> str:
    return hash_files([locate(root, name, path)])


@hashed_by(_vectors_hash)
def vectors(root: DataRoot, *, name: str, path: str) -> VectorTarget:
    """Read word vectors from a text file with one word a line: ``word v1 v2 ...``, separated by spaces.

    The first line may give the number of words and of dimensions, as word2vec writes it. A word may contain
    spaces (GloVe 840B has some). The numbers at the end of the line are the vector. Pennington, Socher &
    Manning 2014, EMNLP; Mikolov et al. 2013, NeurIPS.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    path : str
        The file, under the data root. It is read as gzip if its name ends in ".gz".

    Returns
    -------
    VectorTarget
        Ids are the words, in the order of the file. Vectors are float32. Of words that differ only in how
        Unicode writes their letters, the first is kept.

    Raises
    ------
    NotPossible
        If the file is not there.
    DataError
        If a line is not a word with a vector of the same length as the others, or a word occurs twice.
    """
    file = locate(root, name, path)
    words, matrix = read_vectors(file)
    return VectorTarget(
        name=name,
        source=str(file),
        ids=tuple(words),
        hash=_vectors_hash(root, name=name, path=path),
        vectors=matrix,
    )


def words(root: DataRoot, *, name: str, path: str) -> Stimuli:
    """The words of a file of word vectors as stimuli without images, for models given as features of words.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    path : str
        The file, under the data root, in the format of :func:`vectors`. Only its words are used.

    Returns
    -------
    Stimuli
        One stimulus and one concept per word, in the order of the file.

    Raises
    ------
    NotPossible
        If the file is not there.
    DataError
        If the file is not one of word vectors.
    """
    file = locate(root, name, path)
    ids = tuple(read_vectors(file)[0])
    return Stimuli(name=name, ids=ids, concepts=ids, manifest=hash_files([file], "words"))


def read_vectors(file: Path) -> tuple[list[str], np.ndarray]:
    """The words of a file of word vectors, and their vectors (n, d), float32; :func:`vectors` says how.

    Raises
    ------
    DataError
        If a line is not a word with a vector of the same length as the others.
    """
    opener = gzip.open if file.suffix == ".gz" else open
    try:
        with opener(file, "rb") as stream:
            start = stream.read(_START)
        encoding = encoding_of(file, start[:100])
        line_end = _line_end(start.decode(encoding, errors="ignore"))
        with opener(file, "rt", encoding=encoding, newline=line_end) as lines:
            return _parse(lines, file)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: cannot be read as text ({error})") from error


def _line_end(start: str) -> str:
    r"""What ends the lines of a file: ``\r`` as on old Macs, or a newline. A word of the web may hold one."""
    return "\r" if "\r" in start and "\n" not in start else "\n"


def _parse(lines: Iterable[str], file: Path) -> tuple[list[str], np.ndarray]:
    words: list[str] = []
    rows: list[np.ndarray] = []
    length = 0
    for number, line in enumerate(lines, start=1):
        fields = line.strip(" \r\n").split("\t" if "\t" in line and " " not in line else " ")
        if number == 1 and len(fields) == 2 and all(field.isdigit() for field in fields):
            length = int(fields[1])
            continue
        length = length or len(fields) - 1
        word = " ".join(fields[:-length]) if length else ""
        try:
            row = np.array(fields[-length:], dtype=np.float32)
        except ValueError:
            row = np.zeros(0, dtype=np.float32)
        if not word or len(row) != length:
            raise DataError(
                f"{file}, line {number}: expected a word and {length or 'its'} numbers separated by spaces, "
                f"found {line.strip()[:40]!r}"
            )
        words.append(word)
        rows.append(row)
    if not words:
        raise DataError(f"{file}: no word vectors in it")
    matrix = np.stack(rows)
    first: dict[str, int] = {}
    for place, word in enumerate(words):
        first.setdefault(nfc(word), place)
    # Web text writes some letters in two ways. Files begin with the commonest words, so the first is kept.
    if len(first) < len(set(words)) == len(words):
        return list(first), matrix[list(first.values())]
    return words, matrix
