"""The schema of a result, and the flat row made from it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from benchmark.results import (
    CellResult,
    Estimate,
    LayerScore,
    Provenance,
    canonical,
    code_version,
    extraction_version,
    now,
    row,
    versions,
)

PROVENANCE = Provenance(
    registry_entry={"plugin": "a.py:A"},
    weights_sha256=None,
    weights="no weights",
    preprocessing="none",
    stimuli_manifest="m",
    target_hash="t",
    task_version=1,
    params={},
    seed=0,
    packages={"numpy": "2"},
    python="3.11",
    device="cpu",
    dtype="float32",
    code_version="c",
    created="2026-01-01T00:00:00+00:00",
    seconds=1.5,
)
CELL = CellResult(
    model="net",
    task="rdm_correlation",
    binding="people",
    suite="mini",
    status="scored",
    metric="spearman",
    score=0.5,
    ci_low=0.4,
    ci_high=0.6,
    chance=0.0,
    best_layer="late",
    selection="split-half",
    layers=(
        LayerScore(name="early", undefined="constant features"),
        LayerScore(
            name="late", p=0.01, metrics={"spearman": Estimate(score=0.5), "pearson": Estimate(score=0.7)}
        ),
    ),
    n=48,
    counts={"joined": 48},
    key={"seed": 0, "params": {"k": (1, 2)}},
    provenance=PROVENANCE,
)


def test_round_trip():
    again = CellResult.model_validate_json(CELL.model_dump_json())
    assert again == CELL
    assert again.layers[1].metrics["spearman"].score == 0.5


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32("nan"), np.float64("nan")])
def test_undefined_is_null_never_nan(value):
    estimate = Estimate(score=value, ci_low=np.float32(0.25))
    assert estimate.score is None
    assert type(estimate.ci_low) is float
    assert json.loads(estimate.model_dump_json())["score"] is None
    assert LayerScore(name="x", p=value, values={"v": value}).values == {"v": None}
    assert CELL.model_validate({**CELL.model_dump(), "score": value}).score is None


def test_text_is_no_score():
    with pytest.raises(ValidationError):
        Estimate(score="high")


def test_frozen_and_closed():
    with pytest.raises(ValidationError):
        CELL.score = 1.0
    with pytest.raises(ValidationError):
        Estimate(scor=1.0)


@pytest.mark.parametrize(
    "change",
    [{"status": "failed"}, {"metric": None}, {"provenance": None}, {"status": "fine"}, {"schema_version": 2}],
)
def test_inconsistent_cell(change):
    with pytest.raises(ValidationError):
        CellResult.model_validate({**CELL.model_dump(), **change})


def test_key_is_kept_as_json_gives_it_back():
    assert CELL.key == {"seed": 0, "params": {"k": [1, 2]}}
    assert canonical({1: (2,)}) == {"1": [2]}
    for value in (np.zeros(2), Path("x"), math.nan, {1, 2}):
        with pytest.raises(ValidationError):
            CellResult.model_validate({**CELL.model_dump(), "key": {"x": value}})


def test_row_has_the_columns_of_the_command_line():
    found = row(CELL, cached=True, path=Path("r/net.json"))
    assert list(found) == [
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
    ]
    assert found["layers"] == {"early": None, "late": 0.5}
    assert found["ceiling_low"] is None
    assert (found["result_file"], found["cached"]) == ("r/net.json", True)
    json.dumps(found, allow_nan=False)


def test_row_of_a_cell_that_is_not_possible():
    cell = CellResult(
        model="net", task="t", binding="b", suite="mini", status="not_possible", reason="no weights"
    )
    found = row(cell, cached=False, path=None)
    assert (found["status"], found["reason"], found["result_file"]) == ("not_possible", "no weights", None)
    assert found["layers"] == {}
    assert found["score"] is None


def test_provenance():
    assert versions()["numpy"] == np.__version__
    assert versions()["semantic-benchmark"]
    assert len(code_version()) == len(extraction_version()) == 64
    assert code_version() != extraction_version()
    assert now().endswith("+00:00")


def test_representation_version_covers_its_room(tmp_path, monkeypatch):
    from benchmark.results import provenance

    file = tmp_path / "representation" / "concepts.py"
    file.parent.mkdir()
    file.write_text("a")
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path)
    before = provenance.representation_version.__wrapped__()
    file.write_text("b")
    assert provenance.representation_version.__wrapped__() != before


def test_what_the_code_version_leaves_out_is_there():
    from benchmark.results import provenance

    # a wheel carries the plug-ins inside the package
    missing = [part for part in provenance._NO_SCORES if not (provenance.PACKAGE / part).exists()]
    assert set(missing) <= {"models", "tasks"}


def test_code_version_covers_what_changes_a_score_and_nothing_else(tmp_path, monkeypatch):
    from benchmark.results import provenance

    package = tmp_path / "benchmark"
    for name in (
        "measures/rdm.py",
        "inference/b.py",
        "extraction/n.py",
        "datasets/readers/things.py",
        "datasets/readers/cues.csv",
        "datasets/mini/d.py",
    ):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text("a")
    for name in ("registry/load.py", "results/store.py", "cli/run.py", "leaderboard/page.py", "tasks/t.py"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text("a")
    monkeypatch.setattr(provenance, "PACKAGE", package)

    def after(name: str) -> tuple[bool, bool]:
        """Whether each version changes with this file."""
        before = code_version.__wrapped__(), extraction_version.__wrapped__()
        (package / name).write_text("b")
        changed = code_version.__wrapped__() != before[0], extraction_version.__wrapped__() != before[1]
        (package / name).write_text("a")
        return changed

    assert after("measures/rdm.py") == after("inference/b.py") == (True, False)
    assert after("extraction/n.py") == after("datasets/readers/things.py") == (True, True)
    assert after("datasets/readers/cues.csv") == (True, False), "the manifest of stimuli has what readers use"
    for name in ("registry/load.py", "results/store.py", "cli/run.py", "leaderboard/page.py", "tasks/t.py"):
        assert after(name) == (False, False)
    assert after("datasets/mini/d.py") == (False, False)
