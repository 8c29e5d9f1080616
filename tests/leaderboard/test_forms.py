"""The numbers of the page in other forms, and the page served."""

from __future__ import annotations

import csv
import json
import threading
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import pytest
from test_page import HOSTILE, cell

from benchmark.common.errors import UsageError
from benchmark.leaderboard import build_page
from benchmark.leaderboard.latex import escaped
from benchmark.leaderboard.serve import Server
from benchmark.registry import load_registry
from benchmark.results import CellResult, Estimate, LayerScore, Provenance, ResultStore

ROOT = Path(__file__).parents[2]


@pytest.fixture
def results(tmp_path):
    layers = tuple(
        LayerScore(name=n, p=0.01 * i, p_fdr=0.02 * i, metrics={"spearman": Estimate(score=0.1 * i)})
        for i, n in enumerate(("one", "two", "three"), 1)
    )
    store = ResultStore(tmp_path / "results")
    store.write(cell("a_1", -0.25, layers=layers))
    store.write(cell(HOSTILE, 0.4, trained_on=True))
    return tmp_path / "results"


def test_csv_and_json_hold_the_same_rows_with_p_and_depth(results, tmp_path):
    said = build_page(results, tmp_path / "board.html", load_registry(), ["csv", "json"])
    assert said == f"2 results -> {tmp_path / 'board.csv'}, and .json beside it"
    assert not (tmp_path / "board.html").exists()
    rows = json.loads((tmp_path / "board.json").read_text())
    as_text = list(csv.DictReader((tmp_path / "board.csv").open()))
    plain = [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
    assert as_text == plain
    of_a = [row for row in rows if row["model"] == "a_1"]
    assert [(r["layer"], r["depth"], r["p"], r["p_fdr"]) for r in of_a] == [
        ("", None, 0.02, 0.04),
        ("one", 0.0, 0.01, 0.02),
        ("two", 0.5, 0.02, 0.04),
        ("three", 1.0, 0.03, 0.06),
    ]
    assert {row["best_layer"] for row in of_a} == {"two"}


def test_latex_has_every_score_with_its_p_and_no_markup_of_a_name(results, tmp_path):
    build_page(results, tmp_path / "board.html", load_registry(), ["tex"])
    text = (tmp_path / "board.tex").read_text()
    assert r"a\_1 & $-$0.250 & [$-$0.350, $-$0.150] & 0.000 & 0.600--0.700 & 48 & 0.040 \\" in text
    assert r"\textless{}script\textgreater{}alert(1)\textless{}/script\textgreater{}$\dagger$" in text
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert rule in text
    assert escaped("\\input{x}%\n") == r"\textbackslash{}input\{x\}\%\textbackslash{}n"


def test_no_form_lets_a_name_be_more_than_text(tmp_path):
    """Formulas, escapes of terminals, line ends and turned writing, in every name that a result has."""
    wild = "=1+1|`\x1b[31m\n# head\r\n| a |\x00\x7f\x85\u2028\u202e <b> **x**"
    layers = tuple(LayerScore(name=n, metrics={"spearman": Estimate(score=-0.1)}) for n in ("@a", "\t-b"))
    store = ResultStore(tmp_path / "results")
    store.write(cell(wild, -0.25, suite=wild, binding=f"+{wild}", best_layer="@a", layers=layers))
    store.refuse(cell("b", suite=wild, binding=f"+{wild}", status="not_possible", score=0.0, reason=wild))
    forms = ["html", "csv", "json", "md", "tex"]
    said = build_page(store.folder, tmp_path / "board.html", load_registry(), forms)
    assert said.startswith("1 results")
    for form in forms[1:]:
        text = (tmp_path / f"board.{form}").read_bytes().decode()
        assert [c for c in set(text) if not c.isprintable() and c != "\n"] == [], form
    # the page carries libraries, whose texts hold invisible blanks
    page = (tmp_path / "board.html").read_bytes().decode()
    assert not set(page) & set("\x1b\x00\x7f\x85\u2028\u202e\r")
    rows = list(csv.reader((tmp_path / "board.csv").open()))
    assert [
        c
        for row in rows
        for c in row
        if c[:1] in ("=", "+", "-", "@") and c.lstrip("-")[:1] not in "0123456789"
    ] == []
    lines = (tmp_path / "board.md").read_text().splitlines()
    assert [line[:2] for line in lines if line] == ["##", "| ", "| ", "| "]
    assert "<b>" not in "".join(lines).replace(r"\<b\>", "")


def test_the_json_beside_results_is_no_result(bench, results):
    assert bench("leaderboard", "build", "--output", results, "--format", "json").status == 0
    done = bench("results", "check", results)
    assert "2 results, 0 with a fault" in done.out


def test_a_format_that_nobody_knows_is_refused(bench, results):
    done = bench("leaderboard", "build", "--output", results, "--format", "xls")
    assert done.status == 2


@pytest.fixture
def server(results, tmp_path):
    with Server(results, tmp_path / "served", load_registry(), 0) as one:
        thread = threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield one
        one.shutdown()
        thread.join()


def read(address):
    # no proxy of the environment stands between this machine and itself
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(address, timeout=10).read().decode()


def test_the_served_page_is_built_anew_when_results_change(server, results):
    assert server.server_address[0] == "127.0.0.1"
    assert "newcomer" not in read(server.address)
    ResultStore(results).write(cell("newcomer"))
    assert "newcomer" in read(server.address)
    with pytest.raises(HTTPError):
        read(server.address + "../results")


def test_without_results_the_served_page_says_how_to_make_the_first(server, results):
    for file in results.glob("*/*/*.json"):
        file.unlink()
    assert "No result yet" in read(server.address)


def test_a_reason_that_is_new_is_on_the_served_page(server, results):
    lost = {"status": "not_possible", "score": None, "reason": "too few concepts"}
    ResultStore(results).write(cell("a_1", binding="area_late_rdm"))
    ResultStore(results).write(cell("newcomer", binding="area_late_rdm"))
    assert "too few concepts" not in read(server.address)
    ResultStore(results).refuse(cell("newcomer").model_copy(update=lost))
    assert "too few concepts" in read(server.address)


def test_a_port_that_is_taken_is_said(server, results, tmp_path):
    with pytest.raises(UsageError, match="--port"):
        Server(results, tmp_path / "other", load_registry(), server.server_port)


def test_the_docs_name_every_column_and_field(results, tmp_path):
    build_page(results, tmp_path / "board.html", load_registry(), ["json"])
    row = json.loads((tmp_path / "board.json").read_text())[0]
    text = (ROOT / "docs" / "reference" / "result-files.md").read_text()
    models = (CellResult, LayerScore, Estimate, Provenance)
    fields = [name for model in models for name in model.model_fields]
    assert [name for name in (*row, *fields) if f"`{name}`" not in text] == []
