"""``bench data new responses``: from a file of any form to a score, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml
from PIL import Image
from rsatoolbox.data import Dataset, TemporalDataset
from scipy.io import savemat

from benchmark.common.errors import DataError, UsageError
from benchmark.datasets import DataRoot
from benchmark.datasets.mini import images
from benchmark.datasets.readers.response_files import response_file
from benchmark.inference import split_half_reliability

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


COURSES = REPEATS[..., None] * np.array([0.0, 0.5, 1.5, 0.0])


@pytest.mark.parametrize("window", ["100:200", "60:240"])
def test_the_mean_over_a_window_is_the_response(bench, folder, window):
    """(stimuli, channels, repeats, times), the means over 100 and 200 ms of which are the repeats."""
    np.save(folder / "meg.npy", COURSES)
    added = bench("data", "new", "responses", "meg", "meg.npy", "--ids", "ids.txt", "--stimuli",
                  "mini_images", "--times", "0:100:300", "--window", window)  # fmt: skip
    assert added.status == 0, added.err
    params = yaml.safe_load((folder / "mine.yaml").read_text())["datasets"]["meg"]["params"]
    read = response_file(DataRoot(folder), name="meg", **params)
    np.testing.assert_allclose(read.repeats, REPEATS)
    assert response_file.hash_of(DataRoot(folder), name="meg", **params) == read.hash
    other = response_file.hash_of(DataRoot(folder), name="meg", **params | {"window": "100:100"})
    assert other != read.hash


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--times", "0:100:300"], "4 times from 0 to 300: give --window START:STOP"),
        (["--window", "100:200"], "--window needs the times of the last axis"),
        (["--times", "0:100:200", "--window", "100:200"], "channels, repeats, 3)"),
        (["--times", "0:100:300", "--window", "400:500"], "no time is in the window 400:500"),
        (["--times", "0:100:300", "--window", "100"], "'100' is not START:STOP"),
    ],
)
def test_says_what_is_wrong_with_times(bench, folder, more, message):
    np.save(folder / "meg.npy", COURSES)
    done = bench("data", "new", "responses", "meg", "meg.npy", "--ids", "ids.txt", "--stimuli", "mini_images",
                 *more)  # fmt: skip
    assert done.status == 2
    assert message in " ".join(done.err.split())


def test_data_sets_of_rsatoolbox(folder):
    """Observations in a random order; those of one stimulus are its repeats, in their order."""
    trials, stimulus = np.moveaxis(REPEATS, 2, 1).reshape(-1, C), np.repeat(IDS, 3)
    measured = ~np.isnan(trials).any(axis=1)
    order = np.random.default_rng(1).permutation(np.flatnonzero(measured))
    names = {"name": [f"u{i}" for i in range(C)]}
    observed = {"stimulus": [f"{stimulus[i]}.jpg" for i in order], "run": order % 4}
    Dataset(trials[order], obs_descriptors=observed, channel_descriptors=names).save(folder / "a.h5")
    course = trials[order][:, :, None] * [0.0, 1.0]
    TemporalDataset(
        course, obs_descriptors=observed, channel_descriptors=names, time_descriptors={"time": [0, 50]}
    ).save(folder / "b.h5")
    for file, more in (("a.h5", {}), ("b.h5", {"window": "50:50"})):
        read = response_file(DataRoot(folder), name="own", file=file, column="stimulus", **more)
        assert read.channels == ("u0", "u1", "u2", "u3", "u4")
        np.testing.assert_allclose(read.select(IDS).responses, MEANS)
    with pytest.raises(DataError, match="which descriptor of observations holds the ids"):
        response_file(DataRoot(folder), name="own", file="a.h5")
    with pytest.raises(DataError, match="no descriptor of observations 'image'"):
        response_file(DataRoot(folder), name="own", file="a.h5", column="image")
    with pytest.raises(UsageError, match="2 times from 0 to 50: give --window"):
        response_file(DataRoot(folder), name="own", file="b.h5", column="stimulus")


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
    known = split_half_reliability(REPEATS, 0)
    assert f"reliability: {known.value.min():.3f} to {known.value.max():.3f}, median" in preview
    least, low, high = (float(a[known.value.argmin()]) for a in (known.value, known.low, known.high))
    assert f"u{known.value.argmin()} {least:.3f} [{low:.3f}, {high:.3f}], u" in preview
    assert f"{(known.value >= 0.7).sum()} of {C} at 0.7" in preview
    assert (folder / "neurons.preview.png").read_bytes().startswith(b"\x89PNG")
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
        (np.moveaxis(REPEATS, 2, 0), ["--ids", "ids.txt"], "--axes channels, if its repeats come last"),
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


@pytest.fixture
def photos(bench, folder) -> list[str]:
    """Ids of two images of each of four concepts, which stand in a folder for each."""
    ids = [f"{concept}/{concept}{i}" for concept in ("bus", "car", "cat", "dog") for i in (1, 2)]
    for name in ids:
        (folder / "seen" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((8, 8), 50).save(folder / "seen" / f"{name}.png")
    assert bench("data", "new", "stimuli", "photos", "seen").status == 0
    return ids


def bring(bench, ids):
    np.savez("a.npz", responses=RNG.normal(size=(len(ids), 3)), ids=ids)
    return bench("data", "new", "responses", "own", "a.npz", "--stimuli", "photos")


def test_what_joined_is_counted_in_images(bench, folder, photos):
    done = bring(bench, [*photos[:-1], "yeti/1"])
    assert done.status == 0, done.err
    assert (folder / "own.preview.txt").read_text().splitlines()[-4:] == [
        "joined: 7 of 8 images of photos and of 8 ids, on the id of the image; they show 4 of 4 concepts",
        "lost: 1 images of photos without a row: 'dog/dog2'",
        "lost: 1 ids without an image of photos: 'yeti/1'",
        # what a run would say
        "encoding: not possible with the params of the binding as they are: 4 concepts joined, too few for 5 "
        "folds of 6 or more: at least 12 are needed",
    ]
    assert not (folder / "own.preview.png").exists()  # one repeat has no reliability


@pytest.mark.parametrize("form", ["a folder", "paths of another machine", "names"])
def test_images_in_folders_join_by_name_however_ids_are_given(bench, folder, photos, form):
    ids = {
        "a folder": "seen",
        "paths of another machine": "\n".join(f"C:\\pictures\\{name}.jpg" for name in photos),
        "names": "\n".join(name.split("/")[1] for name in photos),
    }[form]
    if form != "a folder":
        (folder / "ids.txt").write_text(ids)
        ids = "ids.txt"
    np.save("a.npy", RNG.normal(size=(len(photos), 3)))
    done = bench("data", "new", "responses", "own", "a.npy", "--ids", ids, "--stimuli", "photos")
    assert done.status == 0, done.err
    assert (
        "joined: 8 of 8 images of photos and of 8 ids, on the id of the image; they show 4 of 4" in done.out
    )
    assert "lost" not in done.out


def test_ids_of_no_image_are_refused_with_the_form_of_those_that_are(bench, folder, photos):
    said = "the ids of the images as bench list ids has them ('bus/bus1', 'bus/bus2', 'car/car1', ...)"
    for ids, more in (
        ([f"{name}.b" for name in photos], ""),
        (photos[:4], "; the images that join are of 2 concepts, and 3 are needed"),
    ):
        done = bring(bench, ids)
        assert done.status == 2
        assert f"expected the names of the concepts, or {said}{more}" in " ".join(done.err.split())


def test_a_square_is_read_as_it_is_said(bench, folder):
    square = RNG.normal(size=(N, N))
    np.save(folder / "a.npy", square)
    for axes, expected in (("stimuli", square), ("channels", square.T)):
        read = response_file(DataRoot(folder), name="own", file="a.npy", ids="ids.txt", axes=axes)
        np.testing.assert_array_equal(read.responses, expected)
