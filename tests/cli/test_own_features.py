"""A user's own features, from the file to a score: where files are looked for, parts, and other ids."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import yaml

from benchmark.datasets.mini.concepts import CONCEPTS

IDS = [concept.id for concept in CONCEPTS]
VALUES = np.random.default_rng(0).normal(size=(48, 12))


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table(ids: list[str], values: np.ndarray) -> str:
    return "\n".join(",".join([name, *map(str, row)]) for name, row in zip(ids, values, strict=True))


def run(bench, *more: object):
    return bench("run", "--registry", "own/mine.yaml", "--model", "f", *(more or ("--task", "people_rdm")),
                 "--format", "json", "--output", "results")  # fmt: skip


def test_ids_beside_the_registry_file_are_found_from_any_folder(bench, here):
    (here / "own" / "ids").mkdir(parents=True)
    np.save(here / "own" / "f.npy", VALUES)
    (here / "own" / "ids" / "list.txt").write_text("\n".join(IDS))
    added = bench("add", "features:own/f.npy", "--ids", "own/ids/list.txt", "--registry", "own/mine.yaml")
    assert added.status == 0, added.err
    entry = yaml.safe_load((here / "own" / "mine.yaml").read_text())["models"]["f"]
    assert entry["params"] == {"ids": "ids/list.txt"}
    assert entry["checkpoint"]["file"] == "f.npy"
    cell = run(bench).cells[0]
    assert (cell["status"], cell["n"]) == ("scored", 48), cell
    (here / "own" / "ids" / "list.txt").unlink()
    reason = run(bench).cells[0]["reason"]
    assert str(here / "own" / "ids" / "list.txt") in reason


def test_a_path_that_leaves_the_folder_is_refused(bench, here):
    (here / "own").mkdir()
    (here / "own" / "mine.yaml").write_text(
        "models:\n  f:\n    plugin: models/features.py:Features\n    params: {ids: ../ids.txt}\n"
    )
    done = run(bench)
    assert done.status == 2
    assert "mine.yaml:4: models.f.params: '../ids.txt' leaves its folder" in done.err


def test_a_target_beside_the_registry_file_is_found_from_any_folder(bench, here):
    (here / "own").mkdir()
    (here / "own" / "f.csv").write_text(table(IDS, VALUES))
    upper = np.abs(VALUES @ VALUES.T)
    rdm = upper.max() - upper
    np.fill_diagonal(rdm, 0)
    np.savez(here / "own" / "people.npz", rdms=rdm[None], ids=np.array(IDS))
    assert bench("add", "features:own/f.csv", "--registry", "own/mine.yaml").status == 0
    (here / "own" / "reader.py").write_text(
        "import numpy as np\nfrom benchmark.datasets import RDMTarget, hash_files\n"
        "from benchmark.datasets.readers.files import locate\n"
        "def people(root, *, name, path):\n    file = locate(root, name, path)\n    d = np.load(file)\n"
        "    return RDMTarget(name=name, ids=tuple(d['ids']), hash=hash_files([file]), rdms=d['rdms'],\n"
        "                     subjects=('mean',))\n"
    )
    with (here / "own" / "mine.yaml").open("a") as file:
        file.write(
            "datasets:\n  people:\n    kind: target\n    plugin: reader.py:people\n"
            "    params: {path: people.npz}\nsuites:\n  ours:\n    bindings:\n"
            "      judged: {task: rdm_correlation, stimuli: mini_images, target: people}\n"
        )
    cell = run(bench, "--suite", "ours", "--task", "all").cells[0]
    assert cell["status"] == "scored", cell["reason"]


def test_features_of_a_part_are_scored_on_what_is_there_and_marked(bench, here):
    (here / "own").mkdir()
    (here / "own" / "f.csv").write_text(table(IDS[:40], VALUES[:40]))
    assert bench("add", "features:own/f.csv", "--registry", "own/mine.yaml").status == 0
    cell = run(bench).cells[0]
    assert (cell["status"], cell["n"]) == ("scored", 40), cell
    assert json.loads((here / cell["result_file"]).read_text())["counts"]["uncovered"] == 8


def test_features_that_were_extracted_again_replace_the_entry(bench, here):
    (here / "own").mkdir()
    (here / "own" / "f.csv").write_text(table(IDS, VALUES))
    add = ("add", "features:own/f.csv", "--registry", "own/mine.yaml")
    assert bench(*add).status == 0
    file = here / "own" / "mine.yaml"
    file.write_text(
        file.read_text().replace("licence: 'unknown: fill in'", "licence: mine  # said so") + "suites: {}\n"
    )
    before = yaml.safe_load(file.read_text())["models"]["f"]
    first = run(bench).cells[0]["score"]
    (here / "own" / "f.csv").write_text(table(IDS, VALUES[::-1]))
    assert "not the file that was registered" in run(bench).cells[0]["reason"]
    refused = bench(*add)
    assert refused.status == 2
    assert "with --replace" in refused.err
    assert bench(*add, "--replace").status == 0
    after = yaml.safe_load(file.read_text())
    assert after["models"]["f"].pop("checkpoint") != before.pop("checkpoint")
    assert after == {"models": {"f": before}, "suites": {}}
    assert run(bench).cells[0]["score"] != first


def test_ids_of_a_file_that_is_replaced_do_not_stay(bench, here):
    np.save(here / "f.npy", np.array(VALUES, dtype=np.float32))
    (here / "ids.txt").write_text("\n".join(IDS))
    assert bench("add", "features:f.npy", "--ids", "ids.txt").status == 0
    (here / "f.csv").write_text(table(IDS, VALUES))
    assert bench("add", "features:f.csv", "--replace").status == 0
    assert "params" not in yaml.safe_load((here / "mine.yaml").read_text())["models"]["f"]


def test_only_an_entry_of_ones_own_is_replaced(bench, here):
    (here / "pixels.csv").write_text(table(IDS, VALUES))
    done = bench("add", "features:pixels.csv", "--replace")
    assert done.status == 2
    assert "has no entry pixels" in done.err
    assert not (here / "mine.yaml").exists()


def test_ids_of_another_suite_are_said_once_with_the_command(bench, here):
    (here / "own").mkdir()
    (here / "own" / "f.csv").write_text(table(IDS, VALUES))
    assert bench("add", "features:own/f.csv", "--registry", "own/mine.yaml").status == 0
    with (here / "own" / "mine.yaml").open("a") as file:
        file.write(
            "datasets:\n  strange:\n    kind: stimuli\n    plugin: reader.py:strange\n"
            "suites:\n  ours:\n    bindings:\n"
            "      one: {task: rdm_correlation, stimuli: strange, target: mini_people}\n"
            "      two: {task: rdm_correlation, stimuli: strange, target: mini_area_early}\n"
        )
    (here / "own" / "reader.py").write_text(
        "from benchmark.datasets import Stimuli\n"
        "def strange(root, *, name):\n    return Stimuli(name, ('x1', 'x2'), ('x', 'y'), 'm')\n"
    )
    done = bench("run", "--registry", "own/mine.yaml", "--suite", "ours", "--model", "f", "--task", "all")
    assert done.status == 1
    assert done.out.count("not possible") == 1, done.out
    assert re.search(r"f, one, two \(2 cells\): not possible: .*--suite mini --task \w+", done.out)


def test_what_ids_look_like(bench):
    done = bench("list", "ids", "mini_images")
    assert done.status == 0
    assert "1152 stimuli, 48 concepts" in done.out
    assert IDS[0] in done.out
    assert "... and 1142 more" in done.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ids",), "name a stimulus set: mini_images"),
        (("ids", "mini_image"), "did you mean mini_images"),
        (("models", "pixels"), "bench info pixels"),
    ],
)
def test_what_cannot_be_listed(bench, arguments, said):
    done = bench("list", *arguments)
    assert done.status == 2
    assert said in done.err
