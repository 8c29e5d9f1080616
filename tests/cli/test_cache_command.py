"""``bench cache`` and ``bench why``, on what a run left."""

from __future__ import annotations

import json
import os
import re
import shutil
import time

import pytest

PLUGIN = """
import numpy as np
from benchmark.model import Model

class Mine(Model):
    layers = ('a', 'b')
    preprocessing = 'mean colour'
    def features(self, stimuli, layers, **rest):
        x = [np.asarray(stimuli.image(i)).reshape(-1, 3).mean(0) for i in range(len(stimuli))]
        return {layer: np.array(x, np.float32) for layer in layers}
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A folder that a run fills once; every test has a copy."""
    return tmp_path_factory.mktemp("template") / "filled"


@pytest.fixture
def kept(bench, tmp_path, monkeypatch, template):
    """A cache of its own with the features of two models in it; gives its folder."""
    if not template.exists():
        template.mkdir()
        (template / "mine.py").write_text(PLUGIN)
        (template / "mine.yaml").write_text("models:\n  mine:\n    plugin: mine.py:Mine\n")
        monkeypatch.chdir(template)
        monkeypatch.setenv("BENCH_CACHE", str(template / "cache"))
        asked = ("-m", "mine,pixels", "-t", "people_rdm,area_early_rdm", "--device", "cpu")
        done = bench("run", "--registry", "mine.yaml", *asked)
        assert done.status == 0, done.out + done.err
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_row_for_each_model_and_stimulus_set(bench, kept):
    out = bench("cache", "ls").out
    assert re.search(r"features\s+mine\s+mini_images\s+2\s+4\s", out)
    assert re.search(r"features\s+pixels\s+mini_images\s+1\s+2\s", out)
    assert str(kept) in out


def test_what_is_removed_is_said_and_the_rest_stays(bench, kept):
    done = bench("cache", "rm", "--model", "mine", "--stimuli", "mini_images")
    assert done.status == 0
    assert "removed 2 features: mine on mini_images" in done.out
    assert "freed" in done.out
    out = bench("cache", "ls").out
    assert "pixels" in out
    assert "mine " not in out
    bench("cache", "rm", "--all")
    assert [p for p in kept.rglob("*") if p.is_file()] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "choose what to remove"),
        (["--model", "pixel"], "did you mean pixels"),
        (["--older-than", "soon"], "30d"),
    ],
)
def test_nothing_is_removed_by_mistake(bench, kept, arguments, said):
    before = sorted(kept.rglob("*"))
    done = bench("cache", "rm", *arguments)
    assert done.status == 2
    assert said in done.err
    assert sorted(kept.rglob("*")) == before


def test_only_what_is_old_is_removed(bench, kept):
    assert "freed 0 B" in bench("cache", "rm", "--older-than", "1h").out
    old = time.time() - 7200
    for meta in kept.rglob("*.meta.json"):
        os.utime(meta, (old, old))
    assert "removed 3 features" in bench("cache", "rm", "--older-than", "1h").out


def test_files_of_others_are_never_touched(bench, kept):
    (kept / "thesis.txt").write_text("years of work")
    bench("cache", "rm", "--all")
    assert (kept / "thesis.txt").exists()


def test_half_written_files_of_dead_processes_are_found_and_young_ones_left(bench, kept):
    folder = next(kept.rglob("*.meta.json")).parent
    dead, alive = folder / ".dead.tmp", folder / ".alive.tmp"
    for path in (dead, alive):
        path.write_bytes(b"x" * 100)
    os.utime(dead, (time.time() - 2 * 86400,) * 2)
    assert "abandoned" in bench("cache", "ls").out
    assert "removed 1 abandoned" in bench("cache", "rm", "--leftovers").out
    assert not dead.exists()
    assert alive.exists()


def test_damage_is_named_put_aside_and_status_1(bench, kept):
    assert bench("cache", "verify").status == 0
    array = next(path for path in kept.rglob("*.npy") if '"mine"' in meta_of(path))
    array.write_bytes(array.read_bytes()[:-4] + b"\0\1\2\3")
    done = bench("cache", "verify")
    assert done.status == 1
    assert re.search(r"damaged: mine, mini_images, layer [ab]", done.out)
    assert array.with_name(array.name + ".damaged").exists()
    assert bench("cache", "verify").status == 0
    assert "removed 2 aside" in bench("cache", "rm", "--leftovers").out


def test_exchanged_folders_are_found(bench, kept):
    mine, pixels = (
        next(m.parent for m in kept.rglob("*.meta.json") if f'"{name}"' in m.read_text())
        for name in ("mine", "pixels")
    )
    between = kept / "between"
    for old, new in ((mine, between), (pixels, mine), (between, pixels)):
        old.rename(new)
    done = bench("cache", "verify")
    assert done.status == 1
    assert "damaged: mine, mini_images, layer a" in done.out
    assert "damaged: pixels, mini_images" in done.out
    assert bench("cache", "verify").status == 0


def test_a_truncated_meta_file_is_found(bench, kept):
    meta = next(kept.rglob("*.meta.json"))
    meta.write_bytes(meta.read_bytes()[:40])
    done = bench("cache", "verify")
    assert done.status == 1
    assert f"{meta}.damaged" in done.out


def test_an_edited_result_is_said_and_computed_again(bench, kept, tmp_path, caplog):
    asked = ("run", "--registry", "mine.yaml", "-m", "mine", "-t", "people_rdm", "--device", "cpu")
    path = tmp_path / "results" / "mini" / "people_rdm" / "mine.json"
    score = json.loads(path.read_text())["score"]
    path.write_text(json.dumps({**json.loads(path.read_text()), "score": 0.99}))
    done = bench(*asked)
    assert done.status == 0
    assert "differs from its checksum" in caplog.text
    assert "mine.json.damaged" in caplog.text
    assert json.loads(path.read_text())["score"] == score


def meta_of(array) -> str:
    return "".join(p.read_text() for p in array.parent.glob("*.meta.json"))


def test_features_that_were_removed_are_made_again(bench, kept, tmp_path):
    bench("cache", "rm", "--all")
    done = bench("run", "--registry", "mine.yaml", "-m", "mine", "-t", "people_rdm", "--seed", "1")
    assert done.status == 0
    assert "mine" in bench("cache", "ls").out


def why(bench, *more):
    return bench("why", "mine", "people_rdm", "--registry", "mine.yaml", *more)


def test_a_current_result(bench, kept):
    done = why(bench)
    assert done.status == 0
    assert "mine, people_rdm: current (scored 20" in done.out


def test_what_was_never_scored(bench, kept):
    done = bench("why", "mine", "all", "--registry", "mine.yaml")
    assert done.status == 1
    assert "words_two_vs_two: never scored" in done.out
    assert "area_early_rdm: current" in done.out


def test_a_changed_seed_compares_again(bench, kept):
    done = why(bench, "--seed", "5")
    assert done.status == 1
    assert re.search(r"seed\s+0 -> 5", done.out)
    assert "compares again" in done.out


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("'mean colour'", "'other words'", r"preprocessing\s+mean colour -> other words"),
        ("mean(0)", "max(0)", r"code of the plug-in\s+[0-9a-f]{12}… -> [0-9a-f]{12}…"),
    ],
)
def test_a_changed_plugin_is_told_part_by_part(bench, kept, tmp_path, old, new, said):
    text = (tmp_path / "mine.py").read_text()
    assert old in text
    (tmp_path / "mine.py").write_text(text.replace(old, new))
    done = why(bench)
    assert done.status == 1
    assert re.search(said, done.out)
    assert "extracted again" in done.out


def test_a_changed_entry_is_told_key_by_key(bench, kept, tmp_path):
    (tmp_path / "mine.yaml").write_text(
        "models:\n  mine:\n    plugin: mine.py:Mine\n    params: {pooling: max}\n"
    )
    done = why(bench)
    assert re.search(r"pooling\s+\(none\) -> max", done.out)


def test_a_cell_that_is_not_possible_says_why(bench, kept, tmp_path):
    (tmp_path / "mine.yaml").write_text("models:\n  mine:\n    plugin: gone.py:Mine\n")
    done = why(bench)
    assert done.status == 1
    assert "not possible" in done.out
    assert "gone.py" in done.out
