"""RDMs of a user's own: every form gives the same numbers, and what is ambiguous is refused in one line."""

from __future__ import annotations

import re
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.io import savemat
from scipy.spatial.distance import squareform

from benchmark.common.errors import BenchError, DataError, NotPossible, UsageError
from benchmark.datasets import DataRoot, RDMTarget
from benchmark.datasets.readers.neural import cichy
from benchmark.datasets.readers.pairs import squares
from benchmark.datasets.readers.rdm_files import rdm_files

IDS = ("cat", "dog", "car", "bus", "pear")
N = len(IDS)
#: Two people; no two pairs of one are alike, so that no order can be taken for another
PEOPLE = np.stack([squareform(np.arange(1.0, 11)), squareform(np.arange(1.0, 11)[::-1] ** 2)])
ROWS, COLUMNS = np.triu_indices(N, 1), np.tril_indices(N, -1)


def read(folder: Path, *files: str, **params: str) -> RDMTarget:
    return rdm_files(DataRoot(folder), name="mine", files=list(files), **params)


def write_ids(folder: Path) -> None:
    (folder / "ids.txt").write_text("\n".join(IDS))


def write_matlab_73(path: Path, **variables: np.ndarray) -> None:
    """A file as MATLAB writes it with ``save -v7.3``: HDF5 behind 512 bytes of its own, axes reversed."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in variables.items():
            file.create_dataset(name, data=values.T).attrs["MATLAB_class"] = np.bytes_("double")
        text = file.create_dataset("note", data=np.frombuffer(b"mine", dtype=np.uint8).astype(np.uint16))
        text.attrs["MATLAB_class"] = np.bytes_("char")
    with path.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")


def table(square: np.ndarray, mark: str = ",", rows: bool = True, columns: bool = True) -> str:
    lines = [[*([name] if rows else []), *map(str, row)] for name, row in zip(IDS, square, strict=True)]
    header = [[*(["id"] if rows else []), *IDS]] if columns else []
    return "\n".join(mark.join(line) for line in [*header, *lines])


def rsatoolbox_file(folder: Path, **descriptors: list) -> None:
    from rsatoolbox.rdm import RDMs

    vectors = np.array([squareform(rdm) for rdm in PEOPLE])
    rdms = RDMs(vectors, pattern_descriptors=descriptors)
    rdms.save(str(folder / "mine.h5"), file_type="hdf5")


def write_subjects(folder: Path, ending: str, **form: object) -> None:
    for i, square in enumerate(PEOPLE):
        (folder / f"sub-{i}{ending}").write_text(table(square, **form))


FORMS = {
    "stack": (lambda f: np.save(f / "a.npy", PEOPLE), ["a.npy"], {"ids": "ids.txt"}),
    "subjects last": (
        lambda f: np.save(f / "a.npy", np.moveaxis(PEOPLE, 0, 2)),
        ["a.npy"],
        {"ids": "ids.txt"},
    ),
    "pairs": (
        lambda f: np.save(f / "a.npy", [squareform(p) for p in PEOPLE]),
        ["a.npy"],
        {"ids": "ids.txt", "order": "rows"},
    ),
    "pairs by columns": (
        lambda f: np.save(f / "a.npy", np.array([p[COLUMNS] for p in PEOPLE]).T),
        ["a.npy"],
        {"ids": "ids.txt", "order": "columns"},
    ),
    "npz": (lambda f: np.savez(f / "a.npz", rdm=PEOPLE, ids=IDS, note=1), ["a.npz"], {}),
    "npz of two": (lambda f: np.savez(f / "a.npz", x=PEOPLE, y=-PEOPLE, ids=IDS), ["a.npz"], {"array": "x"}),
    "matlab": (
        lambda f: savemat(f / "a.mat", {"rdm": np.moveaxis(PEOPLE, 0, 2), "note": "mine"}),
        ["a.mat"],
        {"ids": "ids.txt"},
    ),
    "matlab 7.3": (
        lambda f: write_matlab_73(f / "a.mat", rdm=np.moveaxis(PEOPLE, 0, 2)),
        ["a.mat"],
        {"ids": "ids.txt"},
    ),
    "csv": (lambda f: write_subjects(f, ".csv"), ["sub-*.csv"], {}),
    "csv, first line": (lambda f: write_subjects(f, ".csv", rows=False), ["sub-0.csv", "sub-1.csv"], {}),
    "csv, first column": (lambda f: write_subjects(f, ".csv", columns=False, mark=";"), ["sub-*.csv"], {}),
    "csv with decimal commas": (
        lambda f: [
            (f / f"sub-{i}.csv").write_text(table(square, mark=";").replace(".", ","))
            for i, square in enumerate(PEOPLE)
        ],
        ["sub-*.csv"],
        {},
    ),
    "tsv": (
        lambda f: write_subjects(f, ".tsv", mark="\t", rows=False, columns=False),
        ["sub-?.tsv"],
        {"ids": "ids.txt"},
    ),
    "txt": (
        lambda f: write_subjects(f, ".txt", mark="  ", rows=False, columns=False),
        ["sub-*.txt"],
        {"ids": "ids.txt"},
    ),
    "txt, bars": (lambda f: write_subjects(f, ".txt", mark="|"), ["sub-*.txt"], {}),
    "txt, quoted ids and blanks at the ends": (
        lambda f: [
            (f / f"sub-{i}.txt").write_text(
                re.sub("([a-z]+)", r'"\1"', table(square, "  ")).replace("\n", " \n ")
            )
            for i, square in enumerate(PEOPLE)
        ],
        ["sub-*.txt"],
        {},
    ),
    "rsatoolbox": (lambda f: rsatoolbox_file(f, label=list(IDS)), ["mine.h5"], {}),
    "rsatoolbox of two": (
        lambda f: rsatoolbox_file(f, label=list(IDS), kind=list("aabbc")),
        ["mine.h5"],
        {"column": "label"},
    ),
    "rsatoolbox without names": (lambda f: rsatoolbox_file(f), ["mine.h5"], {"ids": "ids.txt"}),
    "correlations": (
        lambda f: np.save(f / "a.npy", 1 - PEOPLE),
        ["a.npy"],
        {"ids": "ids.txt", "similarity": "one-minus"},
    ),
    "correlations of pairs": (
        lambda f: np.save(f / "a.npy", [1 - squareform(p) for p in PEOPLE]),
        ["a.npy"],
        {"ids": "ids.txt", "similarity": "one-minus", "order": "rows"},
    ),
    "negated": (
        lambda f: np.save(f / "a.npy", -PEOPLE),
        ["a.npy"],
        {"ids": "ids.txt", "similarity": "negative"},
    ),
    "less than the greatest": (
        lambda f: np.save(f / "a.npy", 7 - PEOPLE),
        ["a.npy"],
        {"ids": "ids.txt", "similarity": "max-minus"},
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_rdms(tmp_path, form):
    write, files, params = FORMS[form]
    write_ids(tmp_path)
    write(tmp_path)
    target = read(tmp_path, *files, **params)
    assert target.ids == IDS
    np.testing.assert_allclose(target.rdms, PEOPLE, atol=1e-12)
    assert len(set(target.subjects)) == 2


@given(
    arrays(float, st.tuples(st.integers(1, 3), st.integers(1, 28)), elements=st.floats(-9, 9)), st.booleans()
)
def test_pairs_by_rows_are_those_of_scipy_and_of_the_lower_triangle_by_columns(vectors, transposed):
    """MATLAB's pdist goes down the columns of the lower triangle: the rows of the upper."""
    n = next(n for n in range(2, 10) if n * (n - 1) // 2 >= vectors.shape[1])
    vectors = np.resize(vectors, (len(vectors), n * (n - 1) // 2))
    if len(set(vectors.shape)) == 1 or len(vectors) == n:
        return  # which axis the subjects are cannot be seen
    by_rows = squares(vectors.T if transposed else vectors, n, "rows", "x")
    by_columns = squares(vectors, n, "columns", "x")
    for vector, rows, columns in zip(vectors, by_rows, by_columns, strict=True):
        np.testing.assert_array_equal(rows, squareform(vector, checks=False))
        np.testing.assert_array_equal(
            rows.T.flatten("F")[np.tril(np.ones((n, n)), -1).flatten("F") > 0], vector
        )
        np.testing.assert_array_equal(
            columns.flatten("F")[np.triu(np.ones((n, n)), 1).flatten("F") > 0], vector
        )
    if n <= 3:
        np.testing.assert_array_equal(by_rows, by_columns)


@pytest.mark.parametrize("source", ["list", "folder", "column"])
def test_ids_from_images_and_from_a_column(tmp_path, source):
    np.save(tmp_path / "a.npy", PEOPLE)
    (tmp_path / "seen").mkdir()
    for name in IDS:
        (tmp_path / "seen" / f"{name}.jpg").write_bytes(b"")
    (tmp_path / "ids.txt").write_text("\n".join(f"C:\\photos\\{name}.JPG" for name in IDS))
    (tmp_path / "ids.csv").write_text("n,name\n" + "\n".join(f"{i},{name}" for i, name in enumerate(IDS)))
    ids, column = {"list": ("ids.txt", None), "folder": ("seen", None), "column": ("ids.csv", "name")}[source]
    target = read(tmp_path, "a.npy", ids=ids, column=column)
    assert target.ids == (tuple(sorted(IDS)) if source == "folder" else IDS)


def test_missing_pairs_and_people_who_saw_other_things(tmp_path):
    (tmp_path / "a.csv").write_text("id,cat,dog,car\ncat,0,,2\ndog,NaN,0,3\ncar,2,3,0")
    (tmp_path / "b.csv").write_text(",dog,bus,cat\ndog,0,1,NA\nbus,1,0,5\ncat,,5,0")
    target = read(tmp_path, "a.csv", "b.csv")
    assert target.subjects == ("a", "b")
    assert target.ids == ("cat", "dog", "car", "bus")
    nan = np.nan
    np.testing.assert_array_equal(
        target.rdms[1], [[0, nan, nan, 5], [nan, 0, nan, 1], [nan, nan, 0, nan], [5, 1, nan, 0]]
    )


def square(**changes: float) -> np.ndarray:
    """The first person's RDM with other values at places such as ``at_0_1``."""
    rdm = PEOPLE[0].copy()
    for place, value in changes.items():
        rdm[tuple(map(int, place.split("_")[1:]))] = value
    return rdm


REFUSED = {
    "no ids": (
        lambda f: np.save(f / "a.npy", PEOPLE),
        {},
        r"a.npy: has numbers of shape \(2, 5, 5\) and no ids",
    ),
    "order": (
        lambda f: np.save(f / "a.npy", np.ones(10)),
        {"ids": "ids.txt"},
        r"in which order are the 10 pairs\? give --order rows \(row by row: squareform of scipy",
    ),
    "asymmetric": (
        lambda f: np.save(f / "a.npy", square(at_0_1=9)),
        {"ids": "ids.txt"},
        "a.npy: RDM is not symmetric: 9 for 'cat' and 'dog', 1 the other way",
    ),
    "one person asymmetric": (
        lambda f: np.save(f / "a.npy", [PEOPLE[0], square(at_0_1=9)]),
        {"ids": "ids.txt"},
        "a.npy, subject 2: RDM is not symmetric",
    ),
    "diagonal": (
        lambda f: np.save(f / "a.npy", square(at_1_1=0.5)),
        {"ids": "ids.txt"},
        "a diagonal that is not zero: 0.5 for 'dog'",
    ),
    "similarities": (
        lambda f: np.save(f / "a.npy", 1 - PEOPLE / 200),
        {"ids": "ids.txt"},
        r"the greatest values: these are similarities; name a rule with --similarity: one-minus \(1 - s",
    ),
    "negative distances": (
        lambda f: np.save(f / "a.npy", -PEOPLE),
        {"ids": "ids.txt"},
        r"the greatest values: these are similarities; name a rule with --similarity",
    ),
    "no similarities": (
        lambda f: np.save(f / "a.npy", PEOPLE),
        {"ids": "ids.txt", "similarity": "one-minus"},
        "similarity of 'cat' to itself is 0; one-minus needs 1 there",
    ),
    "positive similarities": (
        lambda f: np.save(f / "a.npy", PEOPLE),
        {"ids": "ids.txt", "similarity": "negative"},
        "greater than 0; negative needs 0 or less: take max-minus",
    ),
    "duplicate": (
        lambda f: (f / "ids.txt").write_text("cat\ndog\ncat\nbus\npear"),
        {"ids": "ids.txt"},
        r"ids.txt, line 3: id 'cat' occurs twice, first in line 1",
    ),
    "duplicate in the header": (
        lambda f: (f / "a.csv").write_text("cat,dog,cat\n0,1,2\n1,0,3\n2,3,0"),
        {},
        "a.csv: id 'cat' occurs twice",
    ),
    "two lists of ids": (
        lambda f: (f / "a.csv").write_text("a,b,c\n0,1,2\n1,0,3\n2,3,0"),
        {"ids": "ids.txt"},
        r"has ids of its own \('a' first\) that are not those of --ids \('cat' first\)",
    ),
    "another size": (
        lambda f: np.save(f / "b.npy", PEOPLE[0][:4, :4]),
        {"ids": "ids.txt"},
        r"b.npy: an array of shape \(4, 4\) for 5 ids; expected \(5, 5\), \(subjects, 5, 5\), \(10,\)",
    ),
    "several arrays": (
        lambda f: np.savez(f / "a.npz", one=PEOPLE, two=PEOPLE, ids=IDS),
        {},
        r"a.npz: which of its arrays\? name one with --array: one \(2, 5, 5\), two",
    ),
    "no such array": (
        lambda f: savemat(f / "a.mat", {"rdm": PEOPLE}),
        {"ids": "ids.txt", "array": "rmd"},
        r"a.mat: no array 'rmd' of numbers in it; it has rdm",
    ),
    "descriptors": (
        lambda f: rsatoolbox_file(f, label=list(IDS), kind=list("aabbc")),
        {},
        "mine.h5: which pattern descriptor holds the ids. name one with --column: ",
    ),
    "delimiter": (
        lambda f: (f / "a.csv").write_text("0:1:2\n1:0:3\n2:3:0"),
        {"ids": "ids.txt"},
        "a.csv, line 1, cell 1: '0:1:2' is not a number; expected numbers between commas",
    ),
    "decimal commas and points": (
        lambda f: (f / "a.csv").write_text("0;1,5;2\n1,5;0;3.5\n2;3.5;0"),
        {"ids": "ids.txt"},
        "a.csv, line 2: '3.5' has a decimal point and other numbers have commas; write all with one",
    ),
    "ragged": (
        lambda f: (f / "a.csv").write_text("0,1,2\n1,0\n2,3,0"),
        {"ids": "ids.txt"},
        "a.csv, line 2: 2 cells; the first line has 3",
    ),
    "quotation mark": (
        lambda f: (f / "a.csv").write_text('"a,0,1\n' + "b,1,0\n" * 30_000),
        {},
        "a.csv, line .*: cannot be divided into cells .* is a quotation mark before it not closed",
    ),
    "encoding": (
        lambda f: (f / "a.csv").write_bytes("id,é,b\né,0,1\nb,1,0".encode("latin-1")),
        {},
        "a.csv, line 1: not utf-8 text; save it as UTF-8",
    ),
    "words for numbers": (
        lambda f: (f / "a.csv").write_text("id,a,b,c\na,0,1,2\nb,1,0,x\nc,2,3,0"),
        {},
        "a.csv, line 3, cell 4: 'x' is not a number",
    ),
    "pickle": (
        lambda f: (f / "a.pkl").write_bytes(b""),
        {},
        "the ending .pkl is not read; .* a pickle runs code",
    ),
    "pointer": (
        lambda f: (f / "a.npy").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n"),
        {},
        "a.npy: is a Git LFS pointer, not the file",
    ),
    "web page": (
        lambda f: (f / "a.csv").write_bytes(b"<!DOCTYPE html><html>log in</html>"),
        {},
        "a.csv: is a web page, not the file",
    ),
    "python objects": (
        lambda f: np.save(f / "a.npy", np.array([{}], dtype=object)),
        {},
        "a.npy: cannot be read as an array",
    ),
    "truncated": (
        lambda f: (f / "a.mat").write_bytes(b"MATLAB 5.0"),
        {},
        "a.mat: cannot be read as a MATLAB",
    ),
    "no HDF5": (lambda f: (f / "a.h5").write_bytes(b"nothing"), {}, "a.h5: cannot be read as HDF5"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_ambiguous_or_wrong_is_one_line(tmp_path, case):
    write, params, message = REFUSED[case]
    write_ids(tmp_path)
    write(tmp_path)
    files = sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".txt") or ["a.npy"]
    np.save(tmp_path / "a.npy", PEOPLE) if "a.npy" in files and not (tmp_path / "a.npy").exists() else None
    with pytest.raises(DataError, match=message) as error:
        read(tmp_path, *files, **params)
    assert "\n" not in str(error.value)


def test_patterns_and_options_that_fit_nothing(tmp_path):
    with pytest.raises(DataError, match=r"sub-\*\.npy: no file fits this pattern"):
        read(tmp_path, "sub-*.npy")
    with pytest.raises(NotPossible, match=r"a\.npy, which is not there"):
        read(tmp_path, "a.npy")
    np.save(tmp_path / "a.npy", PEOPLE)
    with pytest.raises(DataError, match="is named twice"):
        read(tmp_path, "a.npy", "*.npy")
    for wrong in ({"order": "row"}, {"similarity": "inverse"}):
        with pytest.raises(UsageError, match="is not known; write one of"):
            read(tmp_path, "a.npy", **wrong)
    with pytest.raises(UsageError, match="write a list of files"):
        rdm_files(DataRoot(tmp_path), name="mine", files="a.npy")


def test_the_hash_follows_every_file_and_option(tmp_path):
    """``hash_of`` gives the key without reading; it must be the hash of what is read."""
    write_ids(tmp_path)
    hashes = set()

    def note(**params: str) -> None:
        target = read(tmp_path, "sub-*.csv", **params)
        of = rdm_files.hash_of(DataRoot(tmp_path), name="mine", files=["sub-*.csv"], **params)
        assert target.hash == of
        assert of not in hashes
        hashes.add(of)

    plain = {"rows": False, "columns": False}
    write_subjects(tmp_path, ".csv", **plain)
    note(ids="ids.txt")
    note(ids="ids.txt", similarity="max-minus")
    (tmp_path / "ids.txt").write_text("\n".join(IDS[::-1]))
    note(ids="ids.txt")
    (tmp_path / "sub-1.csv").write_text(table(PEOPLE[1] + 1 - np.eye(N), **plain))
    note(ids="ids.txt")
    (tmp_path / "sub-1.csv").rename(tmp_path / "sub-2.csv")
    note(ids="ids.txt")
    (tmp_path / "sub-1.csv").write_text(table(PEOPLE[1], **plain))
    note(ids="ids.txt")


def test_published_rdms_are_those_of_the_shipped_reader(human_data):
    """The same files, as a user would bring them."""
    root = DataRoot(human_data)
    files = {"files": ["cichy92/fmri_IT_RDMs.npz"], "ids": "kriegeskorte92/images"}
    own, shipped = rdm_files(root, name="own", **files), cichy(root, name="cichy_it", area="IT")
    assert own.ids == shipped.ids
    np.testing.assert_array_equal(own.rdms, shipped.rdms)


@settings(max_examples=50)
@given(st.binary(max_size=300), st.sampled_from([".npy", ".npz", ".mat", ".h5", ".csv", ".tsv", ".txt"]))
def test_any_bytes_are_an_error_of_one_line(tmp_path_factory, content, ending):
    folder = tmp_path_factory.mktemp("any")
    (folder / f"a{ending}").write_bytes(content)
    with pytest.raises(BenchError) as error:
        read(folder, f"a{ending}")
    assert "\n" not in str(error.value)
