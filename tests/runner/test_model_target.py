"""Targets that are made from a network: their content, their key, their notes, and bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from benchmark.datasets import RDMTarget, VectorTarget
from benchmark.measures import rdm
from benchmark.registry import load_registry
from benchmark.runner import Options, Session

PLUGIN = """
import numpy as np
from benchmark.model import Model

class Mine(Model):
    layers = ("early", "flat", "output")
    def features(self, stimuli, layers, *, device="cpu", progress=None):
        rng = np.random.default_rng(self.spec.params["seed"])
        made = {layer: rng.normal(size=(len(stimuli), 5)).astype(np.float32) for layer in self.layers}
        made["flat"][:] = 1
        return {layer: made[layer] for layer in layers}

class Few(Mine):
    def covered(self, stimuli):
        return frozenset(stimuli.concept_ids[:20])
"""
READER = "benchmark.runner.model_target:representation"


def registry(folder: Path, params: dict | None = None, *, seed: int = 1) -> Path:
    """A registry with a target from ``params``, and a task of each kind of target bound to it."""
    (folder / "mine.py").write_text(PLUGIN)
    models = {
        "other": {"plugin": "mine.py:Mine", "params": {"seed": seed}},
        "scored": {"plugin": "mine.py:Mine", "params": {"seed": 9}},
        "few": {"plugin": "mine.py:Few", "params": {"seed": 3}},
    }
    made = {"model": "other", "layer": "output", "stimuli": "mini_images", **(params or {})}
    binding = {"stimuli": "mini_images", "target": "network"}
    task = "alignment" if made.get("kind") == "vectors" else "rdm_correlation"
    whole = {
        "models": models,
        "datasets": {"network": {"kind": "target", "plugin": READER, "params": made}},
        "suites": {"own": {"miniature": True, "bindings": {"to_network": {"task": task, **binding}}}},
    }
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(whole))
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared_cache: Path) -> Path:
    monkeypatch.setenv("BENCH_CACHE", str(shared_cache))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def target(folder: Path, params: dict | None = None):
    return Session(Options(registries=(registry(folder, params),))).target("network")


def run(bench, model: str, *more: object):
    return bench("run", "--registry", "mine.yaml", "-m", model, "-t", "all", "--suite", "own", *more)


def stored(cell: dict) -> dict:
    return json.loads(Path(cell["result_file"]).read_text())


def means(layer: str = "output", seed: int = 1) -> tuple[tuple[str, ...], np.ndarray]:
    """Concepts of the miniature and the mean of the features of their scored images, worked out again."""
    stimuli = Session(Options()).stimuli("mini_images")
    rng = np.random.default_rng(seed)
    made = {
        name: rng.normal(size=(len(stimuli), 5)).astype(np.float32) for name in ("early", "flat", "output")
    }
    concepts = stimuli.concept_ids
    rows = [
        [i for i, c in enumerate(stimuli.concepts) if c == concept and stimuli.splits[i] == "test"]
        for concept in concepts
    ]
    return concepts, np.array([made[layer][row].astype(float).mean(axis=0) for row in rows])


def test_rdm_is_that_of_the_means_of_the_concepts(folder):
    concepts, features = means()
    found = target(folder)
    assert isinstance(found, RDMTarget)
    assert found.ids == concepts
    assert found.subjects == ("other output",)
    assert found.simulated
    np.testing.assert_allclose(found.rdms[0], 1 - np.corrcoef(features), atol=1e-7)
    centred = target(folder, {"metric": "euclidean", "standardise": "zscore"})
    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    np.testing.assert_allclose(centred.rdms[0], rdm(scaled, "euclidean"), rtol=1e-6)


def test_vectors_are_the_features(folder):
    concepts, features = means("early")
    found = target(folder, {"kind": "vectors", "layer": "early"})
    assert isinstance(found, VectorTarget)
    assert found.ids == concepts
    np.testing.assert_allclose(found.vectors, features, atol=1e-7)


def test_concepts_that_the_model_does_not_cover_are_left_out(bench, folder):
    assert len(target(folder, {"model": "few"}).ids) == 20
    (cell,) = run(bench, "scored", "--format", "json").cells
    assert (cell["n"], stored(cell)["counts"]["missing"]) == (20, 28)


@pytest.mark.parametrize("kind", ["rdm", "vectors"])
def test_a_model_is_scored_and_said_to_be_compared_with_a_network(bench, folder, kind):
    registry(folder, {"kind": kind})
    (cell,) = run(bench, "scored", "--format", "json").cells
    assert (cell["status"], cell["n"]) == ("scored", 48)
    assert cell["score"] < 0.5
    notes = stored(cell)["notes"]
    assert "the target is a network: layer 'output' of 'other', not people" in notes
    assert not any("itself" in note for note in notes)


def test_a_model_compared_with_itself_is_labelled(bench, folder):
    registry(folder)
    (cell,) = run(bench, "other", "--layers", "output", "--format", "json").cells
    assert cell["score"] == pytest.approx(1)
    notes = stored(cell)["notes"]
    assert "the target is made from the model itself: that layer agrees with itself" in notes


def test_an_untrained_network_is_labelled(bench, folder):
    registry(folder, {"model": "mini_clip@untrained:0"})
    (cell,) = run(bench, "scored", "--format", "json").cells
    notes = stored(cell)["notes"]
    assert "the network of the target is untrained: its weights are random" in notes


def test_every_part_of_the_network_decides_the_hash(folder):
    changes = [
        {},
        {"model": "scored"},
        {"layer": "early"},
        {"kind": "vectors"},
        {"metric": "cosine"},
        {"standardise": "centre"},
    ]
    hashes = [target(folder, change).hash for change in changes]
    registry(folder, seed=2)
    hashes.append(Session(Options(registries=(folder / "mine.yaml",))).target("network").hash)
    assert len(set(hashes)) == 7
    assert target(folder).hash == hashes[0]
    assert Session(Options(registries=(folder / "mine.yaml",))).hash_of("network") == hashes[0]


def test_a_changed_network_is_noticed_and_named(bench, folder):
    registry(folder)
    assert run(bench, "scored").status == 0
    why = ("why", "scored", "to_network", "--suite", "own", "--registry", "mine.yaml")
    assert "current" in bench(*why).out
    assert "1 stored already" in run(bench, "scored").out

    registry(folder, seed=2)
    said = bench(*why)
    assert said.status == 1
    assert "network of the target: params.seed" in " ".join(
        said.out.replace("params of the entry", "").split()
    )
    assert run(bench, "scored", "--format", "json").cells[0]["cached"] is False

    (folder / "mine.py").write_text(PLUGIN + "\n# changed\n")
    assert "network of the target: source" in bench(*why).out


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"model": "othr"}, "target 'network': unknown model 'othr'; did you mean other?"),
        ({"layer": "outptu"}, "target 'network': model 'other' has no layer 'outptu'; did you mean output"),
        ({"layer": "all"}, "target 'network': param layer: 'all' means 3 layers: name one"),
        ({"layer": "flat"}, "target 'network': model 'other', layer 'flat': constant features"),
        ({"stimuli": "mini_image"}, "did you mean mini_images?"),
        ({"kind": "rdms"}, "target 'network': param kind: unknown kind 'rdms'; did you mean rdm?"),
        ({"metric": "cosin"}, "unknown metric 'cosin'; did you mean cosine?"),
        ({"standardise": "center"}, "unknown standardise 'center'; did you mean centre?"),
        ({"suite": "human", "model": "mini_clip"}, "model 'mini_clip' is not for suite 'human'"),
        ({"model": "mini_clip", "layer": "encoder", "stimuli": "photos"}, "64 x 64"),
    ],
)
def test_bad_input_says_which_target_and_what(bench, folder, params, message):
    from PIL import Image

    path = registry(folder, params)
    for concept in "abcde":
        (folder / "photos" / concept).mkdir(parents=True)
        Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(folder / "photos" / concept / "0.png")
    whole = yaml.safe_load(path.read_text())
    whole["datasets"]["photos"] = {
        "kind": "stimuli",
        "plugin": "benchmark.datasets.readers.folders:image_folder",
        "params": {"path": "photos"},
    }
    path.write_text(yaml.safe_dump(whole))
    (cell,) = run(bench, "scored", "--format", "json", "--data", ".").cells
    assert cell["status"] == "not_possible"
    assert message in cell["reason"]


def test_a_network_that_is_built_from_the_target_itself_is_refused(bench, folder):
    path = registry(folder, {"model": "circular"})
    whole = yaml.safe_load(path.read_text())
    whole["models"]["circular"] = {
        "plugin": "models/meta_embedding.py:SVD",
        "built_from": {"model": "other", "target": "network"},
    }
    path.write_text(yaml.safe_dump(whole))
    load_registry([path])
    (cell,) = run(bench, "scored", "--format", "json").cells
    assert cell["status"] == "not_possible"
    assert cell["reason"] == "target 'network': 'mini/circular' is made from itself"
