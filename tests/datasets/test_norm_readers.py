"""Association norms, property norms and word vectors: made-up files, good and bad."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from benchmark.common.errors import DataError, NotPossible
from benchmark.datasets import DataRoot
from benchmark.datasets.readers.norms import associations, count_column, cslb
from benchmark.datasets.readers.words import vectors

HEADER = "cue\tresponse\tR1\tN\tR1.Strength\n"
CSLB_HEADER = "domain\tfeature type\tconcept\tfeature\tpf\tfeature alternatives\tparticipant list\r\n"


def one_line(error: pytest.ExceptionInfo[Exception]) -> str:
    message = str(error.value)
    assert "\n" not in message
    return message


def strengths(folder: Path, text: str):
    (folder / "norms.csv").write_text(text, encoding="utf-8")
    return associations(DataRoot(folder), name="made_up", path="norms.csv")


def properties(folder: Path, text: str):
    (folder / "norms.dat").write_bytes(text.encode())
    return cslb(DataRoot(folder), name="made_up", path="norms.dat")


def word_vectors(folder: Path, text: str, file: str = "vectors.txt"):
    if file.endswith(".gz"):
        (folder / file).write_bytes(gzip.compress(text.encode()))
    else:
        (folder / file).write_text(text, encoding="utf-8")
    return vectors(DataRoot(folder), name="made_up", path=file)


def test_words_that_look_like_missing_values_stay_words(tmp_path):
    rows = "null\tnan\t3\t5\t.6\nnull\tNA\t2\t5\t.4\ntrue\tnull\t1\t1\t1\n1\tTV show\t1\t1\t1\n"
    target = strengths(tmp_path, HEADER + rows)
    assert target.ids == ("null", "true", "1")
    assert target.columns == ("nan", "NA", "null", "TV show")
    np.testing.assert_array_equal(target.counts.toarray(), [[3, 2, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    np.testing.assert_array_equal(target.respondents, [5, 1, 1])


def test_a_quote_is_a_character_of_the_word(tmp_path):
    target = strengths(tmp_path, HEADER + 'bolt\t"\t1\t3\t.3\nbolt\tnut\t2\t3\t.7\n')
    assert target.columns == ('"', "nut")


@pytest.mark.parametrize("mark", [",", ";", " ", "|"])
def test_another_separator_and_quotes_are_read(tmp_path, mark):
    plain = strengths(tmp_path, HEADER + "dog\tcat\t1\t2\t.5\ndog\tbone\t1\t2\t.5\n")
    for text in (
        HEADER.replace("\t", mark)
        + f"dog{mark}cat{mark}1{mark}2{mark}.5\ndog{mark}bone{mark}1{mark}2{mark}.5\n",
        '"","cue","response","R1","N"\n"1","dog","cat",1,2\n"2","dog","bone",1,2\n',
    ):
        target = strengths(tmp_path, text)
        assert (target.ids, target.columns) == (plain.ids, plain.columns)
        np.testing.assert_array_equal(target.counts.toarray(), plain.counts.toarray())


def test_letters_are_compared_in_nfc_and_pairs_that_coincide_are_named(tmp_path):
    target = strengths(tmp_path, HEADER + "cafe\u0301\tna\u00efve\t1\t1\t1\n")
    assert (target.ids, target.columns) == (("caf\u00e9",), ("na\u00efve",))
    with pytest.raises(DataError, match=r"norms\.csv, line 3: cue 'caf\u00e9'.*occurs twice"):
        strengths(tmp_path, HEADER + "cafe\u0301\ttea\t1\t2\t.5\ncaf\u00e9\ttea \t1\t2\t.5\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEADER.replace("R1", "R2") + "dog\tcat\t1\t1\t1\n", "line 1: no column 'R1', it reads"),
        (HEADER.replace("R1\tN", "R1\tcount") + "dog\tcat\t1\t1\t1\n", "no column 'N'"),
        ("cue,response,count\ndog,cat,1\n", "line 1: no column 'R1', it reads 'cue, response, count'"),
        (HEADER + "dog\tcat\t1\t2\t.5\ndog\tcat\t1\t2\t.5\n", "line 3: cue 'dog' with response 'cat'"),
        (HEADER + "dog\tcat\tmany\t2\t.5\n", "line 2: R1 is 'many'"),
        (HEADER + "dog\tcat\t0\t2\t.5\n", "line 2: R1 is '0'"),
        (HEADER + "dog\tcat\t-1\t2\t.5\n", "line 2: R1 is '-1'"),
        (HEADER + "dog\tcat\t1\t2\t.5\ndog\tpet\t1\t3\t.3\n", "line 3: N of cue 'dog'"),
        (
            HEADER + "dog\tcat\t2\t3\t.6\ndog\tpet\t2\t3\t.6\n",
            "line 3: responses to cue 'dog' are 4, more than its N = 3",
        ),
        (
            HEADER + "dog\tcat\t1\t4\t.25\ndog\tpet\t2\t4\t.25\n",
            "line 3: R1.Strength is '.25', but R1 / N is 0.5",
        ),
        (HEADER + "dog\tcat\t1\t4\t0,25\n", "line 2: R1.Strength is '0,25'"),
        (HEADER + "dog\tcat\t1\t4\tNA\n", "line 2: R1.Strength is 'NA'"),
        (
            HEADER + "dog\tcat\t1\t1\t1\ncat\tdog\t2\t2\t1\nhen\tegg\t1\t2\t.5\n",
            "line 4: responses to cue 'hen' are 1, fewer than its N = 2",
        ),
        (HEADER + "dog\t\t1\t1\t1\n", "line 2: response is empty"),
        (HEADER + "dog\tcat\t1\t1\t1\tmore\tstill\n", "more cells than the first line"),
        (HEADER + "dog\tcat\t1\t1\t1\ndog\tpet\n", "line 3: R1 is empty"),
        (HEADER, "no rows"),
        ("", "not a table"),
    ],
)
def test_a_bad_strength_file_is_one_line_that_says_what_and_where(tmp_path, text, said):
    with pytest.raises(DataError) as error:
        strengths(tmp_path, text)
    message = one_line(error)
    assert said in message
    assert "norms.csv" in message


def test_counts_of_three_responses_a_person_are_read_from_their_own_column(tmp_path):
    header = HEADER.replace("R1", "R123")
    target = strengths(tmp_path, header + "dog\tcat\t3\t4\t0.75\ndog\tpet\t1\t4\t0.25\n")
    np.testing.assert_array_equal(target.counts.toarray(), [[3, 1]])
    assert count_column(tmp_path / "norms.csv") == "R123"
    with pytest.raises(DataError, match=r"line 2: R123\.Strength is"):
        strengths(tmp_path, header + "dog\tcat\t3\t4\t0.25\n")


def test_norms_that_leave_out_a_part_of_the_responses_to_every_cue_are_read(tmp_path):
    rows = "dog\tcat\t6\t9\t.667\nhen\tegg\t5\t9\t.556\nox\tcow\t9\t9\t1.000\n"
    np.testing.assert_array_equal(strengths(tmp_path, HEADER + rows).respondents, [9, 9, 9])


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    target = strengths(tmp_path, "\ufeff" + HEADER + "dog\tcat\t1\t1\t1\n")
    assert target.ids == ("dog",)


def test_a_file_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "norms.csv").write_bytes((HEADER + "café\tcup\t1\t1\t1\n").encode("latin1"))
    with pytest.raises(DataError, match=r"norms\.csv, line 2: not utf-8 text"):
        associations(DataRoot(tmp_path), name="made_up", path="norms.csv")


def test_a_missing_file_says_where_it_was_looked_for_and_how_it_is_had(tmp_path):
    root = DataRoot(tmp_path, {"made_up": "ask its makers"})
    with pytest.raises(NotPossible, match="ask its makers") as error:
        associations(root, name="made_up", path="norms.csv")
    assert str(tmp_path / "norms.csv") in one_line(error)


def test_a_property_that_stands_twice_counts_every_participant_once(tmp_path):
    target = properties(
        tmp_path,
        CSLB_HEADER + "living\tvisual perceptual\thamster\thas fur\t3\tis furry\tp 1 2 / 3\r\n"
        "living\tencyclopaedic\thamster\thas fur\t2\thas fur\tp 2 4\r\n"
        "living\tfunctional\tcat\thas fur\t1\thas fur\tp 7\r\n"
        "living\ttaxonomic\tcat\tis an animal\t4\tis an animal\tp 1 2 3 7\r\n",
    )
    assert target.ids == ("hamster", "cat")
    assert target.columns == ("has fur", "is an animal")
    np.testing.assert_array_equal(target.counts.toarray(), [[4, 0], [1, 4]])
    np.testing.assert_array_equal(target.respondents, [4, 4])
    assert target.types == ("visual perceptual", "taxonomic")


def test_property_norms_with_a_wrong_column_are_refused(tmp_path):
    with pytest.raises(DataError, match="no column 'participant list'") as error:
        properties(tmp_path, CSLB_HEADER.replace("participant list", "who") + "a\tb\tc\td\t1\te\tp 1\r\n")
    one_line(error)


@pytest.mark.parametrize("file", ["vectors.txt", "vectors.txt.gz"])
@pytest.mark.parametrize("first", ["", "3 2\n"])
def test_word_vectors_with_and_without_a_first_line_of_sizes(tmp_path, file, first):
    target = word_vectors(tmp_path, first + "null 1 2\nnan -3 4e-1\n. . 5 6 \n", file)
    assert target.ids == ("null", "nan", ". .")
    np.testing.assert_allclose(target.vectors, [[1, 2], [-3, 0.4], [5, 6]], rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dog 1 2\ncat 1\n", "line 2"),
        ("dog 1 2\ncat 1 x\n", "line 2"),
        ("dog,1,2\n", "line 1"),
        ("dog 1 nan\n", "not finite"),
        ("dog 1 2\ndog 3 4\n", "'dog' occurs twice"),
        ("", "no word vectors"),
    ],
)
def test_bad_word_vectors_are_one_line(tmp_path, text, said):
    with pytest.raises(DataError) as error:
        word_vectors(tmp_path, text)
    assert said in one_line(error)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["Unix", "Windows", "old Mac"])
@pytest.mark.parametrize("file", ["vectors.txt", "vectors.txt.gz"])
def test_word_vectors_are_read_with_any_line_ends(tmp_path, file, end, encoding):
    content = "2 3\ndog 1 2 3\n\u0a0a 4 5 6\n".replace("\n", end).encode(encoding)
    (tmp_path / file).write_bytes(gzip.compress(content) if file.endswith("gz") else content)
    target = vectors(DataRoot(tmp_path), name="made_up", path=file)
    assert target.ids == ("dog", "\u0a0a")
    np.testing.assert_array_equal(target.vectors, [[1, 2, 3], [4, 5, 6]])


def test_a_carriage_return_in_a_word_of_the_web_ends_no_line(tmp_path):
    (tmp_path / "vectors.txt").write_bytes(b"dog 1 2\nc\rt 3 4\n")
    assert vectors(DataRoot(tmp_path), name="made_up", path="vectors.txt").ids == ("dog", "c\rt")


def test_a_gzip_file_cut_short_is_refused(tmp_path):
    whole = gzip.compress(b"dog 1 2\n" * 2000)
    (tmp_path / "vectors.txt.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="cannot be read"):
        vectors(DataRoot(tmp_path), name="made_up", path="vectors.txt.gz")


def test_of_words_that_unicode_writes_in_two_ways_the_first_is_kept(tmp_path):
    target = word_vectors(tmp_path, "\ufeffcaf\u00e9 1 2\ndog 3 4\ncafe\u0301 5 6\n")
    assert target.ids == ("caf\u00e9", "dog")
    np.testing.assert_array_equal(target.vectors, [[1, 2], [3, 4]])
