"""Models that cannot be believed: each is refused by one line that says why, and the others still run."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

PLUGIN = """
import numpy as np
import torch
from torch import nn

from benchmark.extraction import NetworkModel, load_strictly, read_state_dict


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 7, stride=4)
        self.idle = nn.Linear(3, 3)

    def forward(self, x):
        return self.conv(x).relu().mean((2, 3))


class Mine(NetworkModel):
    preprocessing = "pixels, 0 to 1"

    def preprocess(self, image):
        return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).float() / 255

    def build(self):
        network = Net()
        load_strictly(network, read_state_dict(self.spec.weights), self.spec.weights)
        return network

    def modules(self):
        return {"conv": "conv"}


class Idle(Mine):
    def modules(self):
        return {"conv": "conv", "idle": "idle"}
"""

RAISES = """
def helper():
    return {}["cheese"]


helper()
"""


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    network = {"conv.weight": torch.randn(8, 3, 7, 7), "conv.bias": torch.randn(8)}
    return {**network, "idle.weight": torch.zeros(3, 3), "idle.bias": torch.zeros(3)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "nets.py").write_text(PLUGIN)
    (tmp_path / "raises.py").write_text(RAISES)
    good = weights()
    save_file(good, tmp_path / "good.safetensors")
    renamed = {("conv.wieght" if key == "conv.weight" else key): value for key, value in good.items()}
    save_file(renamed, tmp_path / "keys.safetensors")
    save_file({**good, "conv.bias": torch.full((8,), torch.nan)}, tmp_path / "nan.safetensors")
    torch.save({"state_dict": good, "hook": Evil(tmp_path / "made")}, tmp_path / "evil.pt")
    torch.save({"state_dict": good, "loss": np.float64(0.5)}, tmp_path / "numbers.pt")
    return tmp_path


BAD = {
    "keys": (
        "Mine, keys.safetensors",
        r"keys\.safetensors: the weights do not fit Net; keys missing: conv\.weight; left over: conv\.wieght",
    ),
    "checksum": (
        "Mine, good.safetensors, " + "0" * 64,
        r"good\.safetensors have sha256 [0-9a-f]{64}, the registry says 0{64}: .*correct the sha256",
    ),
    "evil": (
        "Mine, evil.pt",
        r"evil\.pt: refused, because .* run code .*mkdir.*checkpoint: \{file: \.\.\.\}",
    ),
    "numbers": ("Mine, numbers.pt", r"numbers\.pt: refused, because .*numpy.*save its state_dict alone"),
    "idle": ("Idle, good.safetensors", r"layer 'idle' is never called in the forward pass; name another"),
    "nan": ("Mine, nan.safetensors", r"layer 'conv' gives NaN or infinite features, first for stimulus '.+'"),
    "raises": ("raises", r"plug-in raises\.py:Any fails at import: KeyError: 'cheese' \(.*raises\.py:3\)"),
}


def entry(name: str, how: str) -> str:
    kind, _, rest = how.partition(", ")
    if kind == "raises":
        return f"  {name}: {{plugin: 'raises.py:Any', description: d}}\n"
    file, _, digest = rest.partition(", ")
    checkpoint = f"{{file: {file}, sha256: '{digest}'}}" if digest else f"{{file: {file}}}"
    return f"  {name}: {{plugin: 'nets.py:{kind}', description: d, checkpoint: {checkpoint}}}\n"


def test_each_is_refused_by_one_line_and_the_others_run(bench: Callable, folder: Path) -> None:
    registry = folder / "registry.yaml"
    entries = {**{name: how for name, (how, _) in BAD.items()}, "good": "Mine, good.safetensors"}
    registry.write_text("models:\n" + "".join(entry(name, how) for name, how in entries.items()))
    done = bench(
        *("run", "--model", ",".join(entries), "--task", "people_rdm", "--registry", registry),
        *("--output", folder / "results", "--format", "json"),
    )
    cells = {cell["model"]: cell for cell in done.cells}
    assert done.status == 1
    assert cells.pop("good")["status"] == "scored"
    assert set(cells) == set(BAD)
    for name, cell in cells.items():
        assert cell["status"] == "not_possible"
        assert re.search(BAD[name][1], cell["reason"]), f"{name}: {cell['reason']}"
        assert "\n" not in cell["reason"]
    assert not (folder / "made").exists()
    assert (folder / "good.safetensors").is_file()
    assert [path.stem for path in (folder / "results").rglob("*.json")] == ["good"]


def test_two_plug_ins_of_one_name_run_nothing_and_both_places_are_named(
    bench: Callable, folder: Path
) -> None:
    first, second = folder / "first.yaml", folder / "second.yaml"
    for registry in (first, second):
        registry.write_text("models:\n" + entry("mine", "Mine, good.safetensors"))
    done = bench("run", "-m", "mine", "-t", "people_rdm", "--registry", first, "--registry", second)
    assert done.status == 2
    assert f"{second}:2: models.mine: this name is taken: it is already at {first}:2" in done.err
    assert done.err.count("\n") == 1
