"""What every task of the registry must do, whatever it measures; a new entry is tested by being there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmark.common.errors import UsageError
from benchmark.registry import load_registry
from benchmark.task import Task

REGISTRY = load_registry()


@pytest.fixture(params=REGISTRY.tasks)
def name(request) -> str:
    return request.param


@pytest.fixture
def task(name) -> Task:
    return REGISTRY.task(name).load()()


def test_entry_asks_a_question_and_names_its_file(name):
    entry = REGISTRY.task(name).entry
    assert entry.description.endswith("?")
    assert Path(entry.plugin.partition(":")[0]) == Path("tasks") / f"{name}.py"


def test_declares_what_it_is(name, task):
    assert isinstance(task, Task)
    assert task.name == name
    assert type(task).__doc__
    assert task.version >= 1
    assert task.reference.startswith("@")
    assert task.target_kinds
    names = [metric.name for metric in task.metrics]
    assert len(set(names)) == len(names)
    for metric in task.metrics:
        assert metric.range[0] < metric.range[1]
        assert metric.chance


def test_is_bound_in_the_miniature(name):
    assert name in {binding.task for binding in REGISTRY.bindings("mini").values()}


@pytest.mark.slow
def test_the_whole_set_of_controls_passes(task):
    controls = task.calibrate(np.random.default_rng(0))
    assert {control.kind for control in controls} >= {"copy", "noisy", "noise", "permuted"}
    assert sum("noisy copy" in control.name for control in controls) in (2, 3, 6), "of one metric or of two"
    assert [c for c in controls if not c.passed] == []


def test_refuses_an_unknown_parameter(task):
    joined = view = None  # parameters are read before anything else
    with pytest.raises(UsageError, match="colour"):
        task.score(view, joined, {"colour": "red"}, np.random.default_rng(0))
