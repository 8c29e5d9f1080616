"""A function of the user's own as the dissimilarity of a binding: its numbers, its code, its faults."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist, pdist, squareform

from benchmark.common.errors import UsageError
from benchmark.representation.concepts import UndefinedFeaturesError, feature_rdm
from benchmark.representation.own_rdm import own_rdm

FUNCTION = """
import numpy as np
from scale import SCALE

def manhattan(features):
    return SCALE * np.abs(features[:, None] - features[None]).sum(axis=2)

def similarity(features):
    return np.corrcoef(features)
"""
SUITE = """
suites:
  own:
    miniature: true
    bindings:
      mine: {task: TASK, stimuli: mini_images, target: mini_people, params: {metric: "code/mine.py:NAME"MORE}}
      theirs: {task: TASK, stimuli: mini_images, target: mini_people, params: {metric: cityblockMORE}}
"""


@pytest.fixture
def lab(tmp_path: Path):
    """Write the registry and the function, and give the folder."""

    def write(task: str = "rdm_correlation", name: str = "manhattan", more: str = "") -> Path:
        (tmp_path / "code").mkdir(exist_ok=True)
        (tmp_path / "code" / "mine.py").write_text(FUNCTION)
        (tmp_path / "code" / "scale.py").write_text("SCALE = 2.0\n")
        text = SUITE.replace("TASK", task).replace("NAME", name).replace("MORE", more)
        (tmp_path / "mine.yaml").write_text(text)
        return tmp_path

    yield write
    sys.modules.pop("scale", None)


def run(bench, folder: Path, *bindings: str, more: tuple[str, ...] = ()):
    where = ("--registry", folder / "mine.yaml", "--output", folder / "out", "--suite", "own")
    return bench("run", "-m", "pixels", "-t", ",".join(bindings), *where, *more)


def cell(folder: Path, binding: str) -> dict:
    (path,) = (folder / "out" / "own" / binding).glob("*.json")
    return json.loads(path.read_text())


@pytest.mark.parametrize("task", ["rdm_correlation", "category_clustering"])
def test_it_scores_as_the_metric_of_that_name(lab, bench, task) -> None:
    folder = lab(task)
    assert run(bench, folder, "mine", "theirs").status == 0
    mine, theirs = (cell(folder, name) for name in ("mine", "theirs"))
    for one, other in zip(mine["layers"], theirs["layers"], strict=True):
        for metric, found in one["metrics"].items():
            assert found["score"] == pytest.approx(other["metrics"][metric]["score"], abs=1e-9)


def test_a_dry_run_takes_it_where_the_cost_depends_on_the_parameters(lab, bench) -> None:
    done = run(bench, lab("gwot_matching"), "mine", more=("--dry-run",))
    assert "1 of 1 cells would be scored" in done.out, done.out


def test_its_code_and_what_it_imports_decide_the_result(lab, bench) -> None:
    folder = lab()
    run(bench, folder, "mine")
    assert "nothing was recomputed" in run(bench, folder, "mine").out
    (folder / "code" / "scale.py").write_text("SCALE = 3.0\n")
    where = ("--registry", folder / "mine.yaml", "--output", folder / "out", "--suite", "own")
    assert "code of the function that the binding names: metric" in bench("why", "pixels", "mine", *where).out
    assert "nothing was recomputed" not in run(bench, folder, "mine").out


def test_a_binding_without_one_has_no_new_part_in_its_key(lab, bench) -> None:
    folder = lab()
    run(bench, folder, "mine", "theirs")
    assert "functions" in cell(folder, "mine")["key"]
    assert "functions" not in cell(folder, "theirs")["key"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("similarity", "return dissimilarities, with zeros on the diagonal"),
        ("manhatan", "did you mean manhattan?"),
    ],
)
def test_a_function_that_cannot_be_used_is_one_line(lab, bench, name, why) -> None:
    done = run(bench, lab(name=name), "mine")
    assert done.status != 0
    assert why in " ".join((done.out + done.err).split())


def test_a_parameter_that_takes_no_function_refuses_one(lab, bench) -> None:
    done = run(bench, lab(more=', standardise: "code/mine.py:manhattan"'), "theirs")
    assert "expected one of none, centre, zscore" in " ".join((done.out + done.err).split())


# What a function may give


numbers = arrays(np.float64, st.tuples(st.integers(2, 6), st.integers(1, 4)), elements=st.floats(-9, 9))


@settings(max_examples=40, deadline=None)
@given(numbers)
def test_a_metric_of_scipy_is_taken_as_it_is(features) -> None:
    found = own_rdm(features, lambda x: cdist(x, x, "cityblock"))
    np.testing.assert_allclose(found, squareform(pdist(features, "cityblock")), rtol=1e-12, atol=1e-12)
    assert (found == found.T).all()
    assert not found.diagonal().any()


def skewed(x):
    return np.triu(np.ones((len(x), len(x))), 1)


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda x: pdist(x), r"gives shape \(3,\) for 3 concepts: return \(3, 3\)"),
        (lambda x: cdist(x, x).astype(str), "return real numbers"),
        (lambda x: cdist(x, x) + 0j, "return real numbers"),
        (lambda x: 1.0 - cdist(x, x), "differs from itself by up to 1"),
        (skewed, r"metric 'skewed': not symmetric: 1 from row 0 to row 1, 0 back"),
        (lambda x: None, r"gives shape \(\)"),
    ],
)
def test_what_is_no_rdm_is_refused(function, why) -> None:
    with pytest.raises(UsageError, match=why):
        own_rdm(np.arange(6.0).reshape(3, 2), function)


def test_an_undefined_dissimilarity_makes_the_layer_undefined() -> None:
    def undefined(x):
        return np.where(np.eye(len(x)) > 0, 0.0, np.nan)

    with pytest.raises(UndefinedFeaturesError, match="'undefined': not finite for 6 of 9"):
        feature_rdm(np.arange(6.0).reshape(3, 2), list("abc"), undefined)


def test_the_features_stay_as_they_are() -> None:
    def careless(x):
        x[:] = 0
        return cdist(np.arange(3.0)[:, None], np.arange(3.0)[:, None])

    features = np.arange(6.0).reshape(3, 2)
    own_rdm(features, careless)
    np.testing.assert_array_equal(features, np.arange(6.0).reshape(3, 2))
