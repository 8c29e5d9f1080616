"""rdm_partition: from features and references to unique, shared and total variance; and its faults."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.stats import rankdata

from benchmark.calibration import ArrayView, plain_score, synthetic_stimuli
from benchmark.common.errors import BenchError, NotPossible, UsageError
from benchmark.datasets.join import join
from benchmark.datasets.types import RDMTarget
from benchmark.runner import Options, Session
from benchmark.runner.plan import Cell
from benchmark.runner.references import load_references

K = 16
CONCEPTS = tuple(f"c{i:02d}" for i in range(K))


@pytest.fixture
def task(plugin):
    return plugin("rdm_partition").RDMPartition()


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def target(rng):
    rdms = np.stack([squareform(pdist(rng.standard_normal((K, 8)))) for _ in range(3)])
    return RDMTarget("people", CONCEPTS, "h", rdms=rdms, subjects=tuple("abc"))


def view(layers, **references):
    stimuli = synthetic_stimuli(CONCEPTS)
    beside = {name: ArrayView(stimuli, of) for name, of in references.items()}
    return ArrayView(stimuli, layers, references=beside)


def score(task, seen, target, **params):
    return task.score(seen, join(seen.stimuli, target), params, np.random.default_rng(1))


def ranks(features):
    row = rankdata(pdist(features.astype(np.float32).astype(float), "correlation"))
    return row - row.mean()


def fit(y, *predictors):
    design = np.column_stack([np.ones(len(y)), *predictors])
    residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return 1 - residual @ residual / (y @ y)


def test_the_uncorrected_unique_variance_is_that_of_least_squares(task, target, rng):
    model, one, two = rng.standard_normal((3, K, 20))
    seen = view({"layer": model}, one={"l": one}, two={"l": two})
    result = score(task, seen, target, beyond=["one", "two"])
    people = [rankdata(squareform(rdm)) for rdm in target.rdms]
    people = [row - row.mean() for row in people]
    references = ranks(one), ranks(two)
    expected = np.mean([fit(y, ranks(model), *references) - fit(y, *references) for y in people])
    assert result.layers["layer"].values["unique_uncorrected"] == pytest.approx(expected, abs=1e-6)
    unique, shared, total = (plain_score(result, "layer", m) for m in ("unique", "shared", "total"))
    assert unique < expected
    assert total - unique > shared - 0.1
    assert result.counts["predictors_of_references"] == 2
    assert set(result.ceiling) == {"unique", "shared", "total"}


def test_all_layers_of_the_encoder_are_references(task, target, rng):
    model, one, two = rng.standard_normal((3, K, 20))
    seen = view({"copy": 2 * two + 1, "own": model}, encoder={"a": one, "b": two})
    result = score(task, seen, target, beyond="encoder")
    assert result.counts["predictors_of_references"] == 2
    assert plain_score(result, "copy", "unique") == pytest.approx(0, abs=1e-6)
    assert result.layers["copy"].p == 1


def test_the_layer_of_a_reference_is_chosen_on_the_concepts_without_weight(task, target, rng):
    """One layer fits the first half of the concepts, the other layer the second half."""
    people = target.rdms.mean(axis=0)
    halves = []
    for kept in (np.arange(K) < K // 2, np.arange(K) >= K // 2):
        rdm = squareform(pdist(rng.standard_normal((K, 3))))
        rdm[np.ix_(kept, kept)] = people[np.ix_(kept, kept)]
        halves.append(rdm)
    module = sys.modules[type(task).__module__]
    regression = module.RDMRegression(target.rdms)
    references = module._References(regression, {"r": {"first": halves[0], "second": halves[1]}})
    first = (np.arange(K) < K // 2).astype(float)[None]
    assert references.chosen(first) == ("second",)
    assert references.chosen(1 - first) == ("first",)


def test_references_are_given_as_a_list_or_as_the_encoder(task, target):
    for beyond in (None, "pixels", [], [3]):
        with pytest.raises(UsageError, match="expected a list of models of the registry, or encoder"):
            task.references({"beyond": beyond})
    assert task.references({"beyond": ["a", "b", "a"]}) == ("a", "b")
    assert task.references({"beyond": "encoder"}) == ("encoder",)


def test_a_reference_without_an_rdm_is_named(task, target, rng):
    seen = view({"layer": rng.standard_normal((K, 9))}, flat={"l": np.ones((K, 9))})
    with pytest.raises(NotPossible, match="has no layer with a defined RDM"):
        score(task, seen, target, beyond=["flat"])


def lab(folder: Path, beyond: str, models: str = "") -> Path:
    path = folder / "mine.yaml"
    path.write_text(
        f"{models}suites:\n  own:\n    miniature: true\n    bindings:\n      part:\n"
        "        task: rdm_partition\n        stimuli: mini_images\n        target: mini_people\n"
        f"        params: {{beyond: {beyond}}}\n"
    )
    return path


def options(registry: Path) -> tuple[object, ...]:
    folder = registry.parent
    return (
        *("--suite", "own", "--registry", registry),
        *("--data", folder, "--output", folder / "results"),
    )


def run(bench, registry: Path, model: str):
    return bench("run", "-m", model, "-t", "part", *options(registry), "--format", "json").cells[0]


def rows(folder: Path, seed: int, names: list[str]) -> str:
    """A model that is a file of features, as an entry."""
    np.save(folder / "rows.npy", np.random.default_rng(seed).normal(size=(len(names), 30)))
    (folder / "ids.csv").write_text("\n".join(["id", *names]))
    return (
        "models:\n  rows:\n    plugin: models/features.py:Features\n    description: rows\n"
        "    checkpoint: {file: rows.npy}\n    params: {ids: ids.csv}\n"
    )


def test_a_changed_reference_makes_the_result_stale(bench, tmp_path):
    names = list(Session(Options()).stimuli("mini_images").concept_ids)
    registry = lab(tmp_path, "[rows]", rows(tmp_path, 0, names))
    first = run(bench, registry, "pixels")
    assert first["status"] == "scored", first["reason"]
    assert run(bench, registry, "pixels")["cached"]
    rows(tmp_path, 1, names)
    told = bench("why", "pixels", "part", *options(registry)).out
    assert "reference model rows.weights" in told
    again = run(bench, registry, "pixels")
    assert not again["cached"]
    assert again["layers"] != first["layers"]
    key = json.loads(Path(again["result_file"]).read_text())["key"]
    assert set(key["references"]) == {"rows"}


def test_the_encoder_is_what_the_entry_names(bench, tmp_path):
    entry = "models:\n  copy: {plugin: models/pixels.py:Pixels, description: again, encoder: pixels}\n"
    registry = lab(tmp_path, "encoder", entry)
    cell = run(bench, registry, "copy")
    assert cell["status"] == "scored", cell["reason"]
    assert cell["score"] == pytest.approx(0, abs=1e-9)
    assert run(bench, registry, "copy")["cached"]
    assert "names no encoder" in run(bench, registry, "pixels")["reason"]
    entry = entry.replace("encoder: pixels", "encoder: pixls")
    told = bench("run", "-m", "copy", "-t", "part", *options(lab(tmp_path, "encoder", entry)))
    assert told.status == 2
    assert "did you mean pixels?" in told.err


@pytest.mark.parametrize(
    ("started", "entry", "found"),
    [
        ("pixels", "other", "pixels"),
        ("taskonomy:class_object", "pixels", "taskonomy_class_object"),
        ("earlier/swow_assoc.safetensors", "pixels", "pixels"),
        ("earlier/swow_assoc.safetensors", "other", "trained from earlier/swow_assoc.safetensors"),
        ("timm:resnet18.a1_in1k", None, "which is no model of the registry: give it an entry"),
        ("other", "pixels", "reference 'other' of part is untrained"),
        ("net", "pixels", "model 'net' is among the references"),
    ],
)
def test_what_the_weights_say_comes_before_the_entry(tmp_path, started, entry, found):
    """The entry counts for an earlier run of the same kind of network: that of the same plug-in."""
    (tmp_path / "net.py").write_text(
        "from benchmark.model import Model, StartedFrom\n"
        "class Net(Model):\n    layers = ('output',)\n"
        f"    started_from = StartedFrom({started!r}, 'models/pixels.py:Pixels')\n"
        "    def features(self, stimuli, layers, *, device='cpu', progress=None):\n        return {}\n"
    )
    encoder = f", encoder: {entry}" if entry else ""
    models = (
        f"models:\n  net: {{plugin: net.py:Net, description: net{encoder}}}\n"
        "  other: {plugin: net.py:Net, description: of another kind, checkpoint: {untrained: 3}}\n"
    )
    registry = lab(tmp_path, "encoder", models)
    session = Session(Options(registries=(registry,)))
    cell = Cell("net", "part", "own")
    if " " in found:
        with pytest.raises(BenchError) as error:
            load_references(session, cell, ["encoder"])
        assert found in str(error.value)
        assert "\n" not in str(error.value)
        return
    assert load_references(session, cell, ["encoder"])["encoder"].placed.name == found


@pytest.mark.parametrize(
    ("beyond", "says"),
    [
        ("[pixels]", "model 'pixels' is among the references of part: nothing is unique beyond itself"),
        ("[random]", "reference 'random' of part is untrained"),
        ("[pixls]", "unknown model 'pixls'; did you mean pixels?"),
        ("[]", "expected a list of models of the registry, or encoder"),
    ],
)
def test_bad_references_are_told_in_one_line(bench, tmp_path, beyond, says):
    entry = (
        "models:\n  random:\n    plugin: models/miniature.py:ObjectEncoder\n    description: random\n"
        "    checkpoint: {untrained: 3}\n"
    )
    cell = run(bench, lab(tmp_path, beyond, entry), "pixels")
    assert cell["status"] == "not_possible"
    assert says in cell["reason"]
    assert "\n" not in cell["reason"]


def test_a_reference_that_lacks_concepts_is_told(bench, tmp_path):
    (tmp_path / "few.py").write_text(
        "import numpy as np\nfrom benchmark.model import Model\n"
        "class Few(Model):\n    layers = ('output',)\n"
        "    def covered(self, stimuli):\n        return frozenset(stimuli.concept_ids[:5])\n"
        "    def features(self, stimuli, layers, *, device='cpu', progress=None):\n"
        "        return {'output': np.ones((len(stimuli), 3), np.float32)}\n"
    )
    registry = lab(tmp_path, "[few]", "models:\n  few: {plugin: few.py:Few, description: few concepts}\n")
    cell = run(bench, registry, "pixels")
    assert cell["status"] == "not_possible"
    assert "reference 'few' can represent 5 of 48 concepts" in cell["reason"]
