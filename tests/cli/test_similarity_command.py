"""``bench similarity`` end to end."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.api import similarity
from benchmark.common.errors import UsageError
from benchmark.measures import compare_rdms

PLUGIN = """
import numpy as np
from benchmark.model import Model

class Mine(Model):
    layers = ("early", "flat", "output")
    def features(self, stimuli, layers, *, device="cpu", progress=None):
        rng = np.random.default_rng(self.spec.params["seed"])
        made = {layer: rng.normal(size=(len(stimuli), 4)).astype(np.float32) for layer in self.layers}
        made["flat"][:] = 1
        return {layer: made[layer] for layer in layers}

class Few(Mine):
    def covered(self, stimuli):
        return frozenset(stimuli.concept_ids[: self.spec.params["covers"]])
"""
REGISTRY = """
models:
  first: {plugin: mine.py:Mine, params: {seed: 1}}
  second: {plugin: mine.py:Mine, params: {seed: 2}}
  few: {plugin: mine.py:Few, params: {seed: 3, covers: 30}}
  fewer: {plugin: mine.py:Few, params: {seed: 3, covers: 4}}
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(PLUGIN)
    (tmp_path / "mine.yaml").write_text(REGISTRY)
    return tmp_path


def pairs(done) -> list[dict]:
    assert done.status == 0, done.err
    return json.loads(done.out)["pairs"]


def test_rdm_correlation_is_that_of_exported_rdms(bench, own):
    models = "mini_encoder,mini_clip"
    found = pairs(bench("similarity", "-m", models, "--layers", "encoder", "--format", "json"))
    rdms = []
    for model in models.split(","):
        options = ("-m", model, "-l", "encoder", "--stimuli", "mini_images", "--by", "concept")
        assert bench("export", "rdm", *options, "--output", f"{model}.npy").status == 0
        rdms.append(np.load(f"{model}.npy"))
    (row,) = found
    assert row["similarity"] == pytest.approx(compare_rdms(*rdms, "spearman"), abs=1e-9)
    assert row["ci_low"] < row["similarity"] < row["ci_high"]
    assert (row["measure"], row["n"], row["chance"]) == ("rdm", 48, 0)


def test_table_says_what_the_numbers_are(bench):
    done = bench(
        "similarity", "-m", "mini_encoder,mini_clip", "--layers", "stem,encoder", "--measure", "rdm,cca"
    )
    assert done.status == 0
    assert "MINIATURE" in done.out
    assert "mini_encoder encoder" in done.out
    assert "48 concepts of mini_images, 0 dropped" in done.out
    assert "interval by bootstrap over concepts, without pairs of two copies" in done.out
    assert "some canonical correlations are 1 for any data, so CCA is undefined" in done.out


def test_csv_and_json_have_the_same_numbers(bench, own):
    command = ("similarity", "--registry", "mine.yaml", "-m", "first,second", "--measure", "all")
    printed = bench(*command, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(printed.out)))
    found = pairs(bench(*command, "--format", "json"))
    assert len(rows) == len(found) == 7 * 15
    for row, pair in zip(rows, found, strict=True):
        assert row["similarity"] == ("" if pair["similarity"] is None else repr(pair["similarity"]))
    for pair in found:
        flat = "flat" in (pair["layer_a"], pair["layer_b"])
        assert (pair["similarity"] is None) == flat
        assert (pair["undefined"] is not None) == flat
    reasons = {pair["undefined"] for pair in found if pair["undefined"]}
    assert all(reason.startswith(("first flat: ", "second flat: ")) for reason in reasons)


def test_json_says_what_decides_the_numbers(bench, own):
    command = (
        "similarity",
        "--registry",
        "mine.yaml",
        "-m",
        "first,mini_clip@untrained:0",
        "--format",
        "json",
    )
    said = json.loads(bench(*command).out)
    assert said["models"]["mini_clip@untrained:0"]["untrained"]
    assert not said["models"]["first"]["untrained"]
    assert said["miniature"]
    assert {"stimuli_manifest", "code_version", "packages", "seed", "rdm_metric"} <= set(said)


def test_concepts_that_a_model_does_not_cover_are_left_out_for_all(bench, own):
    done = bench("similarity", "--registry", "mine.yaml", "-m", "few,second", "--format", "json")
    said = json.loads(done.out)
    assert (len(said["concepts"]), said["dropped"]) == (30, 18)
    assert {row["n"] for row in said["pairs"]} == {30}
    done = bench("similarity", "--registry", "mine.yaml", "-m", "fewer,second")
    assert done.status == 2
    assert "4 concepts of 'mini_images' are covered by every model; 5 are needed" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-m", "mini_encodr"), "unknown model 'mini_encodr'; did you mean mini_encoder?"),
        (("-m", "mini_clip", "--layers", "encodr"), "has no layer 'encodr'; did you mean encoder"),
        (("-m", "mini_clip,first", "--layers", "stem"), "model 'first' has no layer 'stem'"),
        (("-m", "first", "--layers", "early"), "only one layer to compare"),
        (("-m", "first", "--measure", "ckaa"), "--measure: unknown measure 'ckaa'; did you mean cka?"),
        (("-m", "first", "--stimuli", "mini_image"), "did you mean mini_images?"),
        (("-m", "first", "--figure", "f.jpg"), "--figure f.jpg: unknown format"),
        (("-m", ""), "nothing is asked for"),
        (("-m", "mini_clip", "--stimuli", "photos"), "64 x 64"),
    ],
)
def test_bad_input_is_one_line(bench, own, arguments, message):
    for concept in "abcde":
        folder = own / "photos" / concept
        folder.mkdir(parents=True)
        Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(folder / "0.png")
    done = bench("similarity", "--registry", "mine.yaml", *arguments)
    assert done.status == 2
    assert message in done.err
    assert len(done.err.strip().splitlines()) == 1


@pytest.mark.parametrize("ending", ["svg", "PNG", "pdf"])
def test_figure(bench, own, ending):
    path = own / f"figure.{ending}"
    command = ("similarity", "--registry", "mine.yaml", "-m", "first,second", "--layers", "early,output")
    done = bench(*command, "--measure", "rdm,cca", "--figure", path)
    assert done.status == 0
    assert str(path) in done.out
    assert path.stat().st_size > 1000
    if ending == "svg":
        assert "<svg" in path.read_text()
    done = bench(*command, "--figure", path, "--format", "csv")
    assert done.out.startswith("measure,model_a,")
    assert done.out.count("\n") == 7


def test_figure_with_undefined_pairs_and_hostile_names(bench, own):
    (own / "mine.py").write_text(PLUGIN.replace('"early"', '"$x_{[/bold]"'))
    done = bench("similarity", "--registry", "mine.yaml", "-m", "first", "--figure", own / "f.png")
    assert done.status == 0
    assert "$x_{[/bold]" in done.out


def test_from_python(own, monkeypatch, shared_cache):
    monkeypatch.setenv("BENCH_CACHE", str(shared_cache))
    found = similarity(["first", "second"], "all", registries=["mine.yaml"], layers=["output"])
    assert found.layers == ["first output", "second output"]
    assert found.matrix("cka").shape == (2, 2)
    frame = found.to_frame()
    assert list(frame["measure"]) == found.measures
    assert frame["similarity"].notna().all()
    found.save_figure("f.svg")
    assert "no map: fewer than three layers" in Path("f.svg").read_text()
    with pytest.raises(UsageError, match="unknown format"):
        found.save_figure("f.gif")
