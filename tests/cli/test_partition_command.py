"""``bench partition`` end to end."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from benchmark.api import partition
from benchmark.common.errors import UsageError

PLUGIN = """
import numpy as np
from benchmark.model import Model

class Mine(Model):
    layers = ("early", "flat", "output")
    def features(self, stimuli, layers, *, device="cpu", progress=None):
        rng = np.random.default_rng(self.spec.params["seed"])
        made = {layer: rng.normal(size=(len(stimuli), 4)).astype(np.float32) for layer in self.layers}
        made["flat"][:] = 1
        return {layer: made[layer] * self.spec.params.get("scale", 1) for layer in layers}

class Few(Mine):
    def covered(self, stimuli):
        return frozenset(stimuli.concept_ids[: self.spec.params["covers"]])

class Flat(Mine):
    layers = ("flat",)
"""
REGISTRY = """
models:
  first: {plugin: mine.py:Mine, params: {seed: 1}}
  copy: {plugin: mine.py:Mine, params: {seed: 1, scale: 2}}
  second: {plugin: mine.py:Mine, params: {seed: 2}}
  few: {plugin: mine.py:Few, params: {seed: 3, covers: 30}}
  fewer: {plugin: mine.py:Few, params: {seed: 3, covers: 4}}
  blank: {plugin: mine.py:Mine, params: {seed: 5}, checkpoint: {untrained: 0}}
  flat: {plugin: mine.py:Flat, params: {seed: 3}}
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(PLUGIN)
    (tmp_path / "mine.yaml").write_text(REGISTRY)
    return tmp_path


def asked(bench, models, *more, target="area_early_rdm"):
    return bench("partition", "--registry", "mine.yaml", "-m", models, "--target", target, *more)


def said(done) -> dict:
    assert done.status == 0, done.err
    return json.loads(done.out)


def test_the_parts_sum_to_the_total_in_every_form(bench, own):
    command = ("first,pixels,second", "--layers", "output")
    found = said(asked(bench, *command, "--format", "json"))
    rows = found["parts"]
    assert [row["part"] for row in rows] == ["alone"] * 3 + ["unique"] * 3 + ["shared"] * 4 + ["total"]
    parts = [row["variance"] for row in rows if row["part"] in ("unique", "shared")]
    assert sum(parts) == pytest.approx(rows[-1]["variance"])
    assert rows[4]["models"] == "pixels"
    assert rows[4]["ci_low"] > 0.05
    assert rows[4]["p"] < 0.01
    assert rows[4]["ceiling_low"] < rows[4]["ceiling_high"]
    assert {"target_hash", "recipe", "binding", "seed", "packages"} <= set(found)
    printed = list(csv.DictReader(io.StringIO(asked(bench, *command, "--format", "csv").out)))
    assert [float(row["variance"]) for row in printed] == [row["variance"] for row in rows]
    by_target = said(asked(bench, *command, "--format", "json", target="mini_area_early"))
    assert by_target["parts"] == rows
    assert found["binding"] == by_target["binding"] == "area_early_rdm"


def test_the_table_says_what_the_numbers_are(bench, own):
    done = asked(bench, "few,blank", "--figure", own / "f.svg")
    assert done.status == 0, done.err
    for words in (
        "MINIATURE",
        "mini_area_early, 30 concepts of mini_images, 18 dropped; by chance every part is 0",
        "of the layer that explains most on one half of the concepts, on the other half",
        "blank: untrained: random weights",
        "f.svg",
    ):
        assert words in done.out
    assert "untrained: blank" in (own / "f.svg").read_text()


def test_concepts_common_to_other_targets_alone_are_compared(bench, own):
    text = """
suites:
  ours:
    miniature: true
    bindings:
      ours_rdm:
        task: rdm_correlation
        stimuli: mini_images
        target: mini_area_early
        concepts_common_to: [some]
datasets:
  some: {kind: target, plugin: "some.py:read", description: some}
"""
    (own / "some.py").write_text(
        "from dataclasses import replace\n"
        "from benchmark.datasets.mini.people import people\n"
        "def read(root, *, name):\n"
        "    whole = people(root, name=name)\n"
        "    return replace(whole.select(whole.ids[:20]), name=name)\n"
    )
    (own / "mine.yaml").write_text(REGISTRY + text)
    done = asked(bench, "first,second", "--layers", "output", "--suite", "ours", target="ours_rdm")
    assert "mini_area_early, 20 concepts of mini_images" in done.out, done.err


def test_a_model_that_was_trained_with_the_target_is_marked(bench, own):
    text = REGISTRY + "  third: {plugin: mine.py:Mine, params: {seed: 4}, trained_on: [mini_area_early]}\n"
    (own / "mine.yaml").write_text(text)
    done = asked(bench, "first,third", "--layers", "output")
    assert "third: the model was trained with this target" in done.out
    assert "first: " not in done.out


def test_a_copy_of_a_model_has_no_variance_of_its_own(bench, own):
    rows = said(asked(bench, "first,copy", "--format", "json"))["parts"]
    unique = [row for row in rows if row["part"] == "unique"]
    assert [row["variance"] for row in unique] == pytest.approx([0, 0], abs=1e-6)
    assert [row["p"] for row in unique] == [1, 1]


@pytest.mark.parametrize(
    ("models", "more", "message"),
    [
        ("first", (), "1 models: a partition is of two or three"),
        ("first,second,pixels,mini_clip", (), "4 models: a partition is of two or three"),
        ("first,second,first", (), "'first' is named twice"),
        ("first,secnd", (), "unknown model 'secnd'; did you mean second?"),
        ("fewer,second", (), "only 4 concepts of 'mini_images' join target 'mini_area_early'"),
        ("first,flat", (), "model 'flat' has no layer with a defined RDM"),
        ("first,second", ("--layers", "erly"), "has no layer 'erly'; did you mean early"),
        ("first,second", ("--target", "peple_rdm"), "--target: unknown binding or target 'peple_rdm'"),
        ("first,second", ("--target", "words_two_vs_two"), "is vectors: an RDM is needed"),
        ("first,second", ("--figure", "f.jpg"), "--figure f.jpg: unknown format"),
    ],
)
def test_bad_input_is_one_line(bench, own, models, more, message):
    done = asked(bench, models, *more)
    assert done.status == 2
    assert message in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_from_python(own, monkeypatch, shared_cache):
    monkeypatch.setenv("BENCH_CACHE", str(shared_cache))
    found = partition(["first", "second"], "people_rdm", registries=["mine.yaml"], layers=["output"])
    assert found.layers == {"first": "output", "second": "output"}
    frame = found.to_frame()
    assert list(frame["part"]) == ["alone", "alone", "unique", "unique", "shared", "total"]
    found.save_figure("f.svg")
    assert Path("f.svg").stat().st_size > 1000
    with pytest.raises(UsageError, match="unknown format"):
        found.save_figure("f.gif")
