"""``bench report``: one page on a model, for a supplement."""

from __future__ import annotations

import shutil

import pytest
from test_page import HOSTILE, Page, cell

from benchmark.results import Estimate, LayerScore, ResultStore


def test_a_report_has_scores_methods_references_and_asks_for_nothing(bench, tmp_path):
    store = ResultStore(tmp_path / "results")
    store.write(cell("mine", 0.4321))
    store.write(cell("mine", 0.2, suite="human", binding="hit_rdm"))
    store.write(cell("other", 0.9))
    done = bench("report", "mine", "--output", tmp_path / "results", "--page", tmp_path / "mine.html")
    assert done.status == 0
    assert "bindings: 1" in done.out
    text = (tmp_path / "mine.html").read_text()
    page = Page(text)
    assert "script" not in page.tags
    assert "svg" in page.tags
    assert not [link for link in page.links if not link.startswith("#")]
    for part in (
        "0.432",
        "nili2014toolbox",
        "bench run --suite mini --model mine --task people_rdm",
        "Miniature",
    ):
        assert part in text
    assert "other" not in text.split("<h2>Layers</h2>")[0]
    assert "hit_rdm" not in text


def test_markup_in_a_name_is_text(bench, tmp_path):
    ResultStore(tmp_path / "results").write(cell(HOSTILE))
    done = bench("report", HOSTILE, "--output", tmp_path / "results", "--page", tmp_path / "x.html")
    assert done.status == 0
    assert "script" not in Page((tmp_path / "x.html").read_text()).tags


def test_a_model_without_results_is_one_line(bench, tmp_path):
    done = bench("report", "nobody", "--output", tmp_path)
    assert done.status == 2
    assert "bench run --suite mini --model nobody" in done.err


def test_a_file_without_a_known_ending_is_one_line(bench, tmp_path):
    ResultStore(tmp_path / "results").write(cell("mine"))
    done = bench("report", "mine", "--output", tmp_path / "results", "--page", tmp_path / "foo")
    assert done.status == 2
    assert "unknown format; end the name in .html or .pdf" in done.err


def test_without_a_browser_a_pdf_says_what_to_do(bench, tmp_path, monkeypatch):
    ResultStore(tmp_path / "results").write(cell("mine"))
    monkeypatch.setattr("shutil.which", lambda _: None)
    done = bench("report", "mine", "--output", tmp_path / "results", "--page", tmp_path / "mine.pdf")
    assert done.status == 2
    assert "end the name in .html" in done.err
    assert not (tmp_path / "mine.pdf").exists()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no Chromium here")
def test_a_report_is_printed_as_pdf(bench, tmp_path):
    ResultStore(tmp_path / "results").write(cell("mine"))
    done = bench("report", "mine", "--output", tmp_path / "results", "--page", tmp_path / "mine.pdf")
    assert done.status == 0
    assert (tmp_path / "mine.pdf").read_bytes().startswith(b"%PDF-")


def test_n_is_named_by_what_it_counts(bench, tmp_path):
    decoding = {"task": "property_decoding", "binding": "properties_decoding", "metric": "f1", "n": 43}
    layer = LayerScore(name="two", metrics={"f1": Estimate(score=0.4)})
    ResultStore(tmp_path / "results").write(cell("mine", layers=(layer,), **decoding))
    bench("report", "mine", "--output", tmp_path / "results", "--page", tmp_path / "mine.html")
    assert "43 properties" in (tmp_path / "mine.html").read_text()
