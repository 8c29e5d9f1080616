"""``bench reproduce``: a cell run again, and what differs where it is not the same."""

from __future__ import annotations

import json

import pytest
from packaging.requirements import Requirement
from test_page import cell

from benchmark.leaderboard.reproduce import difference
from benchmark.results import ResultStore


@pytest.fixture
def stored(bench, tmp_path):
    done = bench(
        "run", "--model", "pixels", "--task", "people_rdm", "--output", tmp_path / "results", "--seed", 3
    )
    assert done.status == 0
    return tmp_path / "results" / "mini" / "people_rdm" / "pixels.json"


@pytest.mark.slow
def test_a_result_is_reproduced_and_stays_as_it_is(bench, stored):
    before = stored.read_bytes()
    done = bench("reproduce", stored)
    assert done.status == 0
    assert "pixels, people_rdm: reproduced" in done.out
    assert "greatest difference of any number 0," in done.out
    assert "nothing that decides a result differs" in done.out
    assert stored.read_bytes() == before


@pytest.mark.slow
def test_other_numbers_are_named_with_what_differs(bench, stored):
    store = ResultStore(stored.parents[2])
    old = store.read(stored)
    made = old.provenance.model_copy(update={"packages": {**old.provenance.packages, "numpy": "1.0"}})
    key = {**old.key, "code": "f" * 64}
    store.write(old.model_copy(update={"score": old.score + 0.01, "provenance": made, "key": key}))
    done = bench("reproduce", stored)
    assert done.status == 1
    assert "NOT reproduced" in done.out
    assert f"score: {old.score + 0.01} -> {old.score}" in done.out
    assert "code of the suite  ffffffffffff… ->" in done.out
    assert "numpy  1.0 ->" in done.out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"status": "failed", "reason": "no memory"}, "nothing to reproduce"),
        ({"binding": "people_rdm@cosine"}, "bench robustness --binding people_rdm"),
        ({"model": "nobody"}, "nobody"),
    ],
)
def test_what_cannot_be_run_again_is_said(bench, tmp_path, change, said):
    path = ResultStore(tmp_path).write(cell(**change)).path
    done = bench("reproduce", path)
    assert done.status == 2
    assert said in done.err


def test_a_file_that_is_no_result_is_one_line(bench, tmp_path):
    (tmp_path / "x.json").write_text(json.dumps([1]))
    done = bench("reproduce", tmp_path / "x.json")
    assert done.status == 2
    assert len(done.err.splitlines()) == 1


def test_a_layer_that_is_gone_is_an_infinite_difference():
    whole = cell()
    assert difference(whole, whole.model_copy(update={"layers": whole.layers[:1]})) == float("inf")


def test_the_versions_of_a_result_are_printed_as_pip_reads_them(bench, tmp_path):
    result = cell()
    path = ResultStore(tmp_path).write(result).path
    done = bench("reproduce", path, "--requirements")
    assert done.status == 0
    lines = done.out.splitlines()
    versions = {requirement.name: str(requirement.specifier) for requirement in map(Requirement, lines[2:])}
    assert versions == {name: f"=={version}" for name, version in result.provenance.packages.items()}
    assert all(line.startswith("#") for line in lines[:2])
    assert f"Python {result.provenance.python}" in lines[0]
    assert result.provenance.code_version in lines[1]


def test_a_result_without_a_score_has_no_versions(bench, tmp_path):
    path = ResultStore(tmp_path).write(cell(status="failed", reason="no memory", provenance=None)).path
    done = bench("reproduce", path, "--requirements")
    assert done.status == 2
    assert "no versions are known" in done.err
