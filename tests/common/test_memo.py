from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmark.common.memo import FolderMemo
from benchmark.measures import gromov_wasserstein, rdm


def test_what_is_kept_comes_back_and_what_is_damaged_does_not(tmp_path: Path) -> None:
    memo = FolderMemo(tmp_path / "memo")
    assert list(memo) == []
    record = {"rows": np.arange(6.0).reshape(2, 3), "plan": np.ones(3, np.float32)}
    memo["a-0"] = record
    again = FolderMemo(tmp_path / "memo")
    assert list(again) == ["a-0"]
    for name, array in again["a-0"].items():
        np.testing.assert_array_equal(array, record[name])
        assert array.dtype == record[name].dtype
    (tmp_path / "memo" / "a-0.npz").write_bytes(b"PK\x03\x04 broken off")
    assert again.get("a-0") is None
    del again["a-0"]
    assert len(memo) == 0
    with pytest.raises(KeyError):
        del again["a-0"]


def test_a_search_that_was_killed_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    c1, c2 = (rdm(rng.standard_normal((20, 5))) for _ in range(2))

    def search(memo: FolderMemo | None, progress=None):
        return gromov_wasserstein(
            c1,
            c2,
            epsilons=[0.1, 0.02],
            starts=3,
            rng=np.random.default_rng(1),
            memo=memo,
            progress=progress,
            jobs=1,  # so that it is known what was done when it was killed
        )

    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(FolderMemo(tmp_path), stop)
    counts: list[int] = []
    resumed = search(FolderMemo(tmp_path), lambda done, total: counts.append(done))
    whole = search(None)
    assert counts[:2] == [3, 4], "what was done is not done again"
    np.testing.assert_array_equal(resumed.plan, whole.plan)
    assert repr(resumed.sweep) == repr(whole.sweep), "NaN is not equal to itself"


def test_a_killed_run_leaves_no_folder_once_the_work_is_done(tmp_path: Path, writer) -> None:
    memo = FolderMemo(tmp_path / "memo")
    memo["a-0"] = {"rows": np.ones(3)}
    process, temporary = writer(tmp_path / "memo")
    memo.clear()
    assert temporary.exists(), "its process lives"
    process.kill()
    process.wait()
    memo.clear()
    assert not (tmp_path / "memo").exists()


def test_whatever_stands_in_the_place_of_a_record_it_counts_as_absent(tmp_path: Path) -> None:
    memo = FolderMemo(tmp_path)
    path = tmp_path / "a-0.npz"
    np.save(tmp_path / "array.npy", np.ones(3))
    for damage in (
        path.mkdir,
        lambda: path.write_bytes((tmp_path / "array.npy").read_bytes()),
        lambda: path.write_bytes(b""),
    ):
        damage()
        assert memo.get("a-0") is None
        memo["a-0"] = {"rows": np.ones(3)}
        assert memo["a-0"]["rows"].sum() == 3
