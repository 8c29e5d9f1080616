"""Lists of ids as people have them: the unambiguous is read, else the error names the list and the line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmark.common.errors import DataError
from benchmark.datasets import Stimuli, VectorTarget, join
from benchmark.datasets.readers.files import read_array, read_table
from benchmark.datasets.readers.text import names_of, read_ids

IDS = ("cat", "caf\u00e9", "big dog")
TABLES = {
    "byte-order mark": ("\ufeff" + "id\n" + "\n".join(IDS)).encode(),
    "UTF-16": ("id\n" + "\n".join(IDS)).encode("utf-16"),
    "UTF-16, big end first": b"\xfe\xff" + ("id\n" + "\n".join(IDS)).encode("utf-16-be"),
    "Windows": ("id\r\n" + "\r\n".join(IDS) + "\r\n").encode(),
    "Mac": ("id\r" + "\r".join(IDS) + "\r").encode(),
    "blanks": ("id \n" + " \n".join(IDS) + "\t\n").encode(),
    "empty last lines": ("id\n" + "\n".join(IDS) + "\n\n  \n\r\n").encode(),
    "another form of letters": ("id\n" + "\n".join(IDS).replace("\u00e9", "e\u0301")).encode(),
    "quotes": ('"id"\n' + "\n".join(f'"{name}"' for name in IDS)).encode(),
}
COLUMNS = {
    "pandas": ",id\n" + "\n".join(f"{i},{name}" for i, name in enumerate(IDS)),
    "R": '"","id"\n' + "\n".join(f'"{i}","{name}"' for i, name in enumerate(IDS, 1)),
    "semicolons": "id;n\n" + "\n".join(f"{name};1" for name in IDS),
    "tabs": "id\tn\n" + "\n".join(f"{name}\t1" for name in IDS),
}


@pytest.mark.parametrize("case", TABLES)
def test_a_list_is_read_however_it_was_saved(tmp_path: Path, case: str) -> None:
    table, lines = tmp_path / "ids.csv", tmp_path / "ids.txt"
    table.write_bytes(TABLES[case])
    lines.write_bytes(TABLES[case])
    assert read_ids(table) == read_ids(table, "id") == IDS
    assert read_ids(lines) == ("id", *IDS)
    assert read_table(table, ["id"])["id"].map(len).tolist()[0] == 3


@pytest.mark.parametrize("case", COLUMNS)
def test_separators_and_row_numbers_are_understood(tmp_path: Path, case: str) -> None:
    path = tmp_path / "ids.csv"
    path.write_text(COLUMNS[case], encoding="utf-8")
    assert read_ids(path) == read_ids(path, "id") == IDS
    table = read_table(path, ["id"])
    assert tuple(table["id"]) == IDS
    assert table.columns[0] == "id"


def test_a_first_column_that_is_no_row_number_stays(tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_text(",n\ncat,1\ndog,2\n")
    assert read_ids(path) == ("cat", "dog")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"cat\ncaf\xe9\ndog\n", "line 2: not utf-8 text; save it as UTF-8"),
        (b"cat\n\ndog\n", "line 2: the id is empty"),
        (b"cat\ndog\ncat \n", "line 3: id 'cat' occurs twice, first in line 1"),
        ("caf\u00e9\ncafe\u0301\n".encode(), "line 2: id 'caf\u00e9' occurs twice, first in line 1"),
        ("cat\ndog".encode("utf-16-le"), "line 1: holds zero bytes"),
    ],
)
def test_what_is_wrong_is_named_with_the_list_and_the_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "ids.txt"
    path.write_bytes(content)
    with pytest.raises(DataError) as error:
        read_ids(path)
    assert str(error.value).startswith(f"{path}, {said}")


def test_names_in_an_array() -> None:
    assert names_of(np.array(["caf\u00e9".encode(), b"dog "]), "f.npz") == ("caf\u00e9", "dog")
    assert names_of(np.array(["cafe\u0301"]), "f.npz") == ("caf\u00e9",)
    assert names_of(np.array([3, 1]), "f.npz") == ("3", "1")
    with pytest.raises(DataError, match=r"f\.npz.*not UTF-8"):
        names_of(np.array([b"caf\xe9"]), "f.npz")
    with pytest.raises(DataError, match=r"f\.npz is float64 of shape"):
        names_of(np.eye(2), "f.npz")


@pytest.mark.parametrize("text", ["1 2\n3 4\n", "\ufeff1,2\r\n3,4\r\n", "1; 2\n3; 4\n\n"])
def test_an_array_of_text_is_read_however_it_was_saved(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rdm.txt"
    path.write_bytes(text.encode())
    assert read_array(path).tolist() == [[1, 2], [3, 4]]


def test_stimuli_and_targets_join_whatever_form_their_letters_have() -> None:
    decomposed, composed = ("cafe\u0301", "cat", "dog"), ("caf\u00e9", "cat", "dog")
    for one, two in ((decomposed, composed), (composed, decomposed)):
        stimuli = Stimuli("set", one, one, "m", keys={"word": {name: (name,) for name in one}})
        target = VectorTarget("words", two, "h", vectors=np.eye(3))
        for key in (None, "word"):
            assert join(stimuli, target, key).concepts == composed
