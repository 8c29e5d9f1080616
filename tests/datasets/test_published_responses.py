"""Responses in the layouts of their authors, on small files of the same form: TVSD, NSD, THINGS-fMRI."""

from __future__ import annotations

import gzip
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy.io import savemat

from benchmark.common.errors import DataError, UsageError
from benchmark.datasets.readers.nsd import nsd
from benchmark.datasets.readers.things_fmri import things_fmri_responses
from benchmark.datasets.readers.tvsd import tvsd
from benchmark.datasets.root import DataRoot

RNG = np.random.default_rng(0)
NAMES = {"train": ["aardvark/aardvark_01b.jpg", "abacus\\abacus_03s.jpg", "cat/cat_02n.jpg"],
         "test": ["dog/dog_11n.jpg", "owl/owl_12s.jpg"]}  # fmt: skip


@pytest.fixture
def monkey(tmp_path: Path) -> dict[str, np.ndarray]:
    """Arrays as MATLAB has them: (electrodes, images, repeats)."""
    arrays = {"train_MUA": RNG.normal(size=(1024, 3)), "test_MUA_reps": RNG.normal(size=(1024, 2, 4))}
    folder = tmp_path / "tvsd/monkeyN"
    (folder / "_logs").mkdir(parents=True)
    with h5py.File(folder / "THINGS_normMUA.mat", "w") as file:
        for name, values in arrays.items():
            file[name] = values.T
    with h5py.File(folder / "_logs/things_imgs.mat", "w") as file:
        for part, names in NAMES.items():
            cells = np.empty((len(names), 1), dtype=h5py.ref_dtype)
            for i, name in enumerate(names):
                cell = file.create_dataset(f"#refs#/{part}{i}", data=np.array([[ord(c)] for c in name], "u2"))
                cells[i, 0] = cell.ref
            file.create_dataset(f"{part}_imgs/things_path", data=cells, dtype=h5py.ref_dtype)
    return arrays


def test_tvsd(tmp_path, monkey):
    root = DataRoot(tmp_path)
    tested = tvsd(root, name="t", monkey="N", area="V4")
    assert tested.ids == ("dog_11n", "owl_12s")
    assert tested.channels[0] == "monkeyN 0513"
    np.testing.assert_array_equal(tested.repeats, monkey["test_MUA_reps"][512:768].swapaxes(0, 1))
    trained = tvsd(root, name="t", monkey="N", area="IT", part="train")
    assert trained.ids == ("aardvark_01b", "abacus_03s", "cat_02n")
    np.testing.assert_array_equal(trained.responses, monkey["train_MUA"][768:].T)
    assert tvsd.hash_of(root, name="t", monkey="N", area="V4") == tested.hash != trained.hash


@pytest.mark.parametrize(("key", "value"), [("monkey", "M"), ("area", "V2"), ("part", "all")])
def test_tvsd_says_what_is_known(tmp_path, monkey, key, value):
    with pytest.raises(UsageError, match=f"{key} is '{value}'; write one of"):
        tvsd(DataRoot(tmp_path), name="t", **{"monkey": "N", "area": "V4", key: value})


def test_tvsd_of_another_shape(tmp_path, monkey):
    with h5py.File(tmp_path / "tvsd/monkeyN/THINGS_normMUA.mat", "a") as file:
        del file["test_MUA_reps"]
        file["test_MUA_reps"] = monkey["test_MUA_reps"]
    with pytest.raises(DataError, match="2 images, 1024 electrodes"):
        tvsd(DataRoot(tmp_path), name="t", monkey="N", area="V4")


X, Y, Z, TRIALS = 4, 3, 2, 6


@pytest.fixture
def volumes(tmp_path: Path) -> tuple[np.ndarray, np.ndarray]:
    """A mask (x, y, z), and responses of two sessions (x, y, z, trials), as MATLAB has them."""
    mask = RNG.integers(0, 4, size=(X, Y, Z)).astype("<i2")
    mask[0, 0, 0] = 2
    betas = RNG.integers(-900, 900, size=(X, Y, Z, 2 * TRIALS)).astype("i2")
    header = bytearray(352)
    header[:4] = (348).to_bytes(4, "little")
    header[40:56] = np.array([3, X, Y, Z, 1, 1, 1, 1], "<i2").tobytes()
    header[70:72] = (4).to_bytes(2, "little")
    header[108:112] = np.array(352, "<f4").tobytes()
    person = "ppdata/subj02/func1pt8mm"
    for folder in ("nsddata/experiments/nsd", f"nsddata/{person}/roi",
                   f"nsddata_betas/{person}/betas_fithrf_GLMdenoise_RR"):  # fmt: skip
        (tmp_path / "nsd" / folder).mkdir(parents=True)
    with gzip.open(tmp_path / f"nsd/nsddata/{person}/roi/streams.nii.gz", "wb") as file:
        file.write(bytes(header) + mask.tobytes(order="F"))
    for i, part in enumerate(np.split(betas, 2, axis=3)):
        name = f"nsd/nsddata_betas/{person}/betas_fithrf_GLMdenoise_RR/betas_session{i + 1:02d}.hdf5"
        with h5py.File(tmp_path / name, "w") as file:
            file["betas"] = part.T
    # the seventh image of the list of a person is seen in trials 1, 5 and 9, and so on
    order = np.array([[7, 3, 1, 2, 7, 3, 1, 2, 7, 3, 4, 5, 6, 6]])
    images = 100 * np.arange(1, 9)[:, None] + np.arange(1, 11)
    savemat(
        tmp_path / "nsd/nsddata/experiments/nsd/nsd_expdesign.mat",
        {"masterordering": order, "subjectim": images},
    )
    return mask, betas


def test_nsd(tmp_path, volumes):
    mask, betas = volumes
    options = {"name": "n", "subject": 2, "roi": "streams", "labels": [2, 3], "sessions": 2}
    found = nsd(DataRoot(tmp_path), **options)
    assert found.ids[:2] == ("nsd00207", "nsd00203")
    scored = [(part - part.mean(-1, keepdims=True)) / part.std(-1, keepdims=True)
              for part in np.split(betas / 300, 2, axis=3)]  # fmt: skip
    trials = np.concatenate(scored, axis=3)
    x, y, z = next(zip(*np.nonzero(np.isin(mask, [2, 3]).transpose(2, 1, 0))[::-1], strict=True))
    np.testing.assert_allclose(found.repeats[0, 0], trials[x, y, z, [0, 4, 8]])
    assert found.areas[0] == f"streams {mask[x, y, z]}"
    assert len(found.channels) == np.isin(mask, [2, 3]).sum()
    assert nsd.hash_of(DataRoot(tmp_path), **options) == found.hash


def test_nsd_says_what_does_not_fit(tmp_path, volumes):
    options = {"name": "n", "subject": 2, "roi": "streams", "sessions": 1}
    with pytest.raises(DataError, match=r"no voxel has a label of \[9\]"):
        nsd(DataRoot(tmp_path), labels=[9], **options)
    with pytest.raises(UsageError, match="write a list of numbers"):
        nsd(DataRoot(tmp_path), labels=2, **options)
    (path,) = tmp_path.glob("nsd/nsddata/ppdata/*/*/roi/streams.nii.gz")
    path.write_bytes(b"no mask")
    with pytest.raises(DataError, match="cannot be read as NIfTI-1"):
        nsd(DataRoot(tmp_path), labels=[2], **options)


def test_things_fmri(tmp_path):
    folder = tmp_path / "things-fmri/betas_csv"
    folder.mkdir(parents=True)
    trials = pd.DataFrame({
        "trial_type": ["train", *["test"] * 6], "session": [1, 1, 1, 1, 2, 2, 2],
        "stimulus": ["cat_01b.jpg", *["owl_12s.jpg", "dog_11n.jpg", "bus_14s.jpg"] * 2],
        "concept": ["cat", *["owl", "dog", "bus"] * 2],
    })  # fmt: skip
    trials.to_csv(folder / "sub-01_StimulusMetadata.csv", index=False)
    pd.DataFrame({"voxel_id": range(5), "V1": [1, 0, 1, 1, 0]}).to_csv(
        folder / "sub-01_VoxelMetadata.csv", index=False
    )
    values = RNG.normal(size=(5, 7))
    with h5py.File(folder / "sub-01_ResponseData.h5", "w") as file:
        file["ResponseData/block0_values"] = values
    options = {"name": "v", "rois": ["V1"], "subject": "01"}
    found = things_fmri_responses(DataRoot(tmp_path), **options)
    assert found.ids == ("owl_12s", "dog_11n", "bus_14s")
    assert found.channels == ("voxel 0", "voxel 2", "voxel 3")
    sessions = [values[2, 1:4], values[2, 4:7]]
    scored = [(part - part.mean()) / part.std() for part in sessions]
    np.testing.assert_allclose(found.repeats[:, 1], np.transpose(scored))
    assert things_fmri_responses.hash_of(DataRoot(tmp_path), **options) == found.hash
