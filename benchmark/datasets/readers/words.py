"""Word vectors in the formats of GloVe, fastText and word2vec: text or binary, plain or gzipped."""

from __future__ import annotations

import gzip
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

import numpy as np

from benchmark.common.arrays import most_unpacked
from benchmark.common.errors import DataError
from benchmark.datasets.names import nfc
from benchmark.datasets.readers.files import locate
from benchmark.datasets.readers.text import encoding_of, read_ids
from benchmark.datasets.root import DataRoot, hash_files, hashed_by
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import VectorTarget

#: Number of bytes that are looked at for the line ends; a line, or a word of a binary file, is shorter
_START = 2**20
#: Number of bytes of a binary file that are read at once
_BLOCK = 2**22
#: The first bytes of a model of fastText, which is another format than that of word2vec
_FASTTEXT = b"\xba\x16\x4f\x2f"


def _vectors_hash(root: DataRoot, *, name: str, path: str, words: str | None = None) -> str:
    return hash_files(locate(root, name, file) for file in (path, words) if file is not None)


@hashed_by(_vectors_hash)
def vectors(root: DataRoot, *, name: str, path: str, words: str | None = None) -> VectorTarget:
    """Read word vectors: text with one word a line, ``word v1 v2 ...``, or the binary format of word2vec.

    In text the numbers are separated by spaces, and the first line may give the number of words and of
    dimensions, as word2vec and fastText write it. A word may contain spaces (GloVe 840B has some), but not
    the first one of a file without that line. The numbers at the end of the line are the vector. Pennington,
    Socher & Manning 2014, EMNLP; Mikolov et al. 2013, NeurIPS; Bojanowski et al. 2017, TACL.

    Parameters
    ----------
    root : DataRoot
        The data root.
    name : str
        Name of the dataset in the registry.
    path : str
        The file, beside the registry file or under the data root. It is read as gzip if its name ends in
        ".gz", and as binary if it ends in ".bin" or ".bin.gz".
    words : str, optional
        A list of words, one a line, or a table whose first column holds them. Only these are read, so that
        a file of millions of words takes little memory; other lines are not checked. Default: all.

    Returns
    -------
    VectorTarget
        Ids are the words, in the order of the file. Vectors are float32. Of words that differ only in how
        Unicode writes their letters, the first is kept.

    Raises
    ------
    NotPossible
        If a file is not there.
    DataError
        If a line is not a word with a vector of the same length as the others, a word occurs twice, the
        file is cut short, or has none of the words.
    """
    file = locate(root, name, path)
    wanted = None if words is None else _forms(read_ids(locate(root, name, words)))
    found, matrix = read_vectors(file, wanted)
    return VectorTarget(
        name=name,
        source=str(file),
        ids=tuple(found),
        hash=_vectors_hash(root, name=name, path=path, words=words),
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


def read_vectors(file: Path, wanted: Collection[str] | None = None) -> tuple[list[str], np.ndarray]:
    """The words of a file of word vectors, and their vectors (n, d), float32; :func:`vectors` says how.

    Parameters
    ----------
    file : Path
    wanted : collection of str, optional
        The words that are read. Default: all.

    Raises
    ------
    DataError
        As :func:`vectors`.
    """
    is_binary = file.name.endswith((".bin", ".bin.gz"))
    try:
        return (_read_binary if is_binary else _read_text)(file, wanted)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: cannot be read as word vectors ({error})") from error


def _forms(words: Iterable[str]) -> frozenset[str]:
    """The words in each way in which Unicode writes their letters."""
    return frozenset(form for word in words for form in (word, nfc(word), unicodedata.normalize("NFD", word)))


def _open(file: Path) -> BinaryIO:
    return gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb")  # type: ignore[return-value]


def _read_text(file: Path, wanted: Collection[str] | None) -> tuple[list[str], np.ndarray]:
    with _open(file) as stream:
        start = stream.read(_START)
    encoding = encoding_of(file, start[:100])
    line_end = _line_end(start.decode(encoding, errors="ignore"))
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rt", encoding=encoding, newline=line_end) as lines:
        return _collected(_parse(_bounded(lines, file), file, wanted), file, wanted)


def _bounded(lines: TextIO, file: Path) -> Iterator[str]:
    """The lines of a file, none of which is endless, and that are no more than the file accounts for."""
    left = most_unpacked(file.stat().st_size)
    number = 0
    while line := lines.readline(_START):
        number, left = number + 1, left - len(line)
        if len(line) == _START or left < 0:
            what = (
                f"has more than {_START:,} characters" if left >= 0 else "unpacks to far more than the file"
            )
            raise DataError(f"{file}, line {number}: {what}; expected a word and its numbers")
        yield line


def _line_end(start: str) -> str:
    r"""What ends the lines of a file: ``\r`` as on old Macs, or a newline. A word of the web may hold one."""
    return "\r" if "\r" in start and "\n" not in start else "\n"


def _parse(
    lines: Iterable[str], file: Path, wanted: Collection[str] | None
) -> Iterator[tuple[str, np.ndarray]]:
    # of a word with spaces the first part is looked for, before the line is split into hundreds of numbers
    firsts = None if wanted is None else {word.split(" ")[0] for word in wanted}
    length = 0
    for number, line in enumerate(lines, start=1):
        if firsts is not None and number > 1 and _first_word(line) not in firsts:
            continue
        fields = line.strip(" \r\n").split("\t" if "\t" in line and " " not in line else " ")
        if number == 1 and len(fields) == 2 and all(field.isdigit() for field in fields):
            length = int(fields[1])
            continue
        length = length or len(fields) - 1
        word = " ".join(fields[:-length]) if length else ""
        if wanted is not None and word not in wanted:
            continue
        try:
            with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused
                row = np.array(fields[-length:], dtype=np.float32)
        except ValueError:
            row = np.zeros(0, dtype=np.float32)
        if not word or len(row) != length:
            raise DataError(
                f"{file}, line {number}: expected a word and {length or 'its'} numbers separated by spaces, "
                f"found {line.strip()[:40]!r}"
            )
        yield word, row


def _first_word(line: str) -> str:
    line = line[:100].lstrip(" ") if line.startswith(" ") else line
    end = line.find(" ")
    return line[:end] if end >= 0 else line.partition("\t")[0]


def _read_binary(file: Path, wanted: Collection[str] | None) -> tuple[list[str], np.ndarray]:
    with _open(file) as stream:
        header = stream.readline(100)
        numbers = header.split()
        if header.startswith(_FASTTEXT):
            raise DataError(
                f"{file}: is a model of fastText, not word vectors; take the text (.vec) of the same page"
            )
        if len(numbers) != 2 or not all(number.isdigit() for number in numbers) or int(numbers[1]) < 1:
            raise DataError(
                f"{file}: the first line is not the number of words and of dimensions; expected the binary "
                "format of word2vec; text has another ending than .bin"
            )
        if int(numbers[1]) > _START:
            raise DataError(f"{file}: promises {int(numbers[1]):,} dimensions, more than {_START:,}")
        keys = None if wanted is None else {word.encode() for word in wanted}
        pairs = _unpacked(stream, int(numbers[0]), int(numbers[1]), keys, file)
        return _collected(pairs, file, wanted)


def _unpacked(
    stream: BinaryIO, n: int, dimensions: int, wanted: Collection[bytes] | None, file: Path
) -> Iterator[tuple[str, np.ndarray]]:
    """The words of the binary format: each is followed by a space and its numbers, little-endian float32."""
    width = 4 * dimensions
    buffer, place = b"", 0
    for i in range(n):
        while (end := buffer.find(b" ", place)) < 0 or len(buffer) - end - 1 < width:
            more = stream.read(_BLOCK)
            if not more:
                raise DataError(f"{file}: ends after {i:,} of {n:,} words: it is cut short, get it again")
            if len(buffer) - place > width + _START and end < 0:
                raise DataError(f"{file}: word {i + 1:,} has more than {_START:,} bytes")
            buffer, place = buffer[place:] + more, 0
        word = buffer[place:end].lstrip(b"\n")
        if wanted is None or word in wanted:
            yield word.decode(), np.frombuffer(buffer, "<f4", dimensions, end + 1).astype(np.float32)
        place = end + 1 + width


def _collected(
    pairs: Iterable[tuple[str, np.ndarray]], file: Path, wanted: Collection[str] | None
) -> tuple[list[str], np.ndarray]:
    words: dict[str, None] = {}
    rows: list[np.ndarray] = []
    for word, row in pairs:
        if word in words:
            raise DataError(f"{file}: word {word!r} occurs twice; words must be unique")
        words[word] = None
        rows.append(row)
    if not words:
        raise DataError(f"{file}: no word vectors in it" + (" of the words of the list" if wanted else ""))
    matrix = np.stack(rows)
    first: dict[str, int] = {}
    for place, word in enumerate(words):
        first.setdefault(nfc(word), place)
    # Web text writes some letters in two ways. Files begin with the commonest words, so the first is kept.
    if len(first) < len(words):
        return list(first), matrix[list(first.values())]
    return list(words), matrix
