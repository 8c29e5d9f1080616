"""The feature store: what is found again, and what damage does."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.common import files
from benchmark.common.errors import DataError
from benchmark.common.files import cache_folder
from benchmark.extraction.cache import EXPIRED, clean, contents, verify
from benchmark.extraction.store import FeatureStore

KEY = {"weights": "abc", "stimuli": "m", "params": {"k": 1}}
FEATURES = {"conv1": np.arange(12, dtype=np.float32).reshape(3, 4), "output": np.ones((3, 2), np.float32)}


@pytest.fixture
def store(tmp_path) -> FeatureStore:
    return FeatureStore(tmp_path / "features")


def only(folder: Path, pattern: str) -> Path:
    (path,) = folder.rglob(pattern)
    return path


def test_found_again_memory_mapped_and_read_only(store):
    store.put(KEY, FEATURES)
    for layer, features in FEATURES.items():
        found = FeatureStore(store.folder).get(dict(reversed(KEY.items())), layer)
        np.testing.assert_array_equal(found, features)
        assert isinstance(found, np.memmap)
        assert found.dtype == np.float32
        assert not found.flags.writeable


@pytest.mark.parametrize("change", [{"weights": "abd"}, {"params": {"k": 2}}, {"new": 1}])
def test_another_key_is_another_entry(store, change):
    store.put(KEY, FEATURES)
    assert store.get({**KEY, **change}, "conv1") is None


def test_layers_are_entries_of_their_own(store):
    store.put(KEY, {"conv1": FEATURES["conv1"]})
    assert store.get(KEY, "output") is None
    before = only(store.folder, "conv1.*.npy").stat().st_mtime_ns
    store.put(KEY, {"output": FEATURES["output"]})
    np.testing.assert_array_equal(store.get(KEY, "conv1"), FEATURES["conv1"])
    assert only(store.folder, "conv1.*.npy").stat().st_mtime_ns == before


def test_layers_of_like_names_do_not_mix(store):
    layers = ["a/b", "a-b", "a b", "a.b", "..", "../..", "A" * 300, ""]
    store.put(KEY, {name: np.full((2, 2), i) for i, name in enumerate(layers)})
    for i, name in enumerate(layers):
        assert store.get(KEY, name)[0, 0] == i
    assert all(path.resolve().is_relative_to(store.folder.resolve()) for path in store.folder.rglob("*.npy"))


@pytest.mark.parametrize(
    "features", [np.asfortranarray(FEATURES["conv1"]), FEATURES["conv1"][:, ::2], np.ones(3)]
)
def test_any_layout(store, features):
    store.put(KEY, {"x": features})
    np.testing.assert_array_equal(store.get(KEY, "x"), features)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    ("pattern", "damage"),
    [
        ("conv1.*.npy", flip),
        ("conv1.*.npy", lambda path: path.write_bytes(path.read_bytes()[:-5])),
        ("conv1.*.npy", lambda path: path.write_bytes(b"")),
        ("conv1.*.npy", Path.unlink),
        ("conv1.meta.json", lambda path: path.write_bytes(b"{")),
        ("conv1.meta.json", lambda path: path.write_bytes(b"[1]")),
        ("conv1.meta.json", lambda path: path.write_bytes(b'{"file": "x.npy"}')),
    ],
)
def test_damage_is_said_and_counts_as_missing(store, caplog, pattern, damage):
    store.put(KEY, FEATURES)
    assert store.get(KEY, "conv1") is not None  # the checksum is known by now
    damage(only(store.folder, pattern))
    with caplog.at_level(logging.WARNING):
        assert store.get(KEY, "conv1") is None
    assert len(caplog.records) == 1
    assert "are damaged" in caplog.text
    assert list(store.folder.rglob("*.damaged"))
    np.testing.assert_array_equal(store.get(KEY, "output"), FEATURES["output"])
    store.put(KEY, FEATURES)
    np.testing.assert_array_equal(store.get(KEY, "conv1"), FEATURES["conv1"])


@pytest.mark.parametrize("array", [np.zeros((0, 3)), np.zeros((3, 0)), np.array([["a", None]], dtype=object)])
def test_what_cannot_be_stored(store, array):
    with pytest.raises(DataError, match=r"layer 'x' are of shape \("):
        store.put(KEY, {"x": array})
    assert not store.folder.exists()


def test_a_full_disk_keeps_the_last_features_in_memory_and_says_so_once(store, monkeypatch, caplog):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    other = {**KEY, "stimuli": "others"}
    for key in (other, KEY):
        store.put(key, FEATURES)
    assert [p for p in store.folder.rglob("*") if p.is_file()] == []
    assert len(caplog.messages) == 1
    assert "No space left on device; features are computed and not kept. Name another" in caplog.text
    np.testing.assert_array_equal(store.get(KEY, "conv1"), FEATURES["conv1"])
    assert store.get(other, "conv1") is None, "memory holds those of one key"
    monkeypatch.undo()
    store.put(other, FEATURES)
    assert FeatureStore(store.folder).get(other, "conv1") is not None


def test_death_between_features_and_meta_is_as_if_never_put(store, monkeypatch):
    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmark.extraction.store.write_atomic", die)
    with pytest.raises(KeyboardInterrupt):
        store.put(KEY, FEATURES)
    monkeypatch.undo()
    assert store.get(KEY, "conv1") is None
    store.put(KEY, FEATURES)
    np.testing.assert_array_equal(store.get(KEY, "conv1"), FEATURES["conv1"])


def _put_and_get(folder: Path, seed: int) -> bool:
    # another value in every process: whoever is last wins, and no one ever reads a mixture
    store = FeatureStore(folder)
    for _ in range(10):
        store.put(KEY, {"x": np.full((50, 50), seed), f"own{seed}": np.full((2, 2), seed)})
        found = store.get(KEY, "x")
        if found is None or len(np.unique(found)) != 1:
            return False
    return True


def test_many_processes(store):
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert all(pool.starmap(_put_and_get, [(store.folder, seed) for seed in range(3)]))
    for seed in range(3):
        assert store.get(KEY, f"own{seed}")[0, 0] == seed
    assert not list(store.folder.rglob("*.damaged"))


def test_default_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("BENCH_CACHE")
    assert cache_folder().name == "semantic-benchmark"


def edit(path: Path, **changes) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def exchange(a: Path, b: Path) -> None:
    """Exchange two folders."""
    between = a.with_name("between")
    a.rename(between)
    b.rename(a)
    between.rename(b)


DAMAGE = {
    "folder in the place of the meta file": lambda meta, array: (meta.unlink(), meta.mkdir()),
    "folder in the place of the array": lambda meta, array: (array.unlink(), array.mkdir()),
    "deep nesting": lambda meta, array: meta.write_text("[" * 100_000),
    "NUL": lambda meta, array: meta.write_bytes(b"\0" * 50),
    "encoding": lambda meta, array: meta.write_bytes(b"\xff\xfe\x00\xd8"),
    "name too long": lambda meta, array: edit(meta, file="a" * 5000),
    "layer": lambda meta, array: edit(meta, layer="output"),
    "layer is a list": lambda meta, array: edit(meta, layer=["conv1"]),
    "key": lambda meta, array: edit(meta, key={**KEY, "weights": "abd"}),
    "shape": lambda meta, array: edit(meta, shape=[4, 3]),
    "type": lambda meta, array: edit(meta, dtype="float64"),
    "checksum": lambda meta, array: edit(meta, sha256="0" * 64),
    "checksum is a number": lambda meta, array: edit(meta, sha256=1),
    "truncated array": lambda meta, array: array.write_bytes(array.read_bytes()[:-5]),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_broken_entry_is_said_found_by_verify_and_computed_again(tmp_path, caplog, damage):
    store = FeatureStore(tmp_path / "features")
    for put_aside in (lambda: store.get(KEY, "conv1"), lambda: verify(contents(tmp_path), lambda _: None)):
        store.put(KEY, FEATURES)
        damage(only(store.folder, "conv1.meta.json"), only(store.folder, "conv1.*.npy"))
        found = put_aside()
        if found is None:
            assert "are damaged" in caplog.text
        elif not list(store.folder.rglob("*.meta.json.damaged")):
            assert only(store.folder, "conv1.meta.json").is_dir(), "verify looks at files"
        assert store.get(KEY, "conv1") is None
        store.put(KEY, FEATURES)
        np.testing.assert_array_equal(store.get(KEY, "conv1"), FEATURES["conv1"])
        np.testing.assert_array_equal(store.get(KEY, "output"), FEATURES["output"])


def test_exchanged_folders_are_not_believed(tmp_path, caplog):
    store = FeatureStore(tmp_path / "features")
    other = {**KEY, "weights": "abd"}
    for read in (True, False):
        store.put(KEY, {"x": np.zeros((2, 2))})
        store.put(other, {"x": np.ones((2, 2))})
        exchange(store._meta(KEY, "x").parent, store._meta(other, "x").parent)
        if not read:
            assert len(verify(contents(tmp_path), lambda _: None)) == 2
        assert store.get(KEY, "x") is None
        assert store.get(other, "x") is None
    assert "another key" in caplog.text


def test_numbers_as_names_in_a_key(store):
    key = {"params": {10: "a", 9: "b"}}
    store.put(key, {"x": np.ones((2, 2))})
    assert store.get(key, "x") is not None


@given(st.binary(max_size=30), st.integers(0, 400), st.integers(0, 40))
def test_bytes_put_anywhere_in_a_meta_file(tmp_path_factory, piece, position, dropped):
    store = FeatureStore(tmp_path_factory.mktemp("fuzz"))
    store.put(KEY, FEATURES)
    meta = only(store.folder, "conv1.meta.json")
    raw = meta.read_bytes()
    meta.write_bytes(raw[:position] + piece + raw[position + dropped :])
    found = store.get(KEY, "conv1")
    assert found is None or np.array_equal(found, FEATURES["conv1"])


def test_what_killed_runs_left_in_the_cache_is_removed(tmp_path, writer):
    FeatureStore(tmp_path / "features").put(KEY, FEATURES)
    folders = [
        tmp_path / "features",
        only(tmp_path, "conv1.meta.json").parent,
        tmp_path / "arrays",
        tmp_path / "unfinished" / "abc",
        tmp_path / "weights",
    ]
    (dead, *killed), (living, *alive) = ([writer(folder) for folder in folders] for _ in range(2))
    for process, _ in (dead, *killed):
        process.kill()
        process.wait()
    another = tmp_path / "features" / ".bench-00000000-1-x.tmp"
    old = tmp_path / "features" / ".bench-00000000-2-x.tmp"
    fetched = Path(str(killed[-1][1]).replace(".tmp", "2.tmp")) / "weights.bin"
    fetched.parent.mkdir()
    for path in (another, old, fetched):
        path.touch()
    os.utime(old, (0, 0))
    young, expired = tmp_path / "unfinished" / "young" / "a.npz", tmp_path / "unfinished" / "old" / "a.npz"
    for path in (young, expired):
        path.parent.mkdir(parents=True)
        path.touch()
    os.utime(expired, (time.time() - EXPIRED - 60,) * 2)
    clean.__wrapped__(tmp_path)
    assert not any(path.exists() for _, path in (dead, *killed))
    assert all(path.exists() for _, path in (living, *alive)), "their processes live"
    assert another.exists(), "it may be of another machine"
    assert not old.exists()
    assert not fetched.parent.exists()
    assert young.exists(), "a run that was broken off goes on with it"
    assert not expired.parent.exists()
    np.testing.assert_array_equal(FeatureStore(tmp_path / "features").get(KEY, "conv1"), FEATURES["conv1"])
