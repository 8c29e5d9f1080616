"""The leaderboard page, from real result files and from hostile ones."""

from __future__ import annotations

import csv
import html
import json
import re
import shlex
from html.parser import HTMLParser

import pytest

from benchmark.leaderboard import build_page
from benchmark.registry import load_registry
from benchmark.results import CellResult, Estimate, LayerScore, Provenance, ResultStore

HOSTILE = "<script>alert(1)</script>"


def cell(model="a", score=0.4, suite="mini", binding="people_rdm", **more) -> CellResult:
    fields = {
        "model": model,
        "task": "rdm_correlation",
        "binding": binding,
        "suite": suite,
        "miniature": suite == "mini",
        "status": "scored",
        "metric": "spearman",
        "score": score,
        "ci_low": score - 0.1,
        "ci_high": score + 0.1,
        "chance": 0.0,
        "ceiling_low": 0.6,
        "ceiling_high": 0.7,
        "best_layer": "two",
        "n": 48,
        "layers": tuple(
            LayerScore(name=name, metrics={"spearman": Estimate(score=s, ci_low=s - 0.1, ci_high=s + 0.1)})
            for name, s in (("one", score / 2), ("two", score))
        ),
        "provenance": Provenance(
            registry_entry={},
            weights_sha256=None,
            weights="w",
            preprocessing="none",
            stimuli_manifest="m",
            target_hash="t",
            task_version=1,
            params={},
            seed=0,
            packages={},
            python="3",
            device="cpu",
            dtype="float32",
            code_version="c",
            created="now",
            seconds=1.0,
        ),
    }
    return CellResult.model_validate({**fields, **more})


class Page(HTMLParser):
    """Text by element, and every tag."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for key, value in attrs if key in ("src", "href") and value]


def build(tmp_path, *cells):
    store = ResultStore(tmp_path / "results")
    for c in cells:
        store.write(c)
    page = tmp_path / "out" / "page.html"
    said = build_page(tmp_path / "results", page, load_registry())
    return page.read_text(), said, list(csv.DictReader(page.with_suffix(".csv").open()))


def data(text, name="content"):
    """What the page gives to its script."""
    return json.loads(re.search(f'<script type="application/json" id="{name}">(.*?)</script>', text, re.S)[1])


def suite(text, name="mini"):
    return next(s for s in data(text)["suites"] if s["name"] == name)


def test_every_result_stands_in_the_page_and_the_csv(tmp_path):
    text, _, rows = build(tmp_path, cell("a", 0.4), cell("b", 0.5, untrained=True), cell("c", 0.3))
    (binding,) = suite(text)["bindings"]
    shown = {c["model"]: (c["s"], c["l"], c["h"], c["c"], c["gl"], c["gh"], c["n"]) for c in binding["cells"]}
    assert shown["a"] == (0.4, 0.3, 0.5, 0.0, 0.6, 0.7, 48)
    assert {model: row[0] for model, row in shown.items()} == {"a": 0.4, "b": 0.5, "c": 0.3}
    whole = {row["model"]: float(row["score"]) for row in rows if not row["layer"]}
    assert whole == {"a": 0.4, "b": 0.5, "c": 0.3}
    assert len(rows) == 3 * (1 + 2)


def test_the_page_is_self_contained(tmp_path):
    text, _, _ = build(tmp_path, cell())
    page = Page(text)
    assert page.tags.count("script") > 3
    assert all(link.startswith("#") for link in page.links)
    assert not re.search(r"@import|url\((?!data:)", text[: text.index("</head>")])


def test_the_best_stands_first(tmp_path):
    text, _, _ = build(tmp_path, cell("low", 0.1), cell("high", 0.5))
    assert [c["model"] for c in suite(text)["bindings"][0]["cells"]] == ["high", "low"]


def test_suites_never_share_a_table_and_the_miniature_says_so(tmp_path):
    text, _, _ = build(tmp_path, cell("a"), cell("b", suite="human", binding="hit_rdm"))
    assert suite(text)["miniature"]
    assert not suite(text, "human")["miniature"]
    assert [m["name"] for m in suite(text)["models"]] == ["a"]
    assert [m["name"] for m in suite(text, "human")["models"]] == ["b"]


def test_names_are_escaped_and_never_leave_the_folder(tmp_path):
    text, _, _ = build(tmp_path, cell(HOSTILE), cell("../../up"))
    assert HOSTILE not in text
    assert {m["name"] for m in suite(text)["models"]} == {HOSTILE, "../../up"}
    assert not (tmp_path / "up.json").exists()
    assert {p.parents[2] for p in tmp_path.rglob("*.json")} == {tmp_path / "results"}


def test_undefined_layers_say_why(tmp_path):
    layers = (LayerScore(name="one", undefined="constant features"), *cell().layers[1:])
    text, _, _ = build(tmp_path, cell(layers=layers))
    (profile,) = data(text, "layers")["here"]["mini"]
    assert profile["layers"][0] == {"name": "one", "undefined": "constant features"}
    assert profile["layers"][1]["metrics"]["spearman"] == {"s": 0.4, "l": 0.3, "h": 0.5}


def test_cells_keep_their_own_chance_and_number_of_concepts(tmp_path):
    text, _, _ = build(tmp_path, cell("all", 0.3, chance=0.02), cell("few", 0.5, chance=0.097, n=10))
    (binding,) = suite(text)["bindings"]
    assert binding["n"] == 48
    assert {c["model"]: (c["c"], c["n"]) for c in binding["cells"]} == {"all": (0.02, 48), "few": (0.097, 10)}
    row = next(x for x in (tmp_path / "out" / "page.md").read_text().splitlines() if "people_rdm" in x)
    assert row.endswith("| 0.020 to 0.097 | 0.600 to 0.700 | 10 to 48 |")
    assert "0.500 [0.400, 0.600] (n 10)" in row


def test_layers_of_many_cells_lie_beside_the_page(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmark.leaderboard.build._INSIDE", 10)
    text, _, _ = build(tmp_path, cell("a"))
    name = data(text, "layers")["files"]["mini"]
    script = (tmp_path / "out" / name).read_text()
    kind, suite_name, layers = json.loads(f"[{script.removeprefix('receive(').removesuffix(');')}]")
    assert (kind, suite_name) == ("layers", "mini")
    assert layers[0]["model"] == "a"


def test_markdown_has_every_score_of_every_suite(tmp_path):
    build(
        tmp_path, cell("a", 0.4, trained_on=True), cell("b", 0.5), cell("a", suite="human", binding="hit_rdm")
    )
    mini, human = (tmp_path / "out" / "page.md").read_text().split("## human")
    row = next(line for line in mini.splitlines() if "people_rdm" in line)
    assert row.split(" | ")[2:6] == [
        "0.400† [0.300, 0.500]",
        "0.500 [0.400, 0.600]",
        "0.000",
        "0.600 to 0.700",
    ]
    assert "Miniature" in mini
    assert "Miniature" not in human


def test_without_a_result_the_page_says_how_to_make_the_first(bench, tmp_path):
    folder = tmp_path / "my results"
    done = bench("leaderboard", "build", "--output", folder)
    assert done.status == 0
    assert done.out.strip().endswith("leaderboard.html says how to make the first")
    text = (folder / "leaderboard.html").read_text()
    run, again = (shlex.split(html.unescape(found)) for found in re.findall(r"<pre[^>]*>(.*?)</pre>", text))
    assert run == ["bench", "run", "--model", "mini_encoder", "--task", "all", "--output", str(folder)]
    assert "mini_encoder" in load_registry().suite("mini").models
    assert bench(*again[1:]).status == 0
    assert Page(text).links == []


def test_without_a_sound_result_the_page_says_what_was_left_out(tmp_path):
    store, page = ResultStore(tmp_path / "results"), tmp_path / "page.html"
    store.write(cell(HOSTILE, score=5.0, ci_high=5.1))
    said = build_page(store.folder, page, load_registry())
    assert "score 5 is outside -1 to 1" in page.read_text()
    assert "left out: " in said
    assert HOSTILE not in page.read_text()
    assert not page.with_suffix(".csv").exists()


def test_no_result_in_a_form_for_programs_is_one_line(bench, tmp_path):
    done = bench("leaderboard", "build", "--output", tmp_path, "--format", "csv")
    assert done.status == 2
    assert len(done.err.strip().splitlines()) == 1
    assert "bench run" in done.err


def test_a_cell_that_was_not_possible_has_its_reason_on_the_page(tmp_path):
    store = ResultStore(tmp_path / "results")
    lost = {"status": "not_possible", "score": None, "ci_low": None, "ci_high": None}
    for model in ("b", "c@untrained:1", "nobody"):
        store.refuse(cell(model).model_copy(update={**lost, "reason": f"{model} has <no> concept"}))
    text, said, rows = build(
        tmp_path,
        cell("a"),
        *(cell(m, binding="area_late_rdm") for m in "ab"),
        *(cell(f"c@untrained:{seed}", binding="area_late_rdm", untrained=True) for seed in (0, 1)),
    )
    refused = {b["name"]: b["refused"] for b in suite(text)["bindings"]}
    assert refused == {
        "people_rdm": {
            "b": "b has <no> concept",
            "c@untrained:0-1": "c@untrained:1 has <no> concept",
        },
        "area_late_rdm": {},
    }
    assert {m["name"] for m in suite(text)["models"]} == {"a", "b", "c@untrained:0-1"}
    assert "<no>" not in text
    assert "left out" not in said
    assert {row["model"] for row in rows if row["binding"] == "people_rdm"} == {"a"}


def test_a_file_that_is_no_result_is_left_out_and_said(tmp_path):
    (tmp_path / "results" / "mini" / "people_rdm").mkdir(parents=True)
    (tmp_path / "results" / "mini" / "people_rdm" / "bad.json").write_text('{"model": 1')
    _, said, _ = build(tmp_path, cell())
    assert "left out" in said
    assert "bad.json" in said


def test_the_command_builds_from_a_run(bench, tmp_path):
    assert bench("run", "--model", "pixels", "--task", "people_rdm", "--output", tmp_path).status == 0
    done = bench("leaderboard", "build", "--output", tmp_path)
    assert done.status == 0
    (binding,) = suite((tmp_path / "leaderboard.html").read_text())["bindings"]
    assert [c["model"] for c in binding["cells"]] == ["pixels"]


@pytest.mark.parametrize("score", [0.0, -0.2])
def test_scores_of_nought_and_below_are_shown(tmp_path, score):
    text, _, rows = build(tmp_path, cell(score=score))
    assert suite(text)["bindings"][0]["cells"][0]["s"] == score
    assert float(rows[0]["score"]) == score


def test_a_result_edited_by_hand_is_not_on_the_page(tmp_path):
    build(tmp_path, cell("honest", 0.4), cell("edited", 0.3))
    path = tmp_path / "results" / "mini" / "people_rdm" / "edited.json"
    text = path.read_text()
    assert '"score": 0.3,' in text
    path.write_text(text.replace('"score": 0.3,', '"score": 0.95,'))
    page, said, rows = build(tmp_path)
    assert f"left out: {path} differs from its checksum" in said
    assert {row["model"] for row in rows} == {"honest"}
    assert [m["name"] for m in suite(page)["models"]] == ["honest"]
