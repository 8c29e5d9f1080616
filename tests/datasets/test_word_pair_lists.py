"""Lists of rated word pairs: two layouts, pairs that stand twice, and what is wrong with a file."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from benchmark.common.errors import DataError, NotPossible, UsageError
from benchmark.datasets import DataRoot, WordPairTarget
from benchmark.datasets.mini import word_pairs
from benchmark.datasets.mini.ratings import true_similarity
from benchmark.datasets.readers.word_pairs import ratings
from benchmark.datasets.readers.words import words

DATA = Path(os.environ.get("BENCH_DATA", ""))
needs_data = pytest.mark.skipif(not (DATA / "men").is_dir(), reason="needs the data root")


def read(folder, text, **params):
    (folder / "list.txt").write_text(text, encoding="utf-8")
    return ratings(DataRoot(folder), name="list", path="list.txt", **params)


def test_a_bare_list_has_two_words_and_a_rating_a_line(tmp_path):
    found = read(tmp_path, "cat dog 40.5\r\nnull\tnan 3\r\n\r\n")
    assert found.ids == ("cat", "dog", "null", "nan")
    assert found.pairs.tolist() == [[0, 1], [2, 3]]
    assert found.ratings.tolist() == [40.5, 3]
    assert found.repeated == 0


def test_pairs_that_stand_twice_count_once_with_their_mean(tmp_path):
    found = read(tmp_path, "a b 1\nb a 4\nb c 2\nb c 2\nc a 9\n")
    assert found.ratings.tolist() == [2.5, 2, 9]
    assert found.repeated == 2


def test_of_a_table_only_the_named_columns_are_read(tmp_path):
    text = "w1\tw2\tsim\tassociation\na\tb\t3\t{}\nb\tc\t1\t8\n"
    columns = ["w1", "w2", "sim"]
    plain = read(tmp_path, text.format("7"), columns=columns)
    other = read(tmp_path, text.format("not even a number"), columns=columns)
    assert plain.ratings.tolist() == other.ratings.tolist() == [3, 1]
    assert vars(plain).keys() == {
        "name",
        "ids",
        "hash",
        "simulated",
        "source",
        "pairs",
        "ratings",
        "repeated",
    }


@pytest.mark.parametrize(
    "text, says",
    [
        ("a b\n", r"line 1: expected two words and a rating, found 'a b'"),
        ("a b 1\na c high\n", r"line 2: rating 'high' is not a number"),
        ("a b inf\n", r"line 1: rating 'inf' is not a number"),
        ("a b 1\nc c 2\n", r"line 2: 'c' stands with itself"),
        ("\n", "no pair of words in it"),
    ],
)
def test_a_wrong_list_says_what_is_wrong_and_where(tmp_path, text, says):
    with pytest.raises(DataError, match=says):
        read(tmp_path, text)


def test_wrong_columns_are_refused(tmp_path):
    with pytest.raises(UsageError, match="name the two words and the rating"):
        read(tmp_path, "a\tb\n", columns=["a", "b"])
    with pytest.raises(DataError, match="no column 'rating'"):
        read(tmp_path, "w1\tw2\tsim\na\tb\t3\n", columns=["w1", "w2", "rating"])


def test_a_part_of_the_words_keeps_the_pairs_among_them():
    whole = WordPairTarget(
        "list", tuple("abcd"), "h", pairs=np.array([[0, 1], [2, 1], [3, 0]]), ratings=np.arange(3.0)
    )
    some = whole.select(["c", "b", "d"])
    assert some.pairs.tolist() == [[0, 1]]
    assert some.ratings.tolist() == [1]
    with pytest.raises(NotPossible, match="none of its 3 pairs"):
        whole.select(["a", "c"])


@pytest.mark.parametrize(
    "pairs, values, says",
    [
        ([[0, 1], [1, 0]], [1, 2], "stands twice"),
        ([[0, 0]], [1], "a word with itself"),
        ([[0, 2]], [1], "not among the 2 words"),
        ([[0, 1]], [np.nan], "not finite"),
        ([[0, 1]], [1, 2], r"expected \(m, 2\) and \(m,\)"),
    ],
)
def test_a_wrong_target_is_refused(pairs, values, says):
    with pytest.raises(DataError, match=says):
        WordPairTarget("list", ("a", "b"), "h", pairs=np.array(pairs), ratings=np.array(values, dtype=float))


def test_the_simulated_list_follows_the_known_truth(tmp_path):
    root = DataRoot(tmp_path)
    found = word_pairs(root, name="mini")
    assert found.simulated
    assert len(found.pairs) == 300
    assert found.ratings.min() == 0
    assert found.ratings.max() == 50
    true = true_similarity(root)[found.pairs[:, 0], found.pairs[:, 1]]
    assert 0.6 < spearmanr(true, found.ratings).statistic < 0.8


@needs_data
def test_men_and_simlex():
    root = DataRoot(DATA)
    men = ratings(root, name="men", path="men/MEN_dataset_natural_form_full")
    assert (len(men.ids), len(men.pairs), men.repeated) == (751, 3000, 0)
    columns = ["word1", "word2", "SimLex999"]
    simlex = ratings(root, name="simlex", path="simlex999/SimLex-999.txt", columns=columns)
    assert (len(simlex.ids), len(simlex.pairs), simlex.repeated) == (1028, 998, 1)
    row = {word: i for i, word in enumerate(simlex.ids)}
    twice = (simlex.pairs == sorted((row["sly"], row["strange"]))).all(axis=1)
    assert simlex.ratings[twice] == pytest.approx((1.97 + 2.07) / 2)


def test_words_of_a_vector_file_are_stimuli_without_images(tmp_path):
    (tmp_path / "v.txt").write_text("null 1 2\ncat 3 4\n")
    found = words(DataRoot(tmp_path), name="words", path="v.txt")
    assert found.ids == found.concepts == ("null", "cat")
    assert found.open_image is None
