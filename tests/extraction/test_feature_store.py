"""The feature store: what is found again, and what damage does."""

from __future__ import annotations

import logging
import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from benchmark.common import files
from benchmark.common.errors import DataError
from benchmark.common.files import cache_folder
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


def test_full_disk_leaves_nothing(store, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(DataError, match=r"No space left on device; name another folder with \$BENCH_CACHE"):
        store.put(KEY, FEATURES)
    assert [p for p in store.folder.rglob("*") if p.is_file()] == []


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
