"""Property norms in the tables of McRae et al., Buchanan et al. and Binder et al."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmark.common.errors import DataError
from benchmark.datasets.mini.concepts import CONCEPTS
from benchmark.datasets.readers.property_tables import _ATTRIBUTES, binder, buchanan, mcrae
from benchmark.datasets.root import DataRoot

MCRAE = """Concept\tFeature\tWB_Label\tBR_Label\tProd_Freq\tRank_PF
bat_(animal)\ta_mammal\tc\ttaxonomic\t5\t1
bat_(animal)\tis_black\te\tvisual-colour\t11\t2
bat_(baseball)\tmade_of_wood\te\tvisual-form_and_surface\t20\t1
seal_(animal)\tis_black\te\tvisual-colour\t6\t1
seal_(animal)\tused_for_shows\tf\tfunction\t7\t2
"""
BUCHANAN = """where,cue,feature,translated,frequency_feature,frequency_translated,n
b,dog,barks,bark,10,18,30
b,dog,barking,bark,8,18,30
b,dog,pet,pet,20,20,30
m,cat,pets,pet,9,9,60
"""


def binder_table(rows: dict[str, list[str]], mark: str = ",") -> str:
    """The sheet of Binder et al.: five columns before the attributes, one without a name after them."""
    attributes = " ".join(_ATTRIBUTES.values()).split()
    lines = [["No", "Word", "Super Category", "Category", "Type", *attributes, "", "N", "Mean R", "LEN", ""]]
    for number, (word, values) in enumerate(rows.items(), start=1):
        cells = [*values, *["1.5"] * (len(attributes) - len(values))]
        lines.append(
            [
                str(number),
                word.strip("*"),
                "living object",
                "animal",
                "noun",
                *cells,
                "",
                "30",
                "0.9",
                "3",
                "",
            ]
        )
    return "\n".join(map(mark.join, lines)) + "\n"


MINIATURE = [concept.id for concept in CONCEPTS]
BINDER = binder_table(
    {"Dog": ["5.5", "0"], "used": ["1", "2"], "used*": ["3", "2"], "ice cream": ["na", "6"]}
)


def read(reader, folder: Path, text: str, encoding: str = "utf-8"):
    (folder / "norms.txt").write_bytes(text.encode(encoding))
    return reader(DataRoot(folder), name="norms", path="norms.txt")


def test_mcrae(tmp_path):
    norms = read(mcrae, tmp_path, MCRAE.replace("\n", "\r\n"))
    assert norms.ids == ("bat_(animal)", "bat_(baseball)", "seal")
    assert norms.columns == ("a_mammal", "is_black", "made_of_wood", "used_for_shows")
    assert norms.types == ("taxonomic", "visual perceptual", "visual perceptual", "functional")
    assert norms.finer == ("other", "colour", "made of", "other")
    assert norms.counts.toarray().tolist() == [[5, 11, 0, 0], [0, 0, 20, 0], [0, 6, 0, 7]]
    assert norms.respondents.tolist() == [30, 30, 30]


def test_buchanan(tmp_path):
    norms = read(buchanan, tmp_path, BUCHANAN)
    assert norms.ids == ("dog", "cat")
    assert norms.columns == ("bark", "pet")
    assert norms.counts.toarray().tolist() == [[18, 20], [0, 9]]
    assert norms.respondents.tolist() == [30, 60]
    assert set(norms.types) == {"feature"}


@pytest.mark.parametrize("mark", [",", "\t"])
def test_binder(tmp_path, mark):
    norms = read(binder, tmp_path, BINDER.replace(",", mark), "utf-8-sig")
    assert norms.ids == ("dog", "used", "ice_cream")
    assert len(norms.columns) == len(set(norms.columns)) == 65
    assert norms.columns[0] == "Vision"
    assert norms.columns[-1] == "Arousal"
    assert norms.counts.toarray()[:, :3].tolist() == [[5.5, 0, 1.5], [2, 2, 1.5], [0, 6, 1.5]]
    assert norms.types[:1] + norms.types[-1:] == ("vision", "attention")
    assert norms.respondents.tolist() == [6, 6, 6]
    assert norms.cut(frequency=5, concepts=1).columns == ("Vision", "Bright")


def test_a_spreadsheet_is_refused_in_a_line(tmp_path):
    (tmp_path / "ratings.xlsx").write_bytes(b"PK")
    with pytest.raises(DataError, match="save its sheet of ratings as CSV"):
        binder(DataRoot(tmp_path), name="binder", path="ratings.xlsx")


BINDINGS = """
datasets:
  rated:
    kind: target
    plugin: benchmark.datasets.readers.property_tables:binder
    params: {path: ratings.csv}
    description: ratings in the form of Binder et al.
    licence: MIT
suites:
  rated:
    description: ratings as a target
    models: [pixels]
    bindings:
      mapped:
        task: property_mapping
        stimuli: mini_images
        target: rated
        params: {frequency: 1, repeats: 1}
      decoded: {task: property_decoding, stimuli: mini_images, target: rated, params: {permutations: 1}}
      low: {task: property_decoding, stimuli: mini_images, target: rated, params: {frequency: 1}}
"""


@pytest.mark.slow
def test_ratings_are_mapped_and_decoded_from_a_threshold(bench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    rows = {name: [f"{rating:.2f}" for rating in rng.uniform(0, 6, 65)] for name in MINIATURE}
    rows[MINIATURE[0]][3] = "na"
    (tmp_path / "ratings.csv").write_text(binder_table(rows))
    (tmp_path / "mine.yaml").write_text(BINDINGS)
    done = bench(
        "run",
        "--registry",
        "mine.yaml",
        "--suite",
        "rated",
        "--model",
        "pixels",
        "--task",
        "all",
        "--format",
        "json",
    )
    by_binding = {cell["binding"]: cell for cell in done.cells}
    assert by_binding["mapped"]["status"] == by_binding["decoded"]["status"] == "scored"
    assert by_binding["mapped"]["n"] == len(MINIATURE)
    assert 0 < by_binding["decoded"]["n"] < 65
    assert by_binding["low"]["status"] == "not_possible"
    assert "5 must lack it" in by_binding["low"]["reason"]


@pytest.mark.parametrize(
    ("reader", "text", "why"),
    [
        (mcrae, MCRAE.replace("Prod_Freq", "PF"), "Prod_Freq"),
        (mcrae, MCRAE.replace("\t11", "\tmany"), "line 3"),
        (mcrae, MCRAE.replace("function", "use"), "line 6: BR_Label is 'use'"),
        (mcrae, MCRAE + "seal_(animal)\tis_black\te\tvisual-colour\t6\t1\n", "line 7"),
        (mcrae, MCRAE.splitlines()[0], "no rows"),
        (buchanan, BUCHANAN.replace("translated", "root"), "translated"),
        (buchanan, BUCHANAN.replace(",18,", ",x,"), "line 2"),
        (binder, BINDER.replace("Biomotion", "Bio"), "no column 'Biomotion'"),
        (binder, BINDER.replace("5.5", "7"), "line 2: Vision is '7': expected a rating from 0 to 6"),
        (binder, BINDER.replace("na,6", "none,6"), "line 5: Vision is 'none'"),
    ],
)
def test_a_table_that_is_wrong_is_refused_in_a_line(tmp_path, reader, text, why):
    with pytest.raises(DataError, match=why) as raised:
        read(reader, tmp_path, text)
    assert "\n" not in str(raised.value)


def test_another_encoding_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"norms\.txt"):
        read(mcrae, tmp_path, MCRAE.replace("is_black", "is_béige"), "latin-1")
