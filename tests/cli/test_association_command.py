"""``bench association map``: the cue of every class, as a summary and as a row each."""

from __future__ import annotations

import csv
import io

import pytest

NORMS = """cue\tresponse\tR1\tN\tR1.Strength
dog\tcat\t3\t4\t0.75
dog\tnull\t1\t4\t0.25
bird\tfly\t2\t2\t1
T-shirt\tshirt\t2\t2\t1
goldfish\tbowl\t1\t1\t1
"""


@pytest.fixture
def norms(tmp_path):
    file = tmp_path / "norms.csv"
    file.write_text(NORMS)
    return file


def test_the_summary_counts_and_names_every_class(bench, norms):
    done = bench("association", "map", "--norms", norms)
    assert done.status == 0
    lines = done.out.splitlines()
    assert "classes of ImageNet have a cue in norms.csv (R1, 4 cues)" in lines[0]
    counts = {line.split()[0]: int(line.split()[-2]) for line in lines[2:7] if line.split()}
    assert counts["direct"] == 1
    assert "  goldfish" in lines
    dogs = max((line for line in lines if line.startswith("  dog: ")), key=len)
    assert "golden retriever" in dogs
    assert dogs.count(", ") > 100
    assert any("amphibian (n02704792): its name is not used" in line for line in lines)


def test_a_row_a_class(bench, norms):
    done = bench("association", "map", "--norms", norms, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert len(rows) == 1000
    by_wnid = {row["wnid"]: row for row in rows}
    assert by_wnid["n02099601"] == {
        "wnid": "n02099601",
        "name": "golden retriever",
        "cue": "dog",
        "how": "curated",
        "why": "hypernym",
    }
    assert by_wnid["n01443537"]["how"] == "direct"
    assert by_wnid["n03595614"]["cue"] == "T-shirt"
    nothing = [row for row in rows if not row["cue"]]
    assert nothing
    assert all(row["how"] == "none" and row["why"] for row in nothing)


@pytest.mark.parametrize(
    "text, said",
    [
        (None, "no such file"),
        (NORMS.replace("\t", ","), None),
        (NORMS.replace("0.25", "0.2500"), None),
        (NORMS.replace("0.25", "0.5"), "line 3: R1.Strength is '0.5', but R1 / N is 0.25"),
        (NORMS + "dog\tcat\t3\t4\t0.75\n", "line 7: cue 'dog' with response 'cat' occurs twice"),
        (NORMS + "owl\tbird\t1\t2\t0.5\n", "line 7: responses to cue 'owl' are 1, fewer than its N = 2"),
    ],
)
def test_bad_norms_are_one_line_and_status_2(bench, norms, text, said):
    if text is None:
        norms.unlink()
    else:
        norms.write_text(text)
    done = bench("association", "map", "--norms", norms)
    assert done.status == (2 if said else 0)
    if said:
        assert said in done.err
        assert "norms.csv" in done.err
        assert len(done.err.splitlines()) == 1


def test_without_norms_it_says_where_they_were_looked_for(bench, tmp_path):
    done = bench("association", "map", "--data", tmp_path)
    assert done.status == 2
    assert "strength.SWOW-EN.R1.csv, which is not there" in done.err
    assert "smallworldofwords.org" in done.err


@pytest.mark.human_data
def test_small_world_of_words_has_a_cue_for_every_class(bench, human_data):
    done = bench("association", "map", "--data", human_data)
    assert done.out.startswith("1,000 of 1,000 classes of ImageNet have a cue in strength.SWOW-EN.R1.csv")
