"""The task new_name scores a model and passes its controls: ``pytest test_new_name.py``."""

from pathlib import Path

import numpy as np

import benchmark
from benchmark.calibration import check_task
from benchmark.registry import load_registry

REGISTRY = Path(__file__).with_name("registry.yaml")


def test_scores_a_model(tmp_path: Path) -> None:
    """It gives a score with its chance level; ``tmp_path`` is a new folder for the results."""
    cell = benchmark.run("pixels", "new_name", suite="new_name", registries=[REGISTRY], output=tmp_path)[0]
    assert cell.status == "scored", cell.reason
    assert 0 <= cell.score <= 1
    assert 0 < cell.chance < 1


def test_passes_its_controls() -> None:
    """The controls of ``bench calibrate``: data whose score is known."""
    task = load_registry([REGISTRY]).task("new_name").load()()
    assert [control for control in check_task(task, np.random.default_rng(0)) if not control.passed] == []
