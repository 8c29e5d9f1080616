"""A stored result is recognised without loading what its key describes, and never when something changed."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmark.registry import PluginCode
from benchmark.runner import Cell, Options, Session
from benchmark.runner import key as key_module
from benchmark.runner import loaded as loaded_module
from benchmark.runner.key import unchanged

CELL = Cell("pixels", "people_rdm", "mini")


@pytest.fixture
def scored(bench, tmp_path) -> Path:
    done = bench("run", "--model", "pixels", "--task", "people_rdm", "--output", tmp_path / "results")
    assert done.status == 0
    return tmp_path / "results"


def session(folder: Path, **options) -> Session:
    return Session(Options(output=folder, **options))


def test_an_unchanged_result_is_found_and_nothing_is_loaded(scored):
    fresh = session(scored)
    stored = unchanged(fresh, CELL)
    assert stored is not None
    assert stored.cell.score is not None
    assert "model" not in vars(fresh.model("pixels", "mini")), "the plug-in was made"
    assert not any(what in {"task", "dataset"} for what, _ in fresh._kept), "a task or a data set was loaded"


def test_a_cell_that_was_never_scored_has_none(tmp_path):
    assert unchanged(session(tmp_path), CELL) is None


@pytest.mark.parametrize("options", [{"seed": 1}, {"layers": ("output",)}])
def test_another_option_is_a_change(scored, options):
    assert unchanged(session(scored, **options), CELL) is None


@pytest.mark.parametrize(
    ("function", "answer"), [("plugin_code", PluginCode("other")), ("code_version", "other")]
)
def test_other_code_is_a_change(scored, function, answer, monkeypatch):
    monkeypatch.setattr(key_module, function, lambda *_: answer)
    assert unchanged(session(scored), CELL) is None


@pytest.mark.parametrize("name", ["mini_images", "mini_people"])
def test_another_data_set_is_a_change(scored, name, monkeypatch):
    fresh = session(scored)
    known = fresh.hash_of
    monkeypatch.setattr(fresh, "hash_of", lambda asked: "other" if asked == name else known(asked))
    assert unchanged(fresh, CELL) is None


def test_a_user_s_own_plug_in_is_compared_by_its_whole_key(bench, tmp_path):
    # it may import files that no hash covers, and say of its preprocessing what it read there
    (tmp_path / "shade.txt").write_text("grey")
    (tmp_path / "own.py").write_text(
        "import numpy as np\n"
        "from pathlib import Path\n"
        "from benchmark.model import Model\n"
        "SHADE = Path(__file__).with_name('shade.txt').read_text()\n"
        "class Own(Model):\n"
        "    layers = ('pixels',)\n"
        "    preprocessing = SHADE\n"
        "    def features(self, stimuli, layers, *, device='cpu', progress=None):\n"
        "        rows = [np.asarray(stimuli.image(i)).ravel()[::64] for i in range(len(stimuli))]\n"
        "        return {'pixels': np.array(rows, dtype=np.float32)}\n"
    )
    registry = tmp_path / "mine.yaml"
    registry.write_text("models:\n  own:\n    plugin: own.py:Own\n    description: own\n")
    command = ("run", "--registry", registry, "-m", "own", "-t", "people_rdm", "--output", tmp_path / "out")
    assert bench(*command).status == 0
    assert (
        unchanged(Session(Options((registry,), output=tmp_path / "out")), CELL._replace(model="own")) is None
    )
    assert "nothing was recomputed" in bench(*command).out
    (tmp_path / "shade.txt").write_text("colour")
    (tmp_path / "own.py").touch()
    for name in [name for name in sys.modules if name.startswith("benchmark_plugin_own")]:
        del sys.modules[name]
    assert "nothing was recomputed" not in bench(*command).out


def test_a_cached_run_of_a_network_imports_no_torch(scored, bench, shared_cache):
    arguments = ("run", "--model", "mini_encoder", "--task", "people_rdm", "--output", str(scored))
    assert bench(*arguments).status == 0
    code = (
        "import sys; from benchmark.cli import main; sys.argv = ['bench', *sys.argv[1:]]\n"
        "try: main()\n"
        "except SystemExit as stop: assert not stop.code\n"
        "heavy = {'torch', 'sklearn', 'scipy.stats', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "BENCH_CACHE": str(shared_cache)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "nothing was recomputed" in done.stdout


def test_parameters_of_a_data_set_reach_its_hash():
    fresh = Session(Options())
    placed = fresh.registry.datasets["mini_images"]
    fewer = replace(placed, entry=placed.entry.model_copy(update={"params": {"per_concept": 3}}))
    before = fresh.hash_of("mini_images")
    fresh.registry = replace(fresh.registry, datasets={**fresh.registry.datasets, "mini_images": fewer})
    assert fresh.hash_of("mini_images") != before
    assert fresh.hash_of("mini_images") == fresh.stimuli("mini_images").manifest


@pytest.fixture
def embeddings(tmp_path) -> Path:
    """A registry of embeddings whose ids stand in a file of their own, and a model built from them."""
    (tmp_path / "data").mkdir()
    names = list(Session(Options()).stimuli("mini_images").concept_ids)
    np.save(tmp_path / "data" / "rows.npy", np.random.default_rng(0).normal(size=(len(names), 60)))
    (tmp_path / "data" / "ids.csv").write_text("\n".join(["id", *names]))
    registry = tmp_path / "mine.yaml"
    registry.write_text(
        "models:\n"
        "  rows:\n"
        "    plugin: models/features.py:Features\n"
        "    description: embeddings\n"
        "    checkpoint: {file: rows.npy}\n"
        "    params: {ids: ids.csv}\n"
    )
    return registry


def test_a_file_that_the_params_name_is_compared(bench, embeddings, tmp_path):
    command = (
        *("run", "--registry", embeddings, "-m", "rows", "-t", "people_rdm", "--data", tmp_path / "data"),
        *("--output", tmp_path / "out", "--format", "json"),
    )
    (first,) = bench(*command).cells
    assert first["status"] == "scored", first["reason"]
    (again,) = bench(*command).cells
    assert again["cached"]
    ids = tmp_path / "data" / "ids.csv"
    head, *names = ids.read_text().splitlines()
    ids.write_text("\n".join([head, *reversed(names)]))
    (turned,) = bench(*command).cells
    assert not turned["cached"]
    assert turned["score"] != first["score"]


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({}, False),
        ({"layers": ["conv1"], "seed": 3}, False),
        ({"ids": "ids.csv"}, True),
        ({"encoder": {"plugin": "mine.py:Net"}}, True),
        ({"files": ["folder/a"]}, True),
    ],
)
def test_params_that_may_name_a_file(params, names):
    assert loaded_module._may_name_a_file(params) is names
