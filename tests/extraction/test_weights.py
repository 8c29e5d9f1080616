"""Checkpoints: strict, never running code, and named when they do not fit."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from benchmark.common.errors import BenchError, NotPossible
from benchmark.extraction import fetching, load_strictly, read_state_dict


class Evil:
    """Unpickling it makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_half_precision_safetensors_load_as_float32(tmp_path: Path) -> None:
    source, target = nn.Linear(3, 2), nn.Linear(3, 2)
    save_file({k: v.half() for k, v in source.state_dict().items()}, tmp_path / "w.safetensors")
    load_strictly(target, read_state_dict(tmp_path / "w.safetensors"), "w")
    assert target.weight.dtype == torch.float32
    assert torch.equal(target.weight, source.weight.half().float())


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"state_dict": s, "epoch": 3}])
def test_torch_checkpoints_are_read(tmp_path: Path, wrap: object) -> None:
    state = nn.Linear(3, 2).state_dict()
    torch.save(wrap(state), tmp_path / "w.pth")  # type: ignore[operator]
    found = read_state_dict(tmp_path / "w.pth")
    assert sorted(found) == ["bias", "weight"]
    assert torch.equal(found["weight"], state["weight"])


def test_pickle_that_would_run_code_is_refused_and_not_run(tmp_path: Path) -> None:
    torch.save({"weight": Evil(tmp_path / "made")}, tmp_path / "evil.pth")
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps(Evil(tmp_path / "made"), protocol=2))
    for name in ("evil.pth", "plain.pkl"):
        with pytest.raises(BenchError, match=rf"{name}: refused.*run code"):
            read_state_dict(tmp_path / name)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
@pytest.mark.parametrize("content", [b"", b"<html>not found</html>"])
def test_file_that_is_no_checkpoint_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BenchError, match=rf"{name}: .*not a") as caught:
        read_state_dict(tmp_path / name)
    assert "refused" not in str(caught.value)


NOT_STATES = {
    "text": "hello",
    "list": [torch.zeros(2)],
    "number": 3,
    "tensor": torch.zeros(2),
    "text in place of a tensor": {"weight": torch.zeros(2, 3), "note": "mine"},
    "numbers as names": {0: torch.zeros(2)},
    "a state dict that is a list": {"state_dict": [torch.zeros(2)]},
}


@pytest.mark.parametrize("kind", NOT_STATES)
def test_a_checkpoint_that_is_no_state_dict_is_named_in_one_line(tmp_path: Path, kind: str) -> None:
    torch.save(NOT_STATES[kind], tmp_path / "w.pt")
    with pytest.raises(BenchError, match=r"w\.pt: holds no state dict .*, but a ") as caught:
        read_state_dict(tmp_path / "w.pt")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "hello", "cos(x)\n", "0,1,2\n3,4,5\n", "{}", "\x80\x02]q\x00.", "I1\n."]
)
def test_text_in_a_pt_file_is_named_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "w.pt").write_bytes(text.encode("latin-1"))
    with pytest.raises(BenchError, match=r"w\.pt: ") as caught:
        read_state_dict(tmp_path / "w.pt")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["hello", "list"])
def test_a_run_names_the_file_that_is_no_checkpoint(bench: Any, tmp_path: Path, kind: str) -> None:
    if kind in NOT_STATES:
        torch.save(NOT_STATES[kind], tmp_path / "w.pt")
    else:
        (tmp_path / "w.pt").write_text(kind)
    own = tmp_path / "own.yaml"
    own.write_text(
        "models:\n  mine:\n    plugin: models/torchvision_models.py:Torchvision\n"
        "    params: {architecture: squeezenet1_1, preprocessing: IMAGENET1K_V1}\n"
        "    checkpoint: {file: w.pt}\n"
    )
    asked = ("--registry", own, "--output", tmp_path / "results", "--format", "json")
    ran = bench("run", "--model", "mine", "--task", "people_rdm", *asked)
    assert ran.status == 1
    assert ran.cells[0]["reason"].startswith(f"{tmp_path / 'w.pt'}: ")
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("text", ["hello", "cos(x)\n"])
def test_a_file_of_text_where_a_library_keeps_its_weights_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "w.pth"
    file.write_text(text)
    with (
        pytest.raises(BenchError, match=r"w\.pth: ") as caught,
        fetching(file, "https://example.org/w.pth"),
    ):
        torch.load(file, weights_only=True)
    assert not isinstance(caught.value, NotPossible), "it is there, so it need not be downloaded"


def test_checkpoint_without_tensors_is_named(tmp_path: Path) -> None:
    torch.save({"epoch": 3}, tmp_path / "w.pth")
    with pytest.raises(BenchError, match="no state dict"):
        read_state_dict(tmp_path / "w.pth")


def test_keys_that_do_not_match_are_named() -> None:
    net = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2))
    state = net.state_dict()
    state["stray"] = state.pop("1.bias")
    state["0.weight"] = torch.zeros(2, 4)
    before = net[1].weight.clone()
    with pytest.raises(BenchError) as caught:
        load_strictly(net, state, "file.pth")
    message = str(caught.value)
    assert "file.pth" in message
    assert "missing: 1.bias" in message
    assert "left over: stray" in message
    assert "0.weight (2, 4) instead of (2, 3)" in message
    assert torch.equal(net[1].weight, before)


def test_long_lists_of_keys_are_cut() -> None:
    with pytest.raises(BenchError, match=r"and 5 more"):
        load_strictly(nn.Sequential(*(nn.Linear(2, 2) for _ in range(4))), {}, "x")


@pytest.mark.parametrize(
    ("raised", "becomes", "says"),
    [
        (OSError("no route"), NotPossible, "looked for .*w.pth"),
        (RuntimeError("Error(s) in loading state_dict: missing fc.bias"), BenchError, "missing fc.bias"),
        (pickle.UnpicklingError("unsupported GLOBAL posix.system"), BenchError, "refused"),
        (BenchError("as it was"), BenchError, "as it was"),
    ],
)
def test_what_a_library_raises_becomes_an_error_to_act_on(
    tmp_path: Path, raised: Exception, becomes: type[Exception], says: str
) -> None:
    with pytest.raises(becomes, match=says), fetching(tmp_path / "w.pth", "https://example.org/w.pth"):
        raise raised
