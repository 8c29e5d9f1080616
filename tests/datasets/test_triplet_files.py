"""Odd-one-out choices in the forms that people have them, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.common.errors import DataError, NotPossible
from benchmark.datasets import DataRoot, TripletTarget
from benchmark.datasets.readers.triplet_files import triplet_file

IDS = ("dog", "cat", "car", "bus", "hot-air balloon")
ANSWERS = [[0, 1, 2], [2, 3, 0], [1, 0, 4], [3, 2, 4], [4, 1, 3]]
#: the same answers in words, without order of the two that were kept
KNOWN = [({IDS[a], IDS[b]}, IDS[c]) for a, b, c in ANSWERS]


@pytest.fixture
def read(tmp_path):
    (tmp_path / "ids.txt").write_text("\n".join(IDS) + "\n")

    def read(content, name="choices.csv", **options):
        file = tmp_path / name
        if isinstance(content, np.ndarray):
            np.save(file, content)
        else:
            file.write_text(content)
        return triplet_file(DataRoot(tmp_path), name="mine", path=name, **options)

    return read


def meaning(target: TripletTarget) -> list[tuple[set[str], str]]:
    return [({target.ids[a], target.ids[b]}, target.ids[c]) for a, b, c in target.triplets]


def text(rows, mark=",", header=""):
    return header + "".join(mark.join(map(str, row)) + "\n" for row in rows)


ONE_BASED = [[a + 1, b + 1, c + 1] for a, b, c in ANSWERS]
NAMES = [[IDS[a], IDS[b], IDS[c]] for a, b, c in ANSWERS]
#: shown in another order, with the place of the odd one out, and the object itself
SHOWN = [[c, a, b] for a, b, c in ONE_BASED]
PLACES = [[*row, 1, 900 + i] for i, row in enumerate(SHOWN)]
OBJECTS = [[*row, row[0], 900 + i] for i, row in enumerate(SHOWN)]
TABLE = "image1\timage2\timage3\tchoice\tRT\n"


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (text(ANSWERS, " "), {"name": "trainset.txt", "ids": "ids.txt"}),
        (text(ANSWERS, "\t"), {"name": "choices.tsv", "ids": "ids.txt", "first": 0}),
        (text([[f"{v:.1f}" for v in row] for row in ANSWERS], " "), {"name": "a.txt", "ids": "ids.txt"}),
        (text(ANSWERS, ";", "a;b;odd\n"), {"ids": "ids.txt"}),
        (text(ONE_BASED), {"ids": "ids.txt"}),
        (text(ONE_BASED), {"ids": "ids.txt", "first": 1}),
        (np.array(ANSWERS), {"name": "choices.npy", "ids": "ids.txt"}),
        (np.array(ANSWERS, dtype=float), {"name": "choices.npy", "ids": "ids.txt"}),
        (np.array(NAMES), {"name": "choices.npy"}),
        (text(NAMES), {}),
        (text(NAMES, "\t"), {"ids": "ids.txt"}),
        (text(NAMES, ",", "first,second,odd\n"), {"ids": "ids.txt"}),
        (text(PLACES, "\t", TABLE), {"ids": "ids.txt", "first": 1}),
        (text(OBJECTS, "\t", TABLE), {"ids": "ids.txt", "first": 1}),
        ("\ufeff" + text(ANSWERS).replace("\n", "\r\n"), {"ids": "ids.txt"}),
    ],
    ids=lambda value: "" if isinstance(value, dict) else str(value)[:12].encode("unicode_escape").decode(),
)
def test_every_form_gives_the_same_answers(read, content, options):
    target = read(content, **options)
    assert meaning(target) == KNOWN
    assert target.ids == (IDS if "ids" in options else tuple(sorted(IDS)))
    assert len(target.hash) == 64
    assert not target.simulated


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        (text([[1, 2, 3], [2, 3, 4]]), {"ids": "ids.txt"}, "may begin at 0 or at 1: --first decides"),
        (text(ANSWERS), {}, r"holds numbers; name the list of ids whose rows they are \(--ids\)"),
        (text([[0, 1, 2], [1, 1, 3]]), {"ids": "ids.txt"}, "line 2: 1, 1, 3 has an object twice"),
        (text([[0, 1, 2], [1, 2, 7]]), {"ids": "ids.txt"}, "line 2: 1, 2, 7 names a row that is not among"),
        (text(ONE_BASED), {"ids": "ids.txt", "first": 0}, "names a row that is not among the 5 ids"),
        (text([[0, 1, 2], [1, 2.5, 3]]), {"ids": "ids.txt"}, "line 2: 1.0, 2.5, 3.0 are not three whole"),
        (text([[0, 1, 2], [1, "x", 3]]), {"ids": "ids.txt"}, "line 2: 1, x, 3 are not three whole numbers"),
        (text([[0, 1, 2, 3]]), {"ids": "ids.txt"}, r"line 1: 4 columns \('0', .*\); expected three"),
        (text([*NAMES, ["dog", "cat", "yak"]]), {"ids": "ids.txt"}, "line 6: 'yak' is not in the list"),
        (text(NAMES, ",", "a,b,odd\n"), {}, "line 1: none of a, b, odd occurs again"),
        (text([[2, 3, 1, 1, 0]], "\t", TABLE), {"ids": "ids.txt"}, "may be a place or an object"),
        (text([[2, 3, 4, 5, 0]], "\t", TABLE), {"ids": "ids.txt"}, "line 2: choice is 5; expected a place"),
        (np.zeros((4, 2)), {"name": "a.npy", "ids": "ids.txt"}, r"shape \(4, 2\); expected whole numbers"),
        ("", {"ids": "ids.txt"}, "expected three columns"),
        ('"b,c"a,c\n', {}, "2 cells in a row where quotes are heeded; expected three columns"),
    ],
)
def test_what_is_wrong_or_open_is_refused(read, content, options, told):
    with pytest.raises(DataError, match=told) as error:
        read(content, **options)
    assert "\n" not in str(error.value)


def test_a_target_keeps_the_triplets_of_the_ids_in_use(read):
    target = read(text(ANSWERS), ids="ids.txt")
    kept = target.select(["bus", "car", "dog"])
    assert meaning(kept) == [({"car", "bus"}, "dog")]
    with pytest.raises(NotPossible, match="none of its 5 triplets has all three objects among the 2 ids"):
        target.select(["bus", "dog"])


def test_a_changed_file_is_another_target(read):
    first, second = (read(text(rows), ids="ids.txt") for rows in (ANSWERS, ANSWERS[::-1]))
    assert first.hash != second.hash
