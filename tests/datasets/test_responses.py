"""Responses: what they hold, how they join with stimuli, and the V4 sessions as they are published."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.calibration import synthetic_stimuli
from benchmark.common.errors import DataError, NotPossible, UsageError
from benchmark.datasets import DataRoot, ResponseTarget, join
from benchmark.datasets.mini import responses_early, responses_late
from benchmark.datasets.readers import macaque
from benchmark.inference import split_half_reliability

IDS = ("c0-test-00", "c0-test-01", "c1-test-00", "c2-test-01")


def target(repeats=None, ids=IDS, **more):
    if repeats is None:
        repeats = np.arange(8.0).reshape(4, 2, 1)
    names = tuple(f"n{i}" for i in range(np.shape(repeats)[1]))
    return ResponseTarget("t", ids, "h", repeats=repeats, channels=more.pop("channels", names), **more)


def test_mean_is_over_the_repeats_that_are_there():
    repeats = np.array([[[1.0, 3.0]], [[2.0, np.nan]], [[0.0, 4.0]], [[1.0, 1.0]]])
    assert target(repeats).responses.ravel().tolist() == [2.0, 2.0, 2.0, 1.0]
    assert target(repeats).select(IDS[:0:-1]).repeats[:, 0, 0].tolist() == [1.0, 0.0, 2.0]


HOLES = np.ones((4, 2, 3))
HOLES[2, 1] = np.nan


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: target(HOLES), "'c1-test-00' has no response in channel 'n1', all its repeats are NaN"),
        (lambda: target(np.full((4, 1, 1), np.inf)), "infinite response"),
        (lambda: target(np.ones((4, 2))[None], channels=("a", "b")), r"expected \(ids, channels, repeats\)"),
        (lambda: target(np.ones((4, 0, 1))), "nothing was measured"),
        (lambda: target(channels=("a", "a")), "channels"),
        (lambda: target(areas=("V4",)), "1 areas for 2 channels"),
        (lambda: target(np.ones((4, 2, 1))).require_varied(), "channel 'n0' never varies"),
    ],
)
def test_says_what_is_wrong(make, message):
    with pytest.raises(DataError, match=message):
        make()


def test_joins_image_by_image_and_counts_concepts():
    stimuli = synthetic_stimuli(["c0", "c1", "c2", "c3"], test=2)
    joined = join(stimuli, target(ids=IDS[::-1]))
    assert joined.by_stimulus
    assert joined.concepts == ("c0", "c1", "c2")
    assert joined.target.ids == IDS
    assert joined.target.responses[:, 0].tolist() == [6.0, 4.0, 2.0, 0.0]
    assert joined.counts == {"joined": 3, "missing": 1, "ambiguous": 0}


def test_joins_by_the_names_of_images_where_ids_have_a_folder():
    """THINGS: images stand in a folder for each concept; TVSD names them without it."""
    ids = tuple(f"{concept}/{concept}_0{i}" for concept in ("bus", "cat", "dog", "owl") for i in (1, 2))
    plain = synthetic_stimuli(["bus", "cat", "dog", "owl"], test=2)
    stimuli = replace(plain, ids=ids)
    repeats = np.arange(12.0).reshape(6, 2, 1)
    named = ("dog_02", "cat_01", "bus_02", "bus_01", "yeti_01", "dog_01")
    joined = join(stimuli, target(repeats, ids=named))
    assert joined.by_stimulus
    assert joined.concepts == ("bus", "cat", "dog")
    assert joined.target.ids == ("bus/bus_01", "bus/bus_02", "cat/cat_01", "dog/dog_01", "dog/dog_02")
    assert joined.target.responses[:, 0].tolist() == [6.0, 4.0, 2.0, 10.0, 0.0]
    # a name in two folders is of neither
    twice = replace(plain, ids=("bus/1", "bus/2", "cat/1", "cat/3", "dog/4", "dog/5", "owl/6", "owl/7"))
    joined = join(twice, target(repeats, ids=("1", "2", "3", "4", "5", "6")))
    assert joined.target.ids == ("bus/2", "cat/3", "dog/4", "dog/5", "owl/6")


def test_joins_by_concept_where_ids_are_concepts():
    stimuli = synthetic_stimuli(["c0", "c1", "c2", "c3"], test=2)
    joined = join(stimuli, target(ids=("c3", "c2", "c1", "c9")))
    assert not joined.by_stimulus
    assert joined.concepts == ("c1", "c2", "c3")


def test_ids_that_do_not_join_are_shown():
    with pytest.raises(NotPossible, match="'c0' beside 'x'"):
        join(synthetic_stimuli(["c0", "c1", "c2"]), target(ids=("x", "y", "z", "c0-test-00")))


@pytest.mark.parametrize("reader", [responses_early, responses_late])
def test_simulated_channels_are_as_reliable_as_they_were_made(reader):
    made = reader(DataRoot(Path()), name="mini")
    assert made.repeats.shape == (192, 12, 4)
    assert made.simulated
    value = split_half_reliability(made.repeats, 0).value
    assert np.median(value) == pytest.approx(1 / (1 + 1.5**2 / 4), abs=0.05)
    assert reader.hash_of(DataRoot(Path()), name="mini") == made.hash


def jpeg(shade):
    stream = BytesIO()
    Image.new("RGB", (8, 8), (shade, 0, 0)).save(stream, "JPEG")
    return stream.getvalue()


@pytest.fixture
def published(tmp_path):
    """Three images and two channels, in the folders of the authors; the zip has a folder inside."""
    images = tmp_path / "cowley-v4" / "images"
    images.mkdir(parents=True)
    for session, inside in (("190923", "images_190923/"), ("210325", "")):
        with zipfile.ZipFile(images / f"images_{session}.zip", "w") as archive:
            for i in (2, 0, 1):
                archive.writestr(f"{inside}image{i + 1:04d}.jpg", jpeg(80 * i))
    means, raw = (tmp_path / "cowley-v4" / name for name in ("responses_repeat_averaged", "responses_raw"))
    means.mkdir()
    raw.mkdir()
    np.save(means / "responses_190923.npy", np.array([[1, 2, 3], [6, 5, 4]]))  # whole numbers are numbers
    np.save(raw / "responses_210325.npy", np.arange(12.0).reshape(2, 3, 2))
    return DataRoot(tmp_path)


def test_reads_what_the_authors_publish(published):
    shown = macaque.images(published, name="v4", session="190923")
    assert shown.ids == shown.concepts == tuple(f"190923/image000{i}" for i in (1, 2, 3))
    assert [shown.image(i).getpixel((4, 4))[0] // 70 for i in range(3)] == [0, 1, 2]
    measured = macaque.responses(published, name="r", session="190923")
    assert measured.ids == shown.ids
    assert measured.responses.tolist() == [[1, 6], [2, 5], [3, 4]]
    assert (measured.areas, measured.subjects) == (("V4", "V4"), ("WE", "WE"))
    raw = macaque.responses(published, name="r", session="210325")
    assert raw.repeats[1].tolist() == [[2, 3], [8, 9]]
    assert macaque.images.hash_of(published, name="v4", session="190923") == shown.manifest


def test_says_what_is_wrong_with_a_session(published):
    with pytest.raises(UsageError, match="write one of 190923"):
        macaque.images(published, name="v4", session="1")
    with pytest.raises(NotPossible, match=r"images_201025\.zip"):
        macaque.images(published, name="v4", session="201025")
    folder = published.path / "cowley-v4"
    np.save(folder / "responses_repeat_averaged" / "responses_190923.npy", np.ones((2, 3, 4)))
    with pytest.raises(DataError, match=r"expected \(channels, images\)"):
        macaque.responses(published, name="r", session="190923")
    (folder / "images" / "images_190923.zip").write_bytes(b"no zip")
    with pytest.raises(DataError, match="zip"):
        macaque.images(published, name="v4", session="190923")
    with zipfile.ZipFile(folder / "images" / "images_190923.zip", "w") as archive:
        archive.writestr("image0001.jpg", b"no image")
        archive.writestr("image0003.jpg", jpeg(0))
    with pytest.raises(DataError, match="without a gap"):
        macaque.images(published, name="v4", session="190923")


@pytest.mark.human_data
def test_the_real_sessions(human_data):
    root = DataRoot(human_data)
    try:
        raw = macaque.responses(root, name="r", session="210325")
    except NotPossible as error:
        pytest.skip(str(error))
    averaged = np.load(human_data / "cowley-v4" / "responses_repeat_averaged" / "responses_210325.npy")
    np.testing.assert_array_equal(raw.responses, averaged.T)
    assert raw.repeats.shape == (640, 50, 10)
    found = split_half_reliability(raw.repeats, 0)
    # measured elsewhere, with other halves
    assert np.median(found.value) == pytest.approx(0.764, abs=0.005)
    assert np.median(found.ceiling) == pytest.approx(0.874, abs=0.005)
    shapes = {s: macaque.responses(root, name="r", session=s).responses.shape for s in macaque.SESSIONS}
    assert shapes == {
        "190923": (1200, 33),
        "201025": (1200, 89),
        "210325": (640, 50),
        "210621": (1200, 51),
    }
    for session, (n, _) in shapes.items():
        stimuli = macaque.images(root, name="v4", session=session)
        assert len(stimuli) == n
        assert stimuli.image(n - 1).size == (112, 112)
