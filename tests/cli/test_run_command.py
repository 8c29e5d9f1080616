"""``bench run`` end to end, through the same door a user's plug-in takes."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

ROW = {
    "model",
    "task",
    "binding",
    "suite",
    "metric",
    "score",
    "ci_low",
    "ci_high",
    "chance",
    "ceiling_low",
    "ceiling_high",
    "best_layer",
    "layers",
    "n",
    "trained_on",
    "status",
    "reason",
    "result_file",
    "cached",
}

#: A user's plug-in. Its features know the category of a concept, and little else.
PLUGIN = """
import numpy as np
from benchmark.datasets.mini.concepts import BY_ID
from benchmark.model import Model


class Mine(Model):
    layers = ("early", "late")

    def features(self, stimuli, layers, *, device="cpu", progress=None):
        rng = np.random.default_rng(self.spec.params.get("seed", 0))
        noise = rng.normal(size=(len(stimuli), 40)).astype(np.float32)
        categories = sorted({c.category for c in BY_ID.values()})
        known = np.zeros_like(noise)
        for row, concept in enumerate(stimuli.concepts):
            known[row, categories.index(BY_ID[concept].category)] = 8.0
        made = {"early": noise, "late": noise + known}
        return {layer: made[layer] for layer in layers}


class NotANumber(Mine):
    def features(self, stimuli, layers, **rest):
        made = super().features(stimuli, layers, **rest)
        made["late"][3, 0] = np.nan
        return made


class Constant(Mine):
    def features(self, stimuli, layers, **rest):
        return {layer: np.ones((len(stimuli), 5), np.float32) for layer in layers}


class TooShort(Mine):
    def features(self, stimuli, layers, **rest):
        return {layer: array[:-1] for layer, array in super().features(stimuli, layers, **rest).items()}
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A user's registry with one model, in a folder of its own."""
    (tmp_path / "mine.py").write_text(PLUGIN)
    return write_registry(tmp_path, mine="mine.py:Mine")


def write_registry(folder: Path, **models: str) -> Path:
    path = folder / "mine.yaml"
    lines = ["models:"]
    for name, plugin in models.items():
        lines += [f"  {name}:", f"    plugin: {plugin}", "    description: made for a test"]
    path.write_text("\n".join(lines) + "\n")
    return path


def run(bench, folder: Path, registry: Path | None, *more: object, model="mine", task="people_rdm"):
    own = ("--registry", registry) if registry else ()
    form = () if "--format" in more else ("--format", "json")
    return bench("run", "--model", model, "--task", task, "--output", folder / "results", *own, *form, *more)


def test_a_users_model_is_scored_and_every_column_is_there(bench, own, tmp_path):
    done = run(bench, tmp_path, own, task="people_rdm,words_two_vs_two")
    assert done.status == 0
    assert [cell["binding"] for cell in done.cells] == ["people_rdm", "words_two_vs_two"]
    for cell in done.cells:
        assert set(cell) == ROW
        assert cell["status"] == "scored"
        assert cell["ci_low"] <= cell["score"] <= cell["ci_high"]
        assert Path(cell["result_file"]).is_file()
    rdm = done.cells[0]
    assert list(rdm["layers"]) == ["early", "late"]
    assert rdm["best_layer"] == "late"
    assert rdm["layers"]["late"] > 0.2 > 0.1 > abs(rdm["layers"]["early"])
    assert rdm["chance"] == 0
    assert 0 < rdm["ceiling_low"] < rdm["ceiling_high"] < 1


def test_a_second_run_recomputes_nothing_and_says_so(bench, own, tmp_path):
    first = run(bench, tmp_path, own).cells[0]
    file = Path(first["result_file"])
    before = file.stat().st_mtime_ns
    second = run(bench, tmp_path, own).cells[0]
    assert (first["cached"], second["cached"]) == (False, True)
    assert file.stat().st_mtime_ns == before
    assert {**first, "cached": True} == second
    shown = run(bench, tmp_path, own, "--format", "table").out
    assert "cached" in shown
    assert "nothing was recomputed" in shown


def test_what_matters_is_recomputed_and_nothing_else(bench, own, tmp_path):
    def cached() -> dict[str, bool]:
        cells = run(bench, tmp_path, own, *more, model="mine,pixels").cells
        return {cell["model"]: cell["cached"] for cell in cells}

    more: tuple[object, ...] = ()
    cached()
    assert cached() == {"mine": True, "pixels": True}
    more = ("--seed", 1)
    assert cached() == {"mine": False, "pixels": False}
    more = ()
    cached()
    own.write_text(own.read_text() + "    params: {seed: 3}\n")
    assert cached() == {"mine": False, "pixels": True}
    plugin = tmp_path / "mine.py"
    plugin.write_text(plugin.read_text().replace("8.0", "4.0"))
    assert cached() == {"mine": False, "pixels": True}


def test_fewer_layers_are_another_result(bench, own, tmp_path):
    both = run(bench, tmp_path, own).cells[0]
    one = run(bench, tmp_path, own, "--layers", "early").cells[0]
    assert not one["cached"]
    assert one["layers"] == {"early": both["layers"]["early"]}
    missing = run(bench, tmp_path, own, "--layers", "lat")
    assert missing.status == 1
    assert "did you mean late?" in missing.cells[0]["reason"]


def test_the_number_of_jobs_changes_no_number(bench, own, tmp_path):
    def scores(folder: str, *more: object) -> list[dict]:
        cells = run(bench, tmp_path / folder, own, *more, model="mine,pixels").cells
        return [{key: cell[key] for key in ROW - {"result_file"}} for cell in cells]

    assert scores("one") == scores("two", "--jobs", 2)


@pytest.mark.parametrize(
    "model, status, reason",
    [
        ("NotANumber", "not_possible", "NaN"),
        ("Constant", "not_possible", "constant features"),
        ("TooShort", "not_possible", "(1151, 40); expected (1152, d)"),
    ],
)
def test_features_that_cannot_be_scored_are_no_score(bench, tmp_path, model, status, reason):
    (tmp_path / "mine.py").write_text(PLUGIN)
    registry = write_registry(tmp_path, bad=f"mine.py:{model}", good="mine.py:Mine")
    done = run(bench, tmp_path, registry, model="bad,good")
    bad, good = done.cells
    assert done.status == 1
    assert (bad["status"], bad["score"], bad["result_file"]) == (status, None, None)
    assert reason in bad["reason"]
    assert "\n" not in bad["reason"]
    assert good["status"] == "scored"
    assert [path.name for path in (tmp_path / "results").rglob("*.json")] == ["good.json"]
    assert not list((tmp_path / "results").rglob("*.tmp"))


def test_one_layer_that_is_constant_is_undefined_and_the_others_are_scored(bench, tmp_path):
    plugin = PLUGIN + textwrap.dedent("""
        class HalfConstant(Mine):
            def features(self, stimuli, layers, **rest):
                made = super().features(stimuli, layers, **rest)
                if "early" in made:
                    made["early"][:] = 1
                return made
    """)
    (tmp_path / "mine.py").write_text(plugin)
    done = run(bench, tmp_path, write_registry(tmp_path, mine="mine.py:HalfConstant"))
    assert done.status == 0
    cell = done.cells[0]
    assert cell["layers"]["early"] is None
    assert cell["layers"]["late"] > 0.2
    stored = json.loads(Path(cell["result_file"]).read_text())
    assert "constant" in stored["layers"][0]["undefined"]


def test_a_plugin_that_raises_at_import_is_named_and_the_others_run(bench, tmp_path):
    (tmp_path / "mine.py").write_text(PLUGIN)
    (tmp_path / "broken.py").write_text("import numpy\nraise RuntimeError('out of cheese')\n")
    registry = write_registry(tmp_path, broken="broken.py:Any", mine="mine.py:Mine")
    done = run(bench, tmp_path, registry, model="broken,mine")
    broken, mine = done.cells
    assert done.status == 1
    assert "out of cheese" in broken["reason"]
    assert "broken.py:2" in broken["reason"]
    assert mine["status"] == "scored"


def test_weights_that_are_not_there_say_where_they_were_looked_for(bench, tmp_path):
    (tmp_path / "mine.py").write_text(PLUGIN)
    registry = write_registry(tmp_path, mine="mine.py:Mine")
    registry.write_text(registry.read_text() + "    checkpoint: {file: w/none.pt, how: ask me}\n")
    done = run(bench, tmp_path, registry, "--data", tmp_path / "root")
    reason = done.cells[0]["reason"]
    assert done.status == 1
    assert str(tmp_path / "w" / "none.pt") in reason
    assert str(tmp_path / "root" / "w" / "none.pt") in reason
    assert "ask me" in reason


def test_all_models_include_a_users_own(bench, own, tmp_path):
    listed = bench("run", "--model", "all", "--task", "nothing", "--registry", own, "--output", tmp_path)
    assert listed.status == 2
    from benchmark.registry import load_registry
    from benchmark.runner import plan

    models = {cell.model for cell in plan(load_registry([own]), ["all"], ["people_rdm"], "mini")}
    assert {"mine", "swow_assoc", "swow_assoc@untrained:0", "pixels"} <= models


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("--model", "pixel", "--task", "all"), "did you mean pixels?"),
        (("--model", "pixels", "--task", "rdm_corelation"), "did you mean rdm_correlation?"),
        (("--model", "pixels", "--task", "all", "--suite", "minni"), "did you mean mini?"),
        (("--model", "pixels@untrained:0", "--task", "all"), "no weights"),
        (("--model", "swow_assoc@trained:0", "--task", "all"), "untrained:SEED"),
        (("--model", "squeezenet1_0", "--task", "all"), "not for suite"),
        (("--model", ",", "--task", "all"), "nothing is asked for"),
        (("--model", "pixels", "--task", "all", "--registry", "no-such.yaml"), "no-such.yaml"),
    ],
)
def test_unusable_arguments_are_one_line_and_status_2(bench, tmp_path, arguments, said):
    done = bench("run", *arguments, "--output", tmp_path / "results")
    assert done.status == 2
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    "text, said",
    [
        ("models:\n  a:\n    plugin: mine.py:Mine\n    chekpoint: {}\n", ":4: "),
        ("models:\n  a: {plugin: mine.py:Mine}\n  a: {plugin: mine.py:Mine}\n", "a"),
        ("models:\n  ../a: {plugin: mine.py:Mine}\n", "no name"),
        ("models:\n  pixels: {plugin: mine.py:Mine}\n", "pixels"),
        ("models: [1, 2]\n", "models"),
        ("models: {a: {plugin: mine.py:Mine}\n", "mine.yaml"),
    ],
)
def test_an_unusable_registry_is_one_line_and_status_2(bench, tmp_path, text, said):
    (tmp_path / "mine.py").write_text(PLUGIN)
    (tmp_path / "mine.yaml").write_text(text)
    done = bench("run", "--model", "a", "--task", "all", "--registry", tmp_path / "mine.yaml")
    assert done.status == 2
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_debug_shows_the_traceback(bench, tmp_path):
    from benchmark.common.errors import UsageError

    with pytest.raises(UsageError):
        bench("run", "--model", "pixel", "--task", "all", "--debug")
