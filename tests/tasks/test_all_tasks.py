"""What every task must do, whatever it measures."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.common.errors import UsageError
from benchmark.task import Task

TASKS = {
    "alignment": "Alignment",
    "association_topk": "AssociationTopK",
    "gwot_matching": "GWOTMatching",
    "one_vs_two": "OneVsTwo",
    "rdm_correlation": "RDMCorrelation",
    "two_vs_two": "TwoVsTwo",
}


@pytest.fixture(params=TASKS)
def task(request, plugin) -> Task:
    return getattr(plugin(request.param), TASKS[request.param])()


def test_declares_what_it_is(task):
    assert TASKS[task.name] == type(task).__name__
    assert task.version >= 1
    assert task.reference.startswith("@")
    assert task.target_kinds
    names = [metric.name for metric in task.metrics]
    assert len(set(names)) == len(names)
    for metric in task.metrics:
        assert metric.range[0] < metric.range[1]
        assert metric.chance


@pytest.mark.slow
def test_the_whole_set_of_controls_passes(task):
    controls = task.calibrate(np.random.default_rng(0))
    assert {control.kind for control in controls} >= {"copy", "noisy", "noise", "permuted"}
    assert sum(control.name.startswith("noisy copy") for control in controls) == 3
    assert [c for c in controls if not c.passed] == []


def test_refuses_an_unknown_parameter(task):
    joined = view = None  # parameters are read before anything else
    with pytest.raises(UsageError, match="colour"):
        task.score(view, joined, {"colour": "red"}, np.random.default_rng(0))
