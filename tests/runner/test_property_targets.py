"""No shipped task takes property norms, and a user who binds them reads that."""

from __future__ import annotations

import pytest

from benchmark.common.errors import NotPossible
from benchmark.registry import load_registry
from benchmark.runner import Cell, Options, Session
from benchmark.runner.score import assemble


def test_a_binding_to_properties_says_that_no_task_takes_them(tmp_path):
    assert not [n for n, t in load_registry().tasks.items() if "properties" in t.load().target_kinds]
    file = tmp_path / "suite.yaml"
    file.write_text(
        "suites: {p: {miniature: true, bindings: "
        "{b: {task: rdm_correlation, stimuli: mini_images, target: mini_properties}}}}\n"
    )
    session = Session(Options(registries=(file,), output=tmp_path))
    with pytest.raises(NotPossible, match="is properties; no shipped task takes properties"):
        assemble(session, Cell("pixels", "b", "p"))
