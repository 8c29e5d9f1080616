"""``bench compare``: paired differences from results alone."""

import csv
import io
import json

import pytest

from benchmark.inference import fdr, paired_difference
from benchmark.results import ResultStore, perturbed_of


@pytest.fixture
def results(bench, tmp_path):
    tasks = "people_rdm,area_early_rdm,words_alignment"
    assert bench("run", "--model", "mini_encoder,pixels", "--task", tasks, "--output", tmp_path).status == 0
    return tmp_path


def test_the_differences_are_those_of_the_results(bench, results):
    done = bench("compare", "mini_encoder,pixels", "--output", results, "--format", "json")
    assert done.status == 0
    rows = {row["binding"]: row for row in json.loads(done.out)}
    assert rows.keys() == {"people_rdm", "area_early_rdm", "words_alignment"}
    cells = {(s.cell.binding, s.cell.model): s.cell for s in ResultStore(results).all()[0]}
    for binding, row in rows.items():
        first, second = (perturbed_of(cells[binding, m]) for m in ("mini_encoder", "pixels"))
        expected = paired_difference(first, second)
        assert (row["difference"], row["low"], row["high"], row["p"]) == pytest.approx(expected)
        assert row["difference"] == pytest.approx(first.score - second.score)
        assert row["low"] < row["difference"] < row["high"]
        assert row["n"] == 48
    assert [row["p_fdr"] for row in rows.values()] == pytest.approx(fdr([r["p"] for r in rows.values()]))
    assert rows["people_rdm"]["p_fdr"] < 0.05


def test_table_and_csv_say_the_same(bench, results):
    text = bench("compare", "mini_encoder", "pixels", "--output", results)
    assert "MINIATURE" in text.out
    listed = bench("compare", "mini_encoder", "pixels", "--output", results, "--format", "csv").out
    for row in csv.DictReader(io.StringIO(listed)):
        assert f"{float(row['difference']):.3f}" in text.out


def test_results_that_cannot_be_compared_say_why(bench, results):
    store = ResultStore(results)
    (stored,) = (s for s in store.all()[0] if (s.cell.binding, s.cell.model) == ("people_rdm", "pixels"))
    store.write(stored.cell.model_copy(update={"n": 10}))
    (other,) = (s for s in store.all()[0] if (s.cell.binding, s.cell.model) == ("words_alignment", "pixels"))
    store.write(other.cell.model_copy(update={"perturbed": None}))
    done = bench("compare", "mini_encoder", "pixels", "--output", results, "--format", "json")
    why = {row["binding"]: (row["why"], row["difference"]) for row in json.loads(done.out)}
    assert why["people_rdm"] == ("scored on 48 and on 10 concepts", None)
    assert why["words_alignment"] == ("a result holds no changes of its score: run it again", None)
    assert why["area_early_rdm"][0] == ""


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ("mini_encoder", "two models or more"),
        ("mini_encoder,mini_clip", "bench run --suite mini --model mini_clip"),
    ],
)
def test_what_cannot_be_compared_is_one_line(bench, results, models, said):
    done = bench("compare", models, "--output", results)
    assert done.status == 2
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1
