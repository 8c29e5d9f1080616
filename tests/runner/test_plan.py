"""Which cells a command asks for."""

from __future__ import annotations

import pytest

from benchmark.common.errors import UsageError
from benchmark.registry import load_registry, read_registry
from benchmark.runner import plan


def test_all_is_what_the_suite_lists():
    registry = load_registry()
    models = list(dict.fromkeys(cell.model for cell in plan(registry, ["all"], ["all"], "mini")))
    assert models == list(registry.suite("mini").models)
    assert "clip_vit_b32" not in models


def test_all_has_a_users_own_models_also_from_the_same_folder(tmp_path):
    """In a checkout a user's file may well stand beside the shipped one."""
    shipped, own = tmp_path / "registry.yaml", tmp_path / "mine.yaml"
    shipped.write_text(
        "models: {listed: {plugin: a.py:A}, unlisted: {plugin: a.py:A}}\n"
        "tasks: {t: {plugin: a.py:T}}\n"
        "datasets: {d: {kind: target, plugin: a.py:d}, i: {kind: stimuli, plugin: a.py:i}}\n"
        "suites:\n"
        "  s: {models: [listed], bindings: {b: {task: t, stimuli: i, target: d}}}\n"
        "  z: {models: []}\n"
    )
    own.write_text("models:\n  mine: {plugin: a.py:A}\n  other: {plugin: a.py:A, suites: [z]}\n")
    models = [cell.model for cell in plan(read_registry([shipped, own]), ["all"], ["all"], "s")]
    assert models == ["listed", "mine"]


def test_tasks_and_single_bindings_may_be_named():
    registry = load_registry()
    by_task = [cell.binding for cell in plan(registry, ["pixels"], ["rdm_correlation"], "mini")]
    assert by_task == ["people_rdm", "area_early_rdm", "area_late_rdm"]
    assert [c.binding for c in plan(registry, ["pixels"], ["people_rdm"], "mini")] == ["people_rdm"]


def test_a_model_named_twice_is_run_once():
    cells = plan(load_registry(), ["pixels", "all", "pixels"], ["people_rdm"], "mini")
    assert len({cell.model for cell in cells}) == len(cells)


def test_a_task_that_the_suite_does_not_bind_is_refused():
    with pytest.raises(UsageError, match="did you mean"):
        plan(load_registry(), ["pixels"], ["people_rmd"], "mini")


@pytest.mark.parametrize(
    ("name", "said"), [("hit_rdm", "hit_rdm"), ("hit", "hit_reweighted, hit_rdm, hit_partition")]
)
def test_a_name_that_another_suite_knows_is_said_to_be_there(name, said):
    with pytest.raises(UsageError, match=rf"suite 'human' has {said}$"):
        plan(load_registry(), ["pixels"], [name], "mini")
