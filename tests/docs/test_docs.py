"""The documentation is true: its examples run as they stand, and what it names exists."""

from __future__ import annotations

import doctest
import json
import re
import runpy
from pathlib import Path

import numpy as np
import pytest

from benchmark.datasets.mini.concepts import CONCEPTS
from benchmark.registry import Registry, load_registry
from benchmark.registry import schema as registry_schema

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GUIDES = (
    "how-to/adding-a-model.md",
    "how-to/adding-a-network.md",
    "how-to/adding-a-task.md",
    "how-to/adding-data.md",
    "how-to/exporting-rdms.md",
    "how-to/comparing-models.md",
    "how-to/getting-the-data.md",
    "how-to/models-without-code.md",
    "tutorial/a-model-in-five-minutes.md",
    "tutorial/first-scores.md",
    "explanation/footguns.md",
    "reference/methodology.md",
    "reference/registry.md",
)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


def scores(folder: Path) -> dict[tuple[str, str], float]:
    """Score by binding and model of every result under ``folder``."""
    cells = [json.loads(path.read_text()) for path in (folder / "results").glob("*/*/*.json")]
    assert all(cell["status"] == "scored" for cell in cells)
    return {(cell["binding"], cell["model"]): cell["score"] for cell in cells}


def test_first_scores(follow, tmp_path):
    """Every row of the tables on the page is what the commands print, the times aside."""
    page = (DOCS / "tutorial/first-scores.md").read_text(encoding="utf-8")
    left = follow("tutorial/first-scores.md")
    printed = [row(line) for done in left for line in done.out.splitlines()]
    shown = [line for line in page.splitlines() if re.match(r" .*spearman .* 48 ", line)]
    assert len(shown) == 7
    assert all(row(line) in printed for line in shown)
    assert set(scores(tmp_path)) == {
        (binding, model)
        for binding in ("people_rdm", "area_early_rdm")
        for model in ("pixels", "mini_encoder", "mini_encoder@untrained:0")
    }
    written = (tmp_path / "results" / "leaderboard.md").read_text(encoding="utf-8")
    assert all(line in written for line in page.splitlines() if line.startswith("| `people_rdm` | RDM"))


def row(line: str) -> list[str]:
    """The columns of a row of results that do not depend on the machine."""
    return line.split()[:-1] if line.endswith("cached") else line.split()[:-2]


def test_adding_a_model(follow, bench, tmp_path, monkeypatch):
    left = follow("how-to/adding-a-model.md")
    follow("how-to/adding-a-network.md")
    follow("how-to/models-without-code.md")
    found = scores(tmp_path)
    people = {model for binding, model in found if binding == "people_rdm"}
    assert people == {
        "colour_histogram",
        "pixels",
        "tiny",
        "tiny@untrained:0",
        "my_embeddings",
        "clip_in_one",
    }
    assert found["area_early_rdm", "colour_histogram"] > 0.2
    assert abs(found["people_rdm", "colour_histogram"]) < 0.1
    assert found["people_rdm", "my_embeddings"] > 0.2
    page = (tmp_path / "results" / "leaderboard.html").read_text()
    assert "colour_histogram" in page
    assert "pixels" in page
    assert (tmp_path / "results" / "leaderboard.csv").is_file()
    assert "4 of 4 cells scored" in left[0].out
    again = bench("run", "--registry", "mine.yaml", "-m", "colour_histogram,pixels", "-t", "people_rdm")
    assert "nothing was recomputed" in again.out
    refused = bench("run", "--registry", "mine.yaml", "-m", "colour_histogram", "-t", "words_one_vs_two")
    assert refused.status == 1
    assert "no classes" in refused.out

    # The package of the page, installed: pip writes its entry points into such a folder.
    tomllib = pytest.importorskip("tomllib", reason="Python 3.11 reads TOML")
    project = tomllib.loads((tmp_path / "my_models" / "pyproject.toml").read_text())["project"]
    installed = tmp_path / "my_models-0.1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n")
    lines = [
        line
        for group, points in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {point}" for name, point in points.items()))
    ]
    (installed / "entry_points.txt").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(str(tmp_path))
    done = bench("run", "--model", "installed_colours", "--task", "people_rdm", "--format", "json")
    assert done.cells[0]["score"] == pytest.approx(found["people_rdm", "colour_histogram"])


def test_adding_a_task(follow, tmp_path):
    check, definition, info, *_ = follow("how-to/adding-a-task.md")
    assert check.out.count("passed") == 2
    assert definition.out.count("passed") == 7
    assert definition.out in (DOCS / "how-to/adding-a-task.md").read_text(encoding="utf-8")
    assert "neighbour_overlap" in info.out
    assert set(scores(tmp_path)) == {("people_neighbours", "pixels")}
    assert "neighbour overlap" in (tmp_path / "results" / "leaderboard.html").read_text()
    # The controls of the page pass, whatever the seed, and the task has power.
    task = runpy.run_path("neighbours.py")["NeighbourOverlap"]()
    for seed in range(3):
        assert all(control.passed for control in task.calibrate(np.random.default_rng(seed)))


def test_adding_data(follow, tmp_path):
    folder = tmp_path / "my_norms"
    folder.mkdir()
    ids = [concept.id for concept in reversed(CONCEPTS)]
    (folder / "ids.txt").write_text("\n".join(ids))
    np.savetxt(folder / "ratings.txt", np.random.default_rng(0).normal(size=(len(ids), 6)))
    order = next(done for done in follow("how-to/adding-data.md") if done.line == "python order.py")
    page = (DOCS / "how-to/adding-data.md").read_text(encoding="utf-8")
    shown = re.search(r"```text\n(.*?)```", page, flags=re.DOTALL)
    assert shown is not None
    assert shown[1] == order.out
    own = (
        "my_people_rdm_correlation",
        "my_meg_rdm_curve",
        "my_choices_odd_one_out",
        "my_neurons_encoding",
        "my_neurons_rdm",
        "my_rdm",
        "judged_rdm_correlation",
    )
    assert set(scores(tmp_path)) == {(binding, "pixels") for binding in own}
    assert (tmp_path / "my_people.preview.png").is_file()


def test_exporting_rdms(follow, tmp_path):
    done = {command.line: command.out for command in follow("how-to/exporting-rdms.md")}
    shown = done["python compare.py"]
    assert "stage2 encoder dog cat horse" in shown
    assert "hammer" in shown
    assert "(48, 384)" in done["python beside.py"]
    assert json.loads((tmp_path / "mini.csv.json").read_text())["weights_sha256"] in shown


def test_comparing_models(follow, tmp_path):
    done = follow("how-to/comparing-models.md")
    assert any("['mini_encoder encoder', 'mini_clip encoder']" in command.out for command in done)
    said = {command.line.split()[1]: command.out for command in done if command.line.startswith("bench ")}
    assert "current" in said["why"]
    assert "of 8 recipes" in said["robustness"]
    assert "area_early_rdm   mini_encoder   pixels" in said["compare"]
    for written in ("layers.svg", "parts.svg", "pairs.html"):
        assert (tmp_path / written).is_file()
    own = {cell for cell in scores(tmp_path) if "@" not in cell[0]}
    compared = {(b, m) for b in ("people_rdm", "area_early_rdm") for m in ("pixels", "mini_encoder")}
    assert own == {("clip_rdm", "pixels"), ("people_angle", "pixels")} | compared


def pages() -> list[Path]:
    return [*sorted(DOCS.rglob("*.md")), *(p for p in [ROOT / "README.md"] if p.is_file())]


def test_the_measures_alone():
    done = doctest.testfile(str(DOCS / "how-to/measures-alone.md"), module_relative=False)
    assert done.attempted > 15
    assert done.failed == 0


@pytest.mark.parametrize("page", pages(), ids=lambda path: path.name)
def test_every_relative_link_leads_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in link and not link.startswith(("#", "mailto:")):
            assert (page.parent / link.partition("#")[0]).exists(), f"{page.name}: {link}"


@pytest.mark.parametrize("guide", GUIDES)
def test_every_file_and_name_exists(guide, registry):
    text = (DOCS / guide).read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"```.*?```", text, flags=re.DOTALL))
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    metrics = {metric.name for name in registry.tasks for metric in registry.task(name).load().metrics}
    written = {word for file in re.findall(r"\*\*`([^`]+)`\*\*", text) for word in words(file)}
    known = set(words(blocks)) | written | metrics | source_words()
    for code in re.findall(r"`([^`]+)`", prose):
        for path in re.findall(r"\b(?:benchmark|models|tasks|tests|docs|leaderboard)/[\w./-]+", code):
            assert (ROOT / path).exists(), f"{guide}: {path} does not exist"
        # Words in capitals stand for what the reader puts there.
        unknown = [w for w in words(code) if len(w) > 2 and not w.isupper() and w not in known]
        assert not unknown, f"{guide}: `{code}`: {unknown} stands nowhere in the code"


def words(text: str) -> list[str]:
    return re.findall(r"[A-Za-z_][A-Za-z_0-9]*", text)


def source_words() -> set[str]:
    """Every word in the code, the registry and the tests' paths; not in the documentation."""
    files = [ROOT / "registry.yaml", ROOT / "pyproject.toml"]
    for folder in ("benchmark", "models", "tasks"):
        files += (ROOT / folder).rglob("*.py")
    tests = " ".join(str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("*.py"))
    return {word for file in files for word in words(file.read_text(encoding="utf-8"))} | set(words(tests))


def test_methodology_defines_every_task_and_metric(registry):
    text = (DOCS / "reference/methodology.md").read_text(encoding="utf-8")
    for name in registry.tasks:
        assert f"### {name}\n" in text
        for metric in registry.task(name).load().metrics:
            assert f"`{metric.name}`" in text, f"{name}: {metric.name}"


def test_every_real_dataset_is_described(registry):
    joining = (DOCS / "how-to/adding-data.md").read_text(encoding="utf-8")
    text = (DOCS / "how-to/getting-the-data.md").read_text(encoding="utf-8")
    for name, placed in registry.datasets.items():
        page = joining if placed.entry.kind == "training" else text
        assert name.startswith("mini_") or f"`{name}`" in page, name
    joins = {binding.on for binding in registry.bindings("human").values() if binding.on}
    assert all(f"`{key}`" in joining for key in joins)


def test_every_key_of_the_registry_is_described():
    text = (DOCS / "reference/registry.md").read_text(encoding="utf-8")
    for entry in (
        "Checkpoint",
        "BuiltFrom",
        "ModelEntry",
        "DatasetEntry",
        "TaskEntry",
        "BindingEntry",
        "SuiteEntry",
    ):
        for key in getattr(registry_schema, entry).model_fields:
            assert f"`{key}`" in text, f"{entry}.{key}"
