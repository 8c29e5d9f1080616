"""Property norms: the cuts on frequency and on concepts, and a task that takes no properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse

from benchmark.common.errors import NotPossible
from benchmark.datasets import PropertyTarget
from benchmark.datasets.properties import concept_names, finer_kind
from benchmark.runner import Cell, Options, Session
from benchmark.runner.score import assemble


def norms(table: np.ndarray) -> PropertyTarget:
    rows, columns = table.shape
    return PropertyTarget(
        name="norms",
        ids=tuple(f"concept {i}" for i in range(rows)),
        hash="h",
        columns=tuple(f"property {i}" for i in range(columns)),
        counts=sparse.csr_array(table.astype(float)),
        respondents=np.full(rows, 30.0),
        types=tuple(f"type {i % 2}" for i in range(columns)),
    )


@given(arrays(int, (6, 5), elements=st.integers(0, 9)), st.integers(1, 9), st.integers(1, 6))
def test_the_cuts_are_those_of_a_loop(table: np.ndarray, frequency: int, concepts: int) -> None:
    kept = [j for j in range(5) if sum(table[i, j] >= frequency for i in range(6)) >= concepts]
    if not kept:
        with pytest.raises(NotPossible, match=f"frequency {frequency} or more for {concepts} of the 6"):
            norms(table).cut(frequency, concepts)
        return
    common = norms(table).cut(frequency, concepts)
    assert common.columns == tuple(f"property {j}" for j in kept)
    assert common.types == tuple(f"type {j % 2}" for j in kept)
    expected = [[f if (f := table[i, j]) >= frequency else 0 for j in kept] for i in range(6)]
    assert common.counts.toarray().tolist() == expected


def test_concepts_are_counted_among_those_in_use() -> None:
    table = np.array([[9, 9], [9, 0], [9, 9], [0, 9]])
    assert norms(table).cut(5, 3).columns == ("property 0", "property 1")
    without = norms(table).select(["concept 0", "concept 1", "concept 2"])
    assert without.cut(5, 3).columns == ("property 0",)


def test_a_binding_to_properties_of_a_task_that_takes_none_says_so(tmp_path) -> None:
    file = tmp_path / "suite.yaml"
    file.write_text(
        "suites: {p: {miniature: true, bindings: "
        "{b: {task: rdm_correlation, stimuli: mini_images, target: mini_properties}}}}\n"
    )
    session = Session(Options(registries=(file,), output=tmp_path))
    with pytest.raises(NotPossible, match="compares with rdm; target 'mini_properties' is properties"):
        assemble(session, Cell("pixels", "b", "p"))


@given(st.lists(st.sampled_from(["bat", "Seal", "can opener"]), min_size=1, unique=True), st.data())
def test_names_of_concepts_keep_a_sense_only_where_two_have_one_name(names, data) -> None:
    senses = [data.draw(st.sampled_from([("",), ("_(animal)",), ("_(animal)", "_(tool)")])) for _ in names]
    ids = [name + sense for name, all_of in zip(names, senses, strict=True) for sense in all_of]
    found = concept_names(ids)
    assert len(set(found)) == len(ids)
    for name, all_of in zip(names, senses, strict=True):
        plain = name.lower().replace(" ", "_")
        if len(all_of) == 1:
            assert plain in found
        else:
            assert {plain + sense for sense in all_of} <= set(found)


def test_finer_kinds_are_by_list_and_then_by_name() -> None:
    kinds = {name: finer_kind(name, {"is_red", "has spots"}, {"is big_large"}) for name in (
        "is red", "has_spots", "is big_large", "is loud", "has wheels", "does fly", "made of wood",
        "is made of wood", "barks", "isolated",
    )}  # fmt: skip
    assert list(kinds.values()) == [
        "colour", "colour", "shape and size", "is", "has", "does", "made of", "made of", "other", "other",
    ]  # fmt: skip
