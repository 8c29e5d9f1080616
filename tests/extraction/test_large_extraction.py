"""Pooling by layer, projections, large features on disk, precision, images shared between models."""

from __future__ import annotations

import subprocess
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from benchmark.common.cost import Cost
from benchmark.common.errors import BenchError, DataError, UsageError
from benchmark.datasets import Stimuli
from benchmark.extraction import NetworkModel, images, pool, rows
from benchmark.extraction.projection import Projection
from benchmark.extraction.store import FeatureStore
from benchmark.model import ModelSpec
from benchmark.runner.view import StoredView

N = 40


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(images, "_caches", OrderedDict())


def stimuli(n: int = N, manifest: str = "m") -> Stimuli:
    pixels = np.random.default_rng(0).integers(0, 256, (n, 16, 16, 3), dtype=np.uint8)
    ids = tuple(f"s{i}" for i in range(n))
    return Stimuli("noise", ids, ids, manifest, lambda i: Image.fromarray(pixels[i]))


class Small(NetworkModel):
    """Two convolutions, each followed by an activation in place."""

    preprocessing = "scale 0..1"
    decoded = 0

    def build(self) -> nn.Module:
        return nn.Sequential(
            *(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Conv2d(4, 5, 3), nn.ReLU(inplace=True)),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 6)),
        )

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        type(self).decoded += 1
        return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float() / 255

    def modules(self) -> dict[str, str]:
        return {"conv1": "0", "conv2": "2"}


def small(**params: object) -> Small:
    return Small(ModelSpec("small", params, untrained=0))


def activations(model: Small, shown: Stimuli) -> tuple[np.ndarray, np.ndarray]:
    """Both convolutions of all stimuli, before their activations, in the plain way."""
    net = model.network
    batch = torch.stack([model.preprocess(shown.image(i)) for i in range(len(shown))])
    with torch.no_grad():
        first = net[0](batch)
        second = net[2](first.relu())
    return first.numpy(), second.numpy()


def test_each_layer_has_the_pooling_that_the_entry_declares() -> None:
    model = small(pooling={"/conv/": "max", "conv1": "none", "output": "average"})
    first, second = activations(model, stimuli())
    found = model.features(stimuli(), model.layers)
    # conv1 is followed by a ReLU in place: the values must be those before it
    assert first.min() < 0
    assert np.allclose(found["conv1"], first.reshape(N, -1), atol=1e-5)
    assert np.allclose(found["conv2"], second.max((2, 3)), atol=1e-5)
    default = small().features(stimuli(), ["conv1"])["conv1"]
    assert np.allclose(default, first.mean((2, 3)), atol=1e-5)


@pytest.mark.parametrize(
    ("pooling", "message"),
    [
        ("median", "unknown pooling 'median'"),
        ("projection:0", "unknown pooling 'projection:0'"),
        ("grid:0", "unknown pooling 'grid:0'"),
        ({"conv1": "middle"}, "unknown pooling 'middle'"),
        ({"con1": "max"}, "no layer 'con1'; did you mean conv1"),
        ({"/block/": "max"}, "no layer '/block/'"),
    ],
)
def test_a_pooling_or_layer_that_is_not_there_is_named(pooling: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        small(pooling=pooling).features(stimuli(3), ["conv1"])


def test_tokens_after_the_leading_ones_are_the_patches() -> None:
    tokens = torch.rand(2, 7, 3)
    assert torch.allclose(pool(tokens, "patches", 2), tokens[:, 2:].mean(1))
    maps = torch.rand(2, 3, 4, 5)
    assert torch.equal(pool(maps, "patches", 2), pool(maps, "average"))


@pytest.mark.parametrize("shape", [(12, 12), (13, 7), (4, 4)])
def test_a_grid_keeps_six_by_six_means_of_every_map(shape: tuple[int, int]) -> None:
    height, width = shape
    maps = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(0))
    rows, columns = (
        [slice(i * size // 6, -(-(i + 1) * size // 6)) for i in range(6)] for size in (height, width)
    )
    expected = torch.stack([maps[:, :, r, c].mean((2, 3)) for r in rows for c in columns], 2).flatten(1)
    torch.testing.assert_close(pool(maps, "grid:6"), expected)
    torch.testing.assert_close(pool(maps.flatten(2).mT, "grid:6"), pool(maps, "average"))


def test_projection_has_the_declared_size_and_keeps_inner_products_on_average() -> None:
    rng = np.random.default_rng(0)
    x, y = (torch.from_numpy(rng.normal(size=3000).astype(np.float32)) for _ in range(2))
    y = 0.5 * x + y
    made = []
    for seed in range(200):
        px, py = Projection(f"layer{seed}", 100, 3000, torch.device("cpu"))(torch.stack([x, y]))
        assert px.shape == (100,)
        made.append(float(px @ py))
    exact = float(x @ y)
    deviation = np.sqrt((float(x @ x) * float(y @ y) + exact**2) / 100)
    assert abs(np.mean(made) - exact) < 4 * deviation / np.sqrt(200)
    assert np.std(made) < 1.2 * deviation


def test_projection_is_linear_and_keeps_the_length_of_every_unit_vector() -> None:
    project = Projection("conv1", 7, 50, torch.device("cpu"))
    matrix = project(torch.eye(50)).numpy()
    assert np.array_equal(np.abs(matrix).sum(1), np.ones(50))
    assert np.abs(matrix).sum(0).max() <= np.ceil(50 / 7)
    x = torch.randn(3, 50)
    assert np.allclose(project(x).numpy(), x.numpy() @ matrix, atol=1e-5)


def test_projection_is_the_same_everywhere_and_another_for_another_layer() -> None:
    code = (
        "import torch; from benchmark.extraction.projection import Projection;"
        "print(Projection('conv1', 4, 9, torch.device('cpu'))(torch.arange(9.)[None]).tolist())"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    here = Projection("conv1", 4, 9, torch.device("cpu"))(torch.arange(9.0)[None]).tolist()
    assert str(here) == other.strip()
    there = Projection("conv2", 4, 9, torch.device("cpu"))(torch.arange(9.0)[None]).tolist()
    assert here != there


def test_a_vector_that_is_no_longer_than_the_projection_is_left() -> None:
    model = small(pooling="projection:500")
    found = model.features(stimuli(), model.layers)
    assert found["conv1"].shape == (N, 500)
    assert np.allclose(found["output"], small().features(stimuli(), ["output"])["output"])


def test_projected_rdm_is_near_that_of_the_whole_layer() -> None:
    whole = small(pooling="none").features(stimuli(), ["conv1"])["conv1"]
    projected = small(pooling="projection:400").features(stimuli(), ["conv1"])["conv1"]
    exact, near = (((a[:, None] - a[None]) ** 2).sum(2) for a in (whole, projected))
    upper = np.triu_indices(N, 1)
    assert np.abs(near[upper] / exact[upper] - 1).mean() < np.sqrt(2 / 400)


def test_features_that_memory_does_not_hold_are_files_and_move_into_the_store(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected = small(pooling="none").features(stimuli(), ["conv1", "conv2"])
    monkeypatch.setattr(rows, "IN_MEMORY", expected["conv1"].nbytes)
    folder = tmp_path / "cache" / "features"
    model = small(pooling="none")
    found = model.features(stimuli(), ["conv1", "conv2"])
    assert not isinstance(found["conv1"], np.memmap)
    assert isinstance(found["conv2"], np.memmap)
    assert np.array_equal(found["conv2"], expected["conv2"])
    inode = next(folder.glob(".*.tmp")).stat().st_ino
    FeatureStore(folder).put({"k": 1}, found)
    stored = FeatureStore(folder).get({"k": 1}, "conv2")
    assert stored is not None
    assert np.array_equal(stored, expected["conv2"])
    assert next(folder.rglob("conv2.*.npy")).stat().st_ino == inode, "moved, not copied"
    assert list(folder.glob(".*.tmp")) == []
    view = StoredView(model, stimuli(), FeatureStore(folder), {"k": 2})
    assert np.array_equal(view.features("conv2"), expected["conv2"])
    assert list(folder.glob(".*.tmp")) == []


def test_a_part_of_such_a_file_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "IN_MEMORY", 0)
    found = small(pooling="none").features(stimuli(), ["conv1"])["conv1"]
    store = FeatureStore(tmp_path / "cache" / "features")
    store.put({"k": 1}, {"part": found[:5]})
    stored = store.get({"k": 1}, "part")
    assert stored is not None
    assert np.array_equal(stored, found[:5])


def test_files_go_when_nobody_stores_them_and_after_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(rows, "IN_MEMORY", 0)
    model = small(pooling="none")
    found = model.features(stimuli(), ["conv1"])
    folder = tmp_path / "cache" / "features"
    assert list(folder.glob(".*.tmp"))
    del found
    assert list(folder.glob(".*.tmp")) == []
    model.network[2].weight.fill_(torch.nan)
    with pytest.raises(DataError, match="'conv2' gives NaN"):
        model.features(stimuli(), ["conv1", "conv2"])
    assert list(folder.glob(".*.tmp")) == []


def test_where_the_cache_cannot_be_written_to_files_have_no_name_and_are_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected = small(pooling="none").features(stimuli(), ["conv1", "conv2"])
    monkeypatch.setattr(rows, "IN_MEMORY", 0)
    (tmp_path / "file").touch()
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "file" / "cache"))
    other = tmp_path / "temporary"
    other.mkdir()
    monkeypatch.setattr(rows.tempfile, "tempdir", str(other))
    model = small(pooling="none")
    found = model.features(stimuli(), ["conv1", "conv2"])
    assert isinstance(found["conv1"], np.memmap)
    assert list(other.iterdir()) == [], "a process that is killed leaves nothing"
    store = FeatureStore(tmp_path / "file" / "cache" / "features")
    store.put({"k": 1}, found)
    del found
    for layer, array in expected.items():
        np.testing.assert_array_equal(store.get({"k": 1}, layer), array)
    monkeypatch.setattr(rows.tempfile, "tempdir", str(tmp_path / "file"))
    with pytest.raises(DataError, match=r"neither .* can be written to .* nor \$TMPDIR; name another"):
        model.features(stimuli(), ["conv1"])


def test_features_that_the_disk_does_not_hold_are_refused_after_one_batch(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(rows, "IN_MEMORY", 0)
    monkeypatch.setattr(rows.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 2**30 + 1000}))
    done: list[int] = []
    with pytest.raises(DataError, match=r"40 stimuli take 0.0 GiB, and .* has 1.0 GiB free; pool them"):
        small(pooling="none").features(stimuli(), ["conv1"], progress=lambda i, _: done.append(i))
    assert done == []
    assert list((tmp_path / "cache" / "features").glob(".*.tmp")) == []


def test_images_are_decoded_once_for_models_of_one_preprocessing(monkeypatch: pytest.MonkeyPatch) -> None:
    first = small().features(stimuli(), ["conv1"])["conv1"]
    Small.decoded = 0
    again = Small(ModelSpec("other", {}, untrained=1))
    other = again.features(stimuli(), ["conv1"])["conv1"]
    assert Small.decoded == 2, "the first and the last image, to see that they are the same"
    monkeypatch.setattr(images, "_caches", OrderedDict())
    assert np.array_equal(again.features(stimuli(), ["conv1"])["conv1"], other)
    assert np.array_equal(small().features(stimuli(), ["conv1"])["conv1"], first)
    Small.decoded = 0
    small().features(stimuli(manifest="other"), ["conv1"])
    assert Small.decoded == N


def test_images_are_not_shared_by_words_that_are_not_true(monkeypatch: pytest.MonkeyPatch) -> None:
    class Half(Small):
        """Says what :class:`Small` says."""

        scale = 2.0

        def preprocess(self, image: Image.Image) -> torch.Tensor:
            return super().preprocess(image) / self.scale

    first = Half(ModelSpec("a", {}, untrained=0)).features(stimuli(), ["conv1"])["conv1"]
    quarter = type("Quarter", (Half,), {"scale": 4.0})
    second = quarter(ModelSpec("b", {}, untrained=0)).features(stimuli(), ["conv1"])["conv1"]
    monkeypatch.setattr(images, "_caches", OrderedDict())
    alone = quarter(ModelSpec("b", {}, untrained=0)).features(stimuli(), ["conv1"])["conv1"]
    assert np.array_equal(second, alone)
    assert not np.allclose(first, second)


def test_an_image_with_more_values_than_a_byte_is_not_kept() -> None:
    kept = images.ImageCache()
    smooth = torch.rand(3, 32, 32)
    kept.put(0, smooth)
    assert kept.get(0) is None
    table = torch.linspace(-2.1, 2.6, 256)
    pixels = table[torch.randint(0, 256, (3, 32, 32))]
    other = images.ImageCache()
    other.put(5, pixels)
    assert torch.equal(other.get(5), pixels)
    assert other.bytes == pixels.numel()
    other.put(6, pixels, room=10)
    assert other.get(6) is None
    other.put(7, smooth)
    assert other.get(7) is None
    assert torch.equal(other.get(5), pixels)


def test_memory_of_images_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_BYTES", 10 * 16 * 16 * 3)
    for manifest in "abc":
        small().features(stimuli(manifest=manifest), ["conv1"])
    assert sum(cache.bytes for cache in images._caches.values()) <= images.MAX_BYTES
    Small.decoded = 0
    small().features(stimuli(manifest="c"), ["conv1"])
    assert Small.decoded < N + 2, "some images of the last set are still there"


def test_bfloat16_that_changes_an_rdm_is_refused_with_its_layer() -> None:
    class Fragile(Small):
        def build(self) -> nn.Module:
            net = super().build().requires_grad_(False)
            net[2].weight.mul_(1e-4)
            net[2].bias.fill_(100.0)
            return net

    with pytest.raises(BenchError, match=r"bfloat16 changes layer 'conv2': its RDM of the first 32 stimuli"):
        Fragile(ModelSpec("f", {"precision": "bfloat16"}, untrained=0)).features(stimuli(), ["conv2"])
    with pytest.raises(UsageError, match="unknown precision 'half'"):
        small(precision="half")


def test_bfloat16_passes_where_rdms_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = small(pooling="none").features(stimuli(), ["conv1"])["conv1"]
    found = small(pooling="none", precision="bfloat16").features(stimuli(), ["conv1"])["conv1"]
    assert found.dtype == np.float32
    assert not np.array_equal(found, exact)
    assert (
        np.corrcoef(np.corrcoef(found)[np.triu_indices(N, 1)], np.corrcoef(exact)[np.triu_indices(N, 1)])[
            0, 1
        ]
        > 0.9999
    )
    few = small(pooling="none", precision="bfloat16").features(stimuli(2), ["conv1"])["conv1"]
    assert np.allclose(few, exact[:2], atol=1e-6), "too few for an RDM: float32"


def test_estimate_says_time_memory_and_disk() -> None:
    model = small()
    cost = model.estimate(stimuli(), model.layers)
    assert cost.disk == N * (4 + 5 + 6) * 4
    assert 0 < cost.seconds < 60
    assert cost.memory is None or cost.memory > 2**20
    assert str(Cost(125.0, 3 * 2**29, 40 * 2**20)) == "about 2 min, 1.5 GiB memory, 40 MiB on disk"
    assert str(Cost(0.2, None, 10)) == "about 1 s, 1 MiB on disk"
    assert str(Cost(9000.0, None, 2**40)) == "about 2.5 h, 1,024.0 GiB on disk"
