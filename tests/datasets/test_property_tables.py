"""Property norms in the tables of McRae et al. and of Buchanan et al."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.common.errors import DataError
from benchmark.datasets.readers.property_tables import buchanan, mcrae
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
    ],
)
def test_a_table_that_is_wrong_is_refused_in_a_line(tmp_path, reader, text, why):
    with pytest.raises(DataError, match=why) as raised:
        read(reader, tmp_path, text)
    assert "\n" not in str(raised.value)


def test_another_encoding_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"norms\.txt"):
        read(mcrae, tmp_path, MCRAE.replace("is_black", "is_béige"), "latin-1")
