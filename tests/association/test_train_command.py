"""``bench train swow_assoc`` end to end: from folders of drawings and made-up norms to a scored network."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from benchmark.association.recommended import NORMS, recommended_plan
from benchmark.common.errors import NotPossible
from benchmark.registry import load_registry

ROOT = Path(__file__).parents[2]
HOSTILE = "sky/<b>*\x1b\n# x.png"
FAST = [
    "--from",
    "tiny",
    "--epochs",
    3,
    "--warmup-epochs",
    2,
    "--rate",
    0.003,
    "--batch",
    16,
    "--held-out",
    0.3,
]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "swow_assoc.safetensors")


@pytest.fixture
def photos(world, tmp_path: Path) -> Path:
    """The drawings, in a folder that a test may spoil."""
    return Path(shutil.copytree(world.images, tmp_path / "photos"))


def test_from_folders_and_norms_to_a_scored_network(bench, world, tmp_path: Path) -> None:
    output = tmp_path / "run"
    # a score over one held-out cue would have no interval
    two_cues = ("--held-out", 0.5)
    done = bench(
        "train", "swow_assoc", *world.options, *FAST, *two_cues, "--name", "mine", "--output", output
    )
    assert done.status == 0, done.err
    assert "0 images could not be decoded" in done.out
    registry = output / "registry.yaml"
    assert f"bench associate --registry {registry} --suite mine --model mine PHOTO" in done.out
    # no bar is shown where the output is a file: lines say how far it is
    assert any(line.startswith("images: ") for line in done.err.splitlines())
    assert {file.name for file in output.iterdir()} == {
        "swow_assoc.safetensors", "card.md", "registry.yaml", "manifest.csv", "metrics.csv", "state.pt",
    }  # fmt: skip
    card = (output / "card.md").read_text()
    assert "bench train swow_assoc" in card
    assert "held-out cues" in card
    scored = bench(
        "run", "--registry", output / "registry.yaml", "--suite", "mine", "--model", "mine", "--task", "all",
        "--format", "json", "--output", tmp_path / "results", "--device", "cpu",
    )  # fmt: skip
    assert scored.status == 0, scored.out + scored.err
    cells = {cell["binding"]: cell for cell in scored.cells}
    assert set(cells) == {"held_out_images", "held_out_classes"}
    for cell in cells.values():
        assert cell["status"] == "scored"
        assert cell["trained_on"]
        assert "associations" in cell["layers"]
    held = yaml.safe_load((output / "registry.yaml").read_text())["datasets"]["mine_images"]
    rows = Path(held["params"]["path"]).read_text().splitlines()[1:]
    cues = {row.split(",")[4] for row in rows if row.endswith("True")}
    assert cells["held_out_classes"]["n"] == len(cues)


def test_corrupt_images_are_skipped_counted_and_named(bench, world, photos: Path, tmp_path: Path) -> None:
    for name, content in (
        ("sky/00.png", b""),
        ("sky/01.png", b"no image"),
        ("coal/03.png", b"\x89PNG\r\n"),
        (HOSTILE, b""),
    ):
        (photos / name).write_bytes(content)
    options = ["--images", photos, *world.options[2:], *FAST, "--held-out", 0, "--test", 0]
    done = bench("train", "swow_assoc", *options, "--output", tmp_path / "run")
    assert done.status == 0, done.err
    assert "4 images could not be decoded" in done.out
    for name in ("sky/00", "sky/01", "coal/03"):
        assert name in done.err
        assert name in (tmp_path / "run" / "card.md").read_text()
    card = (tmp_path / "run" / "card.md").read_text()
    assert r"sky/\<b\>\*\\x1b\\n" in card
    assert not [character for character in card if character != "\n" and not character.isprintable()]
    assert (tmp_path / "run" / "manifest.csv").read_text().count(",unreadable,") == 4


def test_classes_without_images_or_cues_are_left_out(bench, world, photos: Path, tmp_path: Path) -> None:
    (photos / "empty").mkdir()
    (photos / "sky").rename(photos / "qwertyuiop")
    options = ["--images", photos, *world.options[2:], *FAST, "--held-out", 0]
    done = bench("train", "swow_assoc", *options, "--output", tmp_path / "run")
    assert done.status == 0, done.err
    assert "1 classes have no cue" in done.out
    assert "5 cues" in done.out


def test_a_checkpoint_of_another_vocabulary_is_refused(bench, world, tmp_path: Path) -> None:
    first = tmp_path / "first"
    assert bench("train", "swow_assoc", *world.options, *FAST, "--output", first).status == 0
    lines = world.norms.read_text().replace("ketchup", "sauce")
    (tmp_path / "other.tsv").write_text(lines)
    file = first / "swow_assoc.safetensors"
    options = [
        *world.options[:2],
        "--norms",
        tmp_path / "other.tsv",
        *world.options[4:],
        *FAST[2:],
        "--from",
        file,
    ]
    refused = bench("train", "swow_assoc", *options, "--output", tmp_path / "second")
    assert refused.status == 2
    assert "another vocabulary" in refused.err
    assert sum(line.startswith("error: ") for line in refused.err.splitlines()) == 1
    again = [*world.options, *FAST[2:], "--from", file, "--output", tmp_path / "third"]
    assert bench("train", "swow_assoc", *again).status == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--from", "mobilnetv2"], "did you mean|nearest|no model"),
        (["--from", "timmm:resnet18"], "unknown library"),
        (["--from", "timm:resnet17@untrained:0"], "resnet18"),
        (["--from", "nothing.safetensors"], "no such file"),
        (["--from", "pixels"], "not a network"),
        (["--images", "nowhere"], "nowhere"),
        (["--norms", "nowhere.csv"], "nowhere.csv"),
        (["--set-apart", "sky/99"], "sky/99"),
    ],
)
def test_what_cannot_be_used_is_one_line(bench, world, tmp_path: Path, options: list[str], says: str) -> None:
    arguments = [*world.options, *FAST, *options, "--output", tmp_path / "run"]
    if options[0] in ("--images", "--norms"):
        at = arguments.index(options[0])
        del arguments[at : at + 2]
    found = bench("train", "swow_assoc", *arguments)
    assert found.status == 2, found.out
    assert found.err.count("\n") == 1
    assert any(part in found.err for part in says.split("|")), found.err


def test_a_file_without_metadata_is_of_the_taskonomy_encoder(bench, tmp_path: Path) -> None:
    save_file(
        {"head.bias": torch.zeros(2)}, tmp_path / "w.safetensors", {"vocabulary": json.dumps(["a", "b"])}
    )
    registry = {
        "models": {
            "mine": {
                "plugin": "models/swow_assoc.py:SwowAssociation",
                "checkpoint": {"file": "w.safetensors"},
            }
        }
    }
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(registry))
    found = bench(
        "run", "--registry", tmp_path / "mine.yaml", "--model", "mine", "--task", "association_images",
        "--output", tmp_path / "results",
    )  # fmt: skip
    assert found.status == 1
    assert "encoder.conv1.weight" in found.out + found.err


@pytest.mark.slow
def test_a_run_killed_at_any_moment_ends_with_the_same_weights(world, tmp_path: Path) -> None:
    settings = [*FAST[2:], "--from", "tiny", "--epochs", 40, "--patience", 40]

    def start(output: Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "benchmark", "train", "swow_assoc", *world.options, *settings]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen([*map(str, command), "--output", str(output)], cwd=ROOT, **quiet)

    assert start(tmp_path / "whole").wait() == 0
    moments = random.Random(0)
    killed = 0
    for _ in range(3):
        process = start(tmp_path / "killed")
        while not (tmp_path / "killed" / "state.pt").exists() and process.poll() is None:
            time.sleep(0.05)
        time.sleep(moments.uniform(0, 1.5))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
        process.wait()
    assert start(tmp_path / "killed").wait() == 0
    assert killed > 0
    one, two = weights(tmp_path / "whole"), weights(tmp_path / "killed")
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert not [file for file in (tmp_path / "killed").iterdir() if file.suffix == ".tmp"] or killed


@pytest.mark.slow
def test_two_processes_train_as_one(world, tmp_path: Path) -> None:
    # no dropout, and statistics that are fixed since it starts from a checkpoint: both are drawn by process
    base = ["--from", "plain", "--epochs", 1, "--warmup-epochs", 2]
    settings = ["--from", tmp_path / "base" / "swow_assoc.safetensors", "--epochs", 2, "--rate", 0.003]
    alone = [sys.executable, "-m", "benchmark"]
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2"]
    launch += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no", "-m", "benchmark"]
    for command, options, output in (
        (alone, base, "base"),
        (alone, settings, "one"),
        (launch, settings, "two"),
        (alone, [*settings, "--accumulate", 3], "parts"),
        (alone, [*settings, "--seed", 1], "other"),
    ):
        arguments = ["train", "swow_assoc", *world.options, *options, "--batch", 16, "--patience", 9]
        line = [*map(str, command), *map(str, arguments), "--output", str(tmp_path / output)]
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    found = {name: weights(tmp_path / name) for name in ("base", "one", "two", "parts", "other")}

    def moved(a: str, b: str) -> float:
        return max(float((found[a][key] - found[b][key]).abs().max()) for key in found[a])

    assert moved("base", "one") > 1e-3
    assert moved("one", "other") > 1e-3
    assert moved("one", "two") < 1e-5
    assert moved("one", "parts") < 1e-5


def test_a_share_that_rounds_to_no_image_is_said(bench, world, tmp_path: Path) -> None:
    command = (
        "train",
        "swow_assoc",
        *world.options,
        *FAST,
        "--validation",
        "0.001",
        "--output",
        tmp_path / "run",
    )
    done = bench(*command)
    assert done.status == 0, done.err
    assert "--validation 0.001 of the images of a cue rounds down to none" in done.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--images, --norms and --output are needed; or --recommended"),
        (
            ["--recommended", "--norms", "norms.csv"],
            "--recommended takes images, norms and folder from --data",
        ),
        (["--recommended"], "has none of imagenet-sample/images"),
    ],
)
def test_what_to_train_must_be_said(bench, tmp_path: Path, options: list[str], said: str) -> None:
    done = bench("train", "swow_assoc", *options, "--data", tmp_path)
    assert done.status == 2
    assert said in done.err


def test_the_recommended_training_is_found_by_the_suite(tmp_path: Path) -> None:
    for folder in ("imagenet-sample/images", "caltech101-15", "swow-en"):
        (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(NotPossible, match="Small World of Words"):
        recommended_plan(tmp_path)
    (tmp_path / NORMS).write_text("")
    plan = recommended_plan(tmp_path, seed=3)
    assert plan.images == (tmp_path / "imagenet-sample/images", tmp_path / "caltech101-15")
    assert plan.recipe.seed == 3
    entry = load_registry().model("swow_assoc", "human").entry
    assert tmp_path / entry.checkpoint.file == plan.output / "swow_assoc.safetensors"
