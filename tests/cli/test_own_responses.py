"""``bench data new responses``: from a file of any form to a score, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml
from scipy.io import savemat

from benchmark.datasets import DataRoot
from benchmark.datasets.mini import images
from benchmark.datasets.readers.response_files import response_file

IDS = images(DataRoot(Path()), name="mini_images").concept_ids
N, C = len(IDS), 5
RNG = np.random.default_rng(0)
REPEATS = RNG.normal(size=(N, C, 1)) + 0.5 * RNG.normal(size=(N, C, 3))
REPEATS[::4, :, 2] = np.nan
MEANS = np.nanmean(REPEATS, axis=2)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ids.txt").write_text("\n".join(IDS))
    return tmp_path


def table(names=("unit a", "unit b", "unit c", "unit d", "unit e")):
    rows = [[name, *map(repr, row.tolist())] for name, row in zip(IDS, MEANS, strict=True)]
    return "\n".join(",".join(row) for row in [["id", *names], *rows])


def write_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["spikes"] = REPEATS


FORMS = {
    "array": (lambda f: np.save(f / "a.npy", REPEATS), {"file": "a.npy", "ids": "ids.txt"}),
    "means": (lambda f: np.save(f / "a.npy", MEANS), {"file": "a.npy", "ids": "ids.txt"}),
    "npz": (lambda f: np.savez(f / "a.npz", responses=REPEATS, ids=IDS), {"file": "a.npz"}),
    "matlab": (lambda f: savemat(f / "a.mat", {"r": REPEATS}), {"file": "a.mat", "ids": "ids.txt"}),
    "hdf5": (lambda f: write_hdf5(f / "a.h5"), {"file": "a.h5", "ids": "ids.txt"}),
    "channels first": (
        lambda f: np.save(f / "a.npy", REPEATS.swapaxes(0, 1)),
        {"file": "a.npy", "ids": "ids.txt", "axes": "channels"},
    ),
    "table": (lambda f: (f / "a.csv").write_text(table()), {"file": "a.csv"}),
    "float32": (lambda f: np.save(f / "a.npy", REPEATS.astype("f4")), {"file": "a.npy", "ids": "ids.txt"}),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same(folder, form):
    write, params = FORMS[form]
    write(folder)
    read = response_file(DataRoot(folder), name="own", **params)
    assert read.ids == IDS
    np.testing.assert_allclose(read.responses, MEANS, rtol=1e-5)
    assert read.channels == (
        ("unit a", "unit b", "unit c", "unit d", "unit e") if form == "table" else tuple("12345")
    )
    assert response_file.hash_of(DataRoot(folder), name="own", **params) == read.hash


def test_one_channel_and_whole_numbers(folder):
    np.save(folder / "a.npy", np.arange(N))
    read = response_file(DataRoot(folder), name="own", file="a.npy", ids="ids.txt")
    assert read.repeats.shape == (N, 1, 1)
    assert read.repeats.dtype == np.float64


@pytest.mark.slow
def test_from_a_file_to_a_score(bench, folder):
    np.save(folder / "spikes.npy", REPEATS)
    (folder / "channels.csv").write_text(
        "channel,area,subject\n" + "\n".join(f"u{i},{'V4' if i < 3 else 'IT'},m1" for i in range(C))
    )
    added = bench("data", "new", "responses", "neurons", "spikes.npy", "--ids", "ids.txt", "--stimuli",
                  "mini_images", "--channels", "channels.csv")  # fmt: skip
    assert added.status == 0, added.err
    written = yaml.safe_load((folder / "mine.yaml").read_text())
    assert written["suites"]["neurons"]["bindings"]["neurons_encoding"]["task"] == "encoding"
    preview = (folder / "neurons.preview.txt").read_text()
    assert "5 channels (u0, u1, u2, ...)" in preview
    assert "areas: V4, IT" in preview
    assert "repeats: 2 to 3 of a stimulus" in preview
    assert "reliability: 0." in preview
    done = bench("run", "--registry", "mine.yaml", "--suite", "neurons", "--model", "pixels", "--task",
                 "neurons_encoding", "--format", "json", "--output", "results")  # fmt: skip
    cell = done.cells[0]
    assert (cell["status"], cell["n"]) == ("scored", N)
    (path,) = Path("results").glob("neurons/*/*.json")
    result = json.loads(path.read_text())
    assert result["counts"]["channels"] == C
    assert set(result["layers"][0]["metrics"]) == {"correlation", "normalised"}


@pytest.mark.parametrize(
    ("values", "more", "message"),
    [
        (MEANS.T, ["--ids", "ids.txt"], f"wrong way round for {N} ids; expected ({N} stimuli, channels)"),
        (RNG.normal(size=(N, N)), ["--ids", "ids.txt"], "which axis are the stimuli? Say it with --axes"),
        (MEANS[1:], ["--ids", "ids.txt"], f"({N - 1}, 5) for {N} ids; expected ({N} stimuli, channels)"),
        (MEANS, [], "no ids; give the ids of the stimuli, in their order, with --ids FILE"),
        (MEANS + 1j, ["--ids", "ids.txt"], "holds complex128, not real numbers"),
        (np.where(np.arange(C) == 2, 3.0, MEANS), ["--ids", "ids.txt"], "channel '3' never varies"),
        (np.where(np.arange(N)[:, None, None] == 7, np.nan, REPEATS), ["--ids", "ids.txt"],
         f"'{IDS[7]}' has no response in channel '1', all its repeats are NaN"),
        (MEANS, ["--ids", "ids.txt", "--channels", "few.csv"], "has 1 rows for 5 channels"),
        (MEANS, ["--ids", "ids.txt", "--channels", "none.csv"], "no column 'channel'"),
        (MEANS, ["--ids", "other.txt"], "do not join on the concept id"),
    ],
)  # fmt: skip
def test_says_what_is_wrong(bench, folder, values, more, message):
    (folder / "few.csv").write_text("channel\na\n")
    (folder / "none.csv").write_text("name,area\na,V4\n")
    (folder / "other.txt").write_text("\n".join(f"x{i}" for i in range(N)))
    np.save(folder / "a.npy", values)
    done = bench("data", "new", "responses", "own", "a.npy", "--stimuli", "mini_images", *more)
    assert done.status == 2
    assert message in " ".join(done.err.split())
    assert not (folder / "mine.yaml").exists()


def test_a_square_is_read_as_it_is_said(bench, folder):
    square = RNG.normal(size=(N, N))
    np.save(folder / "a.npy", square)
    for axes, expected in (("stimuli", square), ("channels", square.T)):
        read = response_file(DataRoot(folder), name="own", file="a.npy", ids="ids.txt", axes=axes)
        np.testing.assert_array_equal(read.responses, expected)
