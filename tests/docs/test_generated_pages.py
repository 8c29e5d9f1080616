"""The generated parts of the documentation are what ``python docs/generate.py`` writes."""

from __future__ import annotations

import ast
import json
import math
import re
import runpy
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pytest

from benchmark.leaderboard import build_page
from benchmark.leaderboard.board import UnderRecipes
from benchmark.leaderboard.compare import compare
from benchmark.registry import load_registry, schema
from benchmark.registry.collections import CollectionEntry, FileEntry
from benchmark.registry.content import RegistryFile
from benchmark.results import Estimate, LayerScore

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REGISTRY = load_registry()
GENERATE = runpy.run_path(str(DOCS / "generate.py"))


PAGES = GENERATE["pages"](REGISTRY)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_the_page_is_current(page):
    assert page.read_text(encoding="utf-8") == PAGES[page], "run: python docs/generate.py"


def test_the_committed_leaderboard_is_current(tmp_path):
    build_page(ROOT / "leaderboard" / "results", tmp_path / "index.html", REGISTRY, ["html"])
    for built in tmp_path.rglob("*.*"):
        committed = ROOT / "leaderboard" / built.relative_to(tmp_path)
        assert committed.read_bytes() == built.read_bytes(), f"{committed.name}: see CONTRIBUTING.md"


def test_every_figure_of_the_results_is_on_their_page_and_stands_alone():
    results = "".join(PAGES[DOCS / "explanation" / name] for name in ("results.md", "results-macaque.md"))
    shown = {DOCS / "explanation" / name for name in re.findall(r"\]\((figures/[\w-]+\.svg)\)", results)}
    assert shown == {page for page in PAGES if page.suffix == ".svg"}
    assert shown == {*(DOCS / "explanation" / "figures").iterdir()}
    for figure in shown:
        assert ET.fromstring(PAGES[figure]).tag == "{http://www.w3.org/2000/svg}svg"


def test_the_page_of_the_results_has_every_published_score():
    results = PAGES[DOCS / "explanation" / "results.md"]
    for path in (ROOT / "leaderboard" / "results" / "human").glob("*/*.json"):
        cell = json.loads(path.read_text(encoding="utf-8"))
        # twins of several seeds are one row, their mean
        if "@" not in cell["binding"] and not cell["untrained"]:
            assert f"`{cell['binding']}`" in results
            assert re.search(rf"{cell['score']:.3f}†? \[{cell['ci_low']:.3f}, ", results), path


def test_the_page_of_macaque_has_every_score_and_what_stands_beside_it():
    """Of the best layer: the score divided by the ceiling, and what a fit of an RDM gains."""
    page = PAGES[DOCS / "explanation" / "results-macaque.md"]
    for path in (ROOT / "leaderboard" / "results" / "macaque").glob("*/*.json"):
        cell = json.loads(path.read_text(encoding="utf-8"))
        best = next(layer for layer in cell["layers"] if layer["name"] == cell["best_layer"])
        beside = [best["metrics"][name] for name in ("normalised", "gain") if name in best["metrics"]]
        for one in (cell, *beside):
            assert f"| {one['score']:.3f} [{one['ci_low']:.3f}, {one['ci_high']:.3f}]" in page, path
    gains = [line for line in page.splitlines() if line.startswith("- **The fit of `v4_210325_versa`**")]
    assert [re.findall(r" with `([\w@:]+)`", line) for line in gains] == [
        ["squeezenet1_0", "squeezenet1_0@untrained:0", "pixels"]
    ]


def test_nothing_is_said_of_macaques_where_nothing_is_published():
    from results_macaque import found_on_macaque

    assert found_on_macaque(SimpleNamespace(columns=[])) == ""


def test_recipes_have_a_table_and_their_orders_once_they_are_published():
    from results_recipes import recipes_section

    def under(own: float, other: float, ranks: tuple[int, int], *ahead_of: str) -> UnderRecipes:
        scores = {"that of the binding": own, "cosine.none": other}
        return UnderRecipes(scores, dict(zip(scores, ranks, strict=True)), ahead_of)

    recipes = {
        "clip": under(0.25, 0.1, (1, 2), "pixels"),
        "lite": under(0.2, 0.3, (2, 1), "pixels"),
        "pixels": under(0, 0, (3, 3)),
    }
    column = SimpleNamespace(binding="people_rdm", recipes=recipes)
    plain = SimpleNamespace(binding="other", recipes={})
    section = recipes_section(SimpleNamespace(columns=[plain, column]))
    assert "| model | that of the binding | cosine |" in section
    assert "| `clip` | 0.250 (1) | 0.100 (2) |" in section
    assert (
        "Under all 2 recipes `clip` scores better than `pixels`; `lite` scores better than `pixels`"
        in section
    )
    assert section.rstrip().endswith("The order hangs on the recipe for `clip` and `lite`.")
    assert recipes_section(SimpleNamespace(columns=[plain])) == ""


def test_no_result_is_typed_on_the_page_of_the_results():
    """Every number with decimals, and every percentage, comes from a result. (Intervals are of 95 %.)"""
    for name in (
        "results_page.py",
        "results_words.py",
        "results_curves.py",
        "results_macaque.py",
        "results_recipes.py",
        "results_rules.py",
    ):
        text = (DOCS / name).read_text(encoding="utf-8")
        strings = [
            node.value
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        assert [
            string for string in strings if re.search(r"\.\d(?!f)|\d %", string.replace("95 %", ""))
        ] == []


@pytest.mark.parametrize(
    ("difference", "p", "higher", "said"),
    [
        (0.1, 0.01, True, "better"),
        (-0.1, 0.01, True, "worse"),
        (-0.1, 0.01, False, "better"),
        (0.1, 0.2, True, "not told apart"),
        (math.nan, math.nan, True, "not compared"),
    ],
)
def test_words_follow_the_paired_difference(difference, p, higher, said):
    from results_words import reading

    assert reading(SimpleNamespace(difference=difference, p_fdr=p), higher=higher) == said


def test_networks_beside_their_encoders_are_compared_as_bench_compare_does():
    from results_page import published
    from results_words import beside_encoders

    board = published(REGISTRY)["human"]
    cells = [cell for column in board.columns for cell in column.cells]
    found = beside_encoders(board)
    assert found
    for one in found:
        for cell, shown in zip(one.cells, one.differences, strict=True):
            models = [cell.model, one.encoder.model]
            (told,) = [d for d in compare(cells, models) if d.binding == one.binding]
            assert (shown.difference, shown.p) == pytest.approx((told.difference, told.p), nan_ok=True)
            assert not shown.p_fdr < shown.p


def test_association_networks_with_images_of_another_size_than_their_encoder_are_named():
    from results_words import _sizes

    def beside(family, *sizes):
        preprocessings = [f"Preprocessing(resize=(144, 144), crop={size}, mean=(0.5,))" for size in sizes]
        own, its = (SimpleNamespace(provenance=SimpleNamespace(preprocessing=p)) for p in preprocessings)
        return SimpleNamespace(family=family, cells=[own], encoder=its)

    small, same = beside("small", 128, 224), beside("same", 224, 224)
    assert "the images of `small` (128 and 224 pixels): there" in _sizes([same, small])
    assert _sizes([same]) == ""


def test_the_curve_of_1_vs_2_is_read_from_its_numbers():
    from results_curves import mistakes_section

    def layer(name, score, p):
        estimate = Estimate(score=score, ci_low=score - 0.02, ci_high=score + 0.02, chance=0.5)
        return LayerScore(name=name, metrics={"accuracy": estimate}, p_fdr=p)

    def cell(groups):
        return SimpleNamespace(
            task="one_vs_two",
            binding="mistakes",
            model="net",
            metric="accuracy",
            n=133,
            counts={"groups": groups, "misclassified_joined": 700},
            layers=[layer("a", 0.45, 0.9), layer("b", 0.6, 0.001), layer("c", 0.55, 0.06)],
        )

    found = mistakes_section(SimpleNamespace(columns=[SimpleNamespace(cells=[cell(5)])]))
    assert "700 mistakes over 133 concepts" in found
    assert "recovered in 1 of 3 layers (`b`); the highest accuracy is in `b`" in found
    assert "the interval is below half in 1 of 3 layers" in found
    assert "intervals span 0.040 to 0.040" in found
    assert "| `mistakes` | `net` | `b` | 0.600 [0.580, 0.620] | [0.564, 0.636] | 0.001 |" in found
    assert mistakes_section(SimpleNamespace(columns=[SimpleNamespace(cells=[cell(1)])])) == ""


def test_every_model_and_binding_has_a_row():
    models = (DOCS / "reference" / "models.md").read_text(encoding="utf-8")
    bindings = (DOCS / "reference" / "bindings.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in models for name in REGISTRY.models)
    for suite in REGISTRY.suites:
        for name, binding in REGISTRY.bindings(suite).items():
            (row,) = [line for line in bindings.splitlines() if line.startswith(f"| `{name}` |")]
            for key, value in binding.params.items():
                assert f"`{key}`: **{value}**" in row


def test_every_parameter_of_every_task_has_a_row():
    page = (DOCS / "reference" / "registry.md").read_text(encoding="utf-8")
    for name, placed in REGISTRY.tasks.items():
        task = placed.load()()
        assert task.read({}) == {key: parameter.default for key, parameter in task.parameters.items()}
        for key, parameter in task.parameters.items():
            assert f"| `{name}` | `{key}` | `{parameter.default}` | {parameter.meaning} |" in page


def _keys_of(section: str) -> set[str]:
    """The keys in the first table under a heading of the page of the registry."""
    page = (DOCS / "reference" / "registry.md").read_text(encoding="utf-8")
    part = re.split(r"\n##+ ", page.partition(f"\n{section}\n")[2])[0]
    rows = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `")]
    return set(re.findall(r"`(\w+)`", " ".join(rows)))


@pytest.mark.parametrize(
    ("section", "entry"),
    [
        ("## models", schema.ModelEntry),
        ("### checkpoint", schema.Checkpoint),
        ("### built_from", schema.BuiltFrom),
        ("## datasets", schema.DatasetEntry),
        ("## tasks", schema.TaskEntry),
        ("## collections", CollectionEntry),
        ("### files", FileEntry),
        ("## suites", schema.SuiteEntry),
    ],
)
def test_the_page_of_the_registry_has_every_key(section, entry):
    assert _keys_of(section) == set(entry.model_fields)


def test_the_page_of_the_registry_has_every_key_of_bindings_and_variants():
    page = (DOCS / "reference" / "registry.md").read_text(encoding="utf-8")
    bindings = page.partition("\n### bindings\n")[2].partition("Parameters of the shipped tasks")[0]
    rows = [line.split("|")[1] for line in bindings.splitlines() if line.startswith("| `")]
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == set(schema.BindingEntry.model_fields)
    variants = page.partition("\n### variants\n")[2].partition("A variant may\nhold ")[2].partition(".")[0]
    assert set(re.findall(r"`(\w+)`", variants)) == set(schema.ModelVariant.model_fields)
    assert all(f"\n## {section}\n" in page for section in RegistryFile.model_fields)


def test_the_order_of_the_rooms_has_every_room():
    page = (DOCS / "explanation" / "architecture.md").read_text(encoding="utf-8")
    table = page.partition("## The order of the rooms")[2].partition("\n## ")[0]
    first = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    folders = {path.parent.name for path in (ROOT / "benchmark").glob("*/__init__.py")}
    assert set(re.findall(r"`([\w.]+)`", " ".join(first))) == folders | {"model.py", "task.py"}


def test_the_functions_that_the_page_names_exist():
    page = (DOCS / "explanation" / "architecture.md").read_text(encoding="utf-8")
    run = page.partition("## One run, step by step")[2].partition("\n## ")[0]
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "benchmark").rglob("*.py"))
    prose = re.sub(r"```.*?```", "", run, flags=re.DOTALL)
    for name in re.findall(r"`(?:[A-Z]\w+\.)?(\w+)`", prose):
        assert re.search(rf"(def|class) {name}\b", source), name
    for path in re.findall(r"`((?:benchmark|tasks)/[\w/.]+)`", page):
        assert (ROOT / path).exists(), path
