"""Word vectors as they are published: GloVe, fastText and word2vec, text and binary, plain and gzipped."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.common.errors import DataError
from benchmark.datasets import DataRoot
from benchmark.datasets.readers.words import vectors

WORDS = ["the", "cat", "New York", "na\u00efve", "null", "1", "dog"]
VALUES = np.random.default_rng(0).normal(size=(len(WORDS), 5)).astype(np.float32)


def text(words: list[str], values: np.ndarray, header: bool) -> bytes:
    lines = [f"{len(words)} {values.shape[1]}"] if header else []
    lines += [f"{word} {' '.join(map(repr, row.tolist()))}" for word, row in zip(words, values, strict=True)]
    return ("\n".join(lines) + "\n").encode()


def binary(words: list[str], values: np.ndarray, newline: bytes = b"\n") -> bytes:
    rows = (w.encode() + b" " + row.tobytes() + newline for w, row in zip(words, values, strict=True))
    return f"{len(words)} {values.shape[1]}\n".encode() + b"".join(rows)


FORMS = {
    "glove.txt": text(WORDS, VALUES, header=False),
    "fasttext.vec": text(WORDS, VALUES, header=True),
    "word2vec.bin": binary([word.replace(" ", "_") for word in WORDS], VALUES),
    "gensim.bin": binary([word.replace(" ", "_") for word in WORDS], VALUES, newline=b""),
}


def read(folder: Path, name: str, words: str | None = None) -> tuple[tuple[str, ...], np.ndarray]:
    found = vectors(DataRoot(folder), name=name, path=name, words=words)
    return found.ids, found.vectors


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_vectors(tmp_path, form, zipped):
    name = f"{form}.gz" if zipped else form
    (tmp_path / name).write_bytes(gzip.compress(FORMS[form]) if zipped else FORMS[form])
    ids, found = read(tmp_path, name)
    assert [word.replace("_", " ") for word in ids] == WORDS
    np.testing.assert_array_equal(found, VALUES)
    # the list writes a letter in the other way, and asks for a word that is not there
    (tmp_path / "list.txt").write_text(
        "dog\nnai\u0308ve\nyeti\nNew York\nNew_York\nthe end", encoding="utf-8"
    )
    ids, found = read(tmp_path, name, "list.txt")
    assert [word.replace("_", " ") for word in ids] == ["New York", "na\u00efve", "dog"]
    np.testing.assert_array_equal(found, VALUES[[2, 3, 6]])


def test_the_list_decides_the_hash(tmp_path):
    (tmp_path / "glove.txt").write_bytes(FORMS["glove.txt"])
    hashes = set()
    for content in (None, "dog", "dog\ncat"):
        (tmp_path / "list.txt").write_text(content or "")
        words = None if content is None else "list.txt"
        target = vectors(DataRoot(tmp_path), name="x", path="glove.txt", words=words)
        hashes.add(target.hash)
        assert target.hash == vectors.hash_of(DataRoot(tmp_path), name="x", path="glove.txt", words=words)
    assert len(hashes) == 3


@settings(max_examples=40)
@given(
    st.lists(st.text("ab \u00e9", min_size=1).filter(lambda word: word == word.strip() and "  " not in word),
             min_size=1, max_size=8, unique=True),
    st.data(),
)  # fmt: skip
def test_a_part_is_what_the_whole_has(tmp_path_factory, words, data):
    folder = tmp_path_factory.mktemp("any")
    wanted = data.draw(st.lists(st.sampled_from(words), min_size=1, unique=True))
    values = np.random.default_rng(len(words)).normal(size=(len(words), 3)).astype(np.float32)
    # without a header the first line says the number of dimensions, so its word has no space
    header = data.draw(st.booleans()) or " " in words[0]
    (folder / "all.txt").write_bytes(text(words, values, header=header))
    (folder / "list.txt").write_text("\n".join(wanted), encoding="utf-8")
    ids, found = read(folder, "all.txt", "list.txt")
    assert ids == tuple(word for word in words if word in wanted)
    np.testing.assert_array_equal(found, values[[words.index(word) for word in ids]])


@pytest.mark.parametrize(
    "name, content, said",
    [
        ("a.bin", FORMS["word2vec.bin"][:-20], "ends after 6 of 7 words: it is cut short"),
        ("a.bin", FORMS["glove.txt"], "the first line is not the number of words and of dimensions"),
        ("a.bin", b"\xba\x16\x4f\x2f\x0c\x00\x00\x00", "is a model of fastText"),
        ("a.bin.gz", gzip.compress(FORMS["word2vec.bin"], mtime=0)[:-30], "cannot be read as word vectors"),
        ("a.txt", b"the 1 2 3\ndog 1 x 3\n", r"line 2: expected a word and 3 numbers"),
        ("a.txt", b"the 1 2 3\ncat 1 2 3\n", "no word vectors in it of the words of the list"),
    ],
)
def test_faults_are_named(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    (tmp_path / "list.txt").write_text("dog")
    with pytest.raises(DataError, match=said):
        read(tmp_path, name, "list.txt")
