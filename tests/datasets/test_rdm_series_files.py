"""RDMs along an axis from files of every form, as users have them and as authors publish them."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat
from scipy.spatial.distance import squareform

from benchmark.common.errors import DataError, NotPossible, UsageError
from benchmark.datasets import Axis, DataRoot, RDMSeriesTarget
from benchmark.datasets.readers.rdm_series_files import algonauts_meg, rdm_series_files

N, T, S = 6, 4, 3
IDS = [f"image{i}" for i in range(N)]
TIMES = "-10:10:20"


@pytest.fixture
def pairs() -> np.ndarray:
    return np.random.default_rng(0).random((S, T, N * (N - 1) // 2))


@pytest.fixture
def root(tmp_path) -> DataRoot:
    (tmp_path / "ids.txt").write_text("\n".join(IDS))
    return DataRoot(tmp_path)


def squares(pairs: np.ndarray, diagonal: float = 0.0) -> np.ndarray:
    found = np.array([[squareform(row) for row in subject] for subject in pairs])
    found[..., np.arange(found.shape[-1]), np.arange(found.shape[-1])] = diagonal
    return found


def read(root: DataRoot, *files: str, **options) -> RDMSeriesTarget:
    options = {"times": TIMES, "ids": "ids.txt"} | options
    return rdm_series_files(root, name="meg", files=list(files), **options)


def hdf5_of_matlab(path: Path, **arrays: np.ndarray) -> None:
    """As MATLAB saves with -v7.3: HDF5 with the axes reversed."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in arrays.items():
            file[name] = values.T
            file[name].attrs["MATLAB_class"] = np.bytes_("double")
    with path.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file".ljust(124, b" ") + b"\x00\x02IM")


@pytest.mark.parametrize("form", ["npy", "nan diagonal", "mat", "things meg", "a file a subject", "pairs"])
def test_every_form_is_read_as_the_same_numbers(root, pairs, form):
    files, options = ["meg.npy"], {}
    if form == "mat":
        files = ["meg.mat"]
        savemat(root.path / "meg.mat", {"rdms": squares(pairs)})
    elif form == "things meg":  # mat(image, image, time, participant), NaN on the diagonal
        files = ["meg.mat"]
        hdf5_of_matlab(root.path / "meg.mat", mat=squares(pairs, np.nan).transpose(2, 3, 1, 0))
    elif form == "a file a subject":
        files = ["sub-*.npy"]
        for i, subject in enumerate(squares(pairs)):
            np.save(root.path / f"sub-{i}.npy", subject)
    elif form == "pairs":
        i, j = np.triu_indices(N, 1)
        by_column = np.lexsort((i, j))
        np.save(root.path / "meg.npy", pairs[..., by_column])
        options = {"order": "columns"}
    else:
        np.save(root.path / "meg.npy", squares(pairs, np.nan if form == "nan diagonal" else 0.0))
    target = read(root, *files, **options)
    assert target.pairs == pytest.approx(pairs)
    assert target.axis == Axis("time", (-10.0, 0.0, 10.0, 20.0), "ms")
    assert target.ids == tuple(IDS)
    chosen = target.select(["image4", "image1", "image3"])
    assert chosen.pairs[1, 2] == pytest.approx(
        squareform(squareform(pairs[1, 2])[np.ix_([4, 1, 3], [4, 1, 3])])
    )


def test_as_many_subjects_as_times_are_asked_for(root, pairs):
    both = np.concatenate([pairs, pairs[:1] / 2])
    np.save(root.path / "meg.npy", squares(both))
    with pytest.raises(DataError, match="--first subjects or --first places"):
        read(root, "meg.npy")
    assert read(root, "meg.npy", first="subjects").pairs == pytest.approx(both)
    assert read(root, "meg.npy", first="places").pairs == pytest.approx(both.swapaxes(0, 1))


def test_times_and_regions_come_from_files_too(root, pairs):
    np.save(root.path / "meg.npy", squares(pairs))
    np.save(root.path / "times.npy", np.array([0.1, 0.2, 0.3, 0.4]))
    with pytest.raises(DataError, match="seconds or ms"):
        read(root, "meg.npy", times="times.npy")
    assert read(root, "meg.npy", times="times.npy", unit="s").axis.label(0) == "0.1 s"
    regions = read(root, "meg.npy", times=None, regions="V1, V2, V4, IT").axis
    assert regions == Axis("region", ("V1", "V2", "V4", "IT"))
    assert not regions.ordered


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"times": "0:10:50"}, DataError, "for 6 ids and 6 places"),
        ({"times": "0:-1:20"}, UsageError, "does not rise"),
        ({"times": None}, UsageError, "either times or regions"),
        ({"regions": "V1,V2"}, UsageError, "either times or regions"),
        ({"ids": None}, DataError, "--ids FILE"),
        ({"first": "times"}, UsageError, "is not known"),
    ],
)
def test_what_is_wrong_is_said(root, pairs, options, error, message):
    np.save(root.path / "meg.npy", squares(pairs))
    with pytest.raises(error, match=message):
        read(root, "meg.npy", **options)


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda rdms: rdms[0, 1].__setitem__((2, 3), 9.0), DataError, r"RDM \[0, 1\] is not symmetric"),
        (lambda rdms: rdms.__setitem__((slice(None), slice(None), 0, 0), 1.0), DataError, "similarities"),
        (
            lambda rdms: np.negative(rdms, out=rdms),
            DataError,
            "no value is above 0: if these are similarities",
        ),
        (
            lambda rdms: rdms[2, 3].__setitem__(([1, 2], [2, 1]), np.nan),
            DataError,
            "'meg 3', 20 ms: nan for 'image1'",
        ),
        (lambda rdms: rdms[1].__setitem__(0, 1 - np.eye(N)), NotPossible, "'meg 2', -10 ms"),
    ],
)
def test_numbers_that_are_no_rdms_are_refused_with_their_place(root, pairs, spoil, error, message):
    rdms = squares(pairs)
    spoil(rdms)
    np.save(root.path / "meg.npy", rdms)
    with pytest.raises(error, match=message):
        read(root, "meg.npy")


@pytest.mark.parametrize("version", ["5", "7.3"])
def test_algonauts_windows_are_means_over_their_times(root, pairs, version):
    arrays = {"MEG_RDMs_early": squares(pairs), "MEG_RDMs_late": squares(pairs[:, ::-1] ** 2)}
    save = hdf5_of_matlab if version == "7.3" else lambda path, **named: savemat(path, named)
    save(root.path / "target_meg.mat", **arrays)
    target = algonauts_meg(root, name="meg", path="target_meg.mat", ids="ids.txt")
    assert target.axis.places == ("early", "late")
    assert target.pairs[:, 0] == pytest.approx(pairs.mean(axis=1))
    assert target.pairs[:, 1] == pytest.approx((pairs**2).mean(axis=1))


@pytest.mark.parametrize("places", [(), (0.0, 0.0), (1.0, 0.5)])
def test_times_must_rise(places):
    with pytest.raises(DataError, match="axis 'time'"):
        Axis("time", places, "ms")
