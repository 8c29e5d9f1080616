"""Several word spaces on one set of concepts: a binding keeps the concepts that all of them have."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.common.errors import NotPossible
from benchmark.datasets import Stimuli, VectorTarget, join
from benchmark.datasets.join import rows_in_all
from benchmark.registry import RegistryError, read_registry
from benchmark.runner import Cell, Options, Session
from benchmark.runner.key import unchanged

REGISTRY = """
datasets:
  few:
    kind: target
    plugin: benchmark.datasets.readers.words:vectors
    params: {path: few.txt}
suites:
  spaces:
    miniature: true
    bindings:
      alone: {task: two_vs_two, stimuli: mini_images, target: mini_word_vectors, params: {permutations: 1}}
      common:
        task: two_vs_two
        stimuli: mini_images
        target: mini_word_vectors
        concepts_common_to: [mini_word_vectors, few]
        params: {permutations: 1}
"""


def target(name: str, ids: str) -> VectorTarget:
    return VectorTarget(name, tuple(ids), "h", vectors=np.array([[float(ord(c)), 1.0] for c in ids]))


@given(
    st.lists(st.sets(st.sampled_from("abcdefgh"), min_size=1), min_size=1, max_size=4),
    st.permutations("abcdefgh"),
)
def test_the_rows_are_those_whose_id_all_have_in_their_order(
    others: list[set[str]], order: list[str]
) -> None:
    whole = target("whole", "".join(order))
    spaces = [target(f"space {i}", "".join(sorted(ids))) for i, ids in enumerate(others)]
    expected = [c for c in order if all(c in ids for ids in others)]
    if not expected:
        with pytest.raises(NotPossible, match="no id of target 'whole' is in all of space 0"):
            rows_in_all(whole, spaces)
        return
    kept = rows_in_all(whole, spaces)
    assert kept.ids == tuple(expected)
    assert [chr(int(row[0])) for row in kept.vectors] == expected


def test_a_concept_of_two_names_joins_all_spaces_by_the_name_that_all_have() -> None:
    names = {"cab": ("taxi", "cab"), "b": ("b",), "c": ("c",), "d": ("d",)}
    shown = Stimuli("photos", tuple(names), tuple(names), "m", keys={"word": names})
    first = VectorTarget("first", ("taxi", "cab", "b", "c"), "h", vectors=np.eye(4))
    second = VectorTarget("second", ("cab", "b", "c", "d"), "h", vectors=np.eye(4))
    both = [join(shown, rows_in_all(space, [first, second]), "word") for space in (first, second)]
    assert both[0].concepts == both[1].concepts == ("cab", "b", "c")
    assert both[0].target.ids == both[1].target.ids == ("cab", "b", "c")


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    words = Session(Options()).target("mini_word_vectors").ids[::2]
    lines = (f"{word} {i} {i * i % 7} 1" for i, word in enumerate(words))
    (tmp_path / "few.txt").write_text("\n".join(lines))
    path = tmp_path / "mine.yaml"
    path.write_text(REGISTRY)
    return path


def test_a_binding_scores_the_common_concepts_alone_and_says_so(bench, registry) -> None:
    folder = registry.parent
    command = ("--registry", registry, "--data", folder, "--suite", "spaces", "--model", "pixels")
    done = bench("run", *command, "--task", "all", "--output", folder / "out", "--format", "json")
    assert done.status == 0, done.err
    assert "error" not in done.err
    n = {row["binding"]: row["n"] for row in json.loads(done.out)}
    session = Session(Options((registry,), folder, folder / "out"))
    few = set(session.target("few").ids)
    joined = join(session.stimuli("mini_images"), session.target("mini_word_vectors"))
    assert n == {"alone": len(joined.concepts), "common": len(few & set(joined.target.ids))}
    assert n["common"] < n["alone"]
    (said,) = [
        note for note in session.results.last("spaces", "common", "pixels").cell.notes if "only ids" in note
    ]
    assert said.startswith("only ids that mini_word_vectors, few all have are compared")
    # another file of words is another key for the binding that names it, and for no other
    (folder / "few.txt").write_text("\n".join((folder / "few.txt").read_text().splitlines()[:-1]))
    fresh = Session(Options((registry,), folder, folder / "out"))
    assert unchanged(fresh, Cell("pixels", "alone", "spaces")) is not None
    assert unchanged(fresh, Cell("pixels", "common", "spaces")) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fewer", "unknown dataset 'fewer'; did you mean few?"),
        ("mini_images", "is of kind stimuli, not target"),
    ],
)
def test_a_name_that_is_no_target_is_refused_with_its_place(registry, name: str, said: str) -> None:
    registry.write_text(REGISTRY.replace("vectors, few]", f"vectors, {name}]"))
    with pytest.raises(RegistryError, match="concepts_common_to") as caught:
        read_registry([*Session(Options()).registry.files, registry])
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
