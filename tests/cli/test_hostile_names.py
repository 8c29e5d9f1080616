"""What comes from a file or a plug-in is shown as text: as it is written, and no terminal obeys it."""

from __future__ import annotations

import ast
import csv
import html
import json
import re
from pathlib import Path

import pytest

import benchmark
from benchmark.cli.console import console, progress_bars, say, stacked, styled
from benchmark.common.text import plain, spreadsheet

CLI = Path(benchmark.__file__).parent / "cli"
LAYERS = (
    "[/bold]",
    "conv[red]1",
    "\x1b[31mred",
    ":smile:",
    "a\u202eb",
    "a|b`c",
    "=1+1",
    "<i>x</i>",
    "two\nlines",
)
SHOWN = [plain(layer) for layer in LAYERS]

PLUGIN = f"""
import numpy as np
from benchmark.model import Model


class Hostile(Model):
    layers = {LAYERS!r}

    def features(self, stimuli, layers, *, device="cpu", progress=None):
        made = {{}}
        for layer in layers:
            rows = [np.random.default_rng(abs(hash(str(i))) % 2**32).normal(size=9) for i in stimuli.ids]
            made[layer] = np.asarray(rows, np.float32) + self.layers.index(layer)
        return made


class Raises(Hostile):
    def features(self, stimuli, layers, **rest):
        raise ValueError("[/bold] \\x1b[31m :smile: conv[red]1")
"""
REGISTRY = r"""
models:
  hostile:
    plugin: mine.py:Hostile
    description: "[/bold] \e[31mred :smile: conv[red]1 a\u202eb"
  raises: {plugin: "mine.py:Raises", description: none}
  nowhere: {plugin: "[/bold].py:P", description: none}
"""


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(PLUGIN.replace("abs(hash(str(i)))", "sum(map(ord, i)) * len(i)"))
    (tmp_path / "mine.yaml").write_text(REGISTRY)
    return tmp_path / "mine.yaml"


def is_text(text: str) -> bool:
    """Whether no character of the lines is obeyed by a terminal."""
    return all(line == plain(line) for line in text.split("\n"))


def test_the_table_of_a_run_has_every_layer_as_it_is(bench, hostile, tmp_path):
    """Each layer alone is the best one, so that each name stands in the table."""
    for layer, shown in zip(LAYERS, SHOWN, strict=True):
        if "\n" in layer or "|" in layer:  # what --layers cannot name on its own
            continue
        done = run(bench, hostile, tmp_path, "--layers", layer)
        assert done.status == 0, done.err
        assert shown in done.out
        assert is_text(done.out + done.err)


def run(bench, registry: Path, folder: Path, *more: object, model: str = "hostile"):
    own = ("--registry", registry, "--output", folder / "results")
    return bench("run", "--model", model, "--task", "people_rdm", *own, *more)


@pytest.mark.parametrize(
    "command",
    [
        ("list", "models"),
        ("info", "hostile"),
        ("info", "nowhere"),
        ("check-model", "hostile"),
        ("why", "hostile", "people_rdm"),
        ("run", "--dry-run", "--model", "hostile,nowhere", "--task", "people_rdm"),
    ],
)
def test_what_the_other_commands_print_is_text(bench, hostile, command):
    done = bench(*command, "--registry", hostile)
    assert done.status in (0, 1), done.err
    assert is_text(done.out + done.err)
    if command[0] in ("list", "info"):
        assert "[/bold]" in done.out


def test_the_description_is_shown_as_it_is(bench, hostile):
    assert (
        r"[/bold] \x1b[31mred :smile: conv[red]1 a\u202eb"
        in bench("info", "hostile", "--registry", hostile).out
    )


def test_reasons_and_errors_are_text(bench, hostile, tmp_path):
    done = run(bench, hostile, tmp_path, model="raises,nowhere")
    assert done.status == 1
    assert r"[/bold] \x1b[31m :smile: conv[red]1" in done.out
    assert "[/bold].py" in done.out
    assert is_text(done.out + done.err)
    unknown = run(bench, hostile, tmp_path, model="\x1b[31m[/bold]")
    assert unknown.status == 2
    assert "[/bold]" in unknown.err
    assert is_text(unknown.err)


def test_export_page_markdown_and_csv(bench, hostile, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = bench(
        "export", "rdm", "-m", "hostile", "-l", "all", "--stimuli", "mini_images", "--registry", hostile
    )
    assert done.status == 0, done.err
    assert is_text(done.out + done.err)
    written = sorted(tmp_path.glob("hostile/*.npy"))
    assert len(written) == len(LAYERS)
    assert {json.loads(Path(f"{path}.json").read_text())["layers"][0] for path in written} == set(LAYERS)

    assert run(bench, hostile, tmp_path).status == 0
    built = bench("leaderboard", "build", "--output", tmp_path / "results", "--registry", hostile)
    assert built.status == 0, built.err
    assert is_text(built.out + built.err)
    page = (tmp_path / "results" / "leaderboard.html").read_text()
    assert "<i>x</i>" not in page
    content = json.loads(re.search('id="layers">(.*?)</script>', page, re.S)[1])
    assert {layer["name"] for cell in content["here"]["mini"] for layer in cell["layers"]} == set(LAYERS)
    with (tmp_path / "results" / "leaderboard.csv").open(newline="") as stream:
        named = {row["layer"] for row in csv.DictReader(stream)}
    assert named == {"", *map(plain, LAYERS)} - {"=1+1"} | {"'=1+1"}


def test_a_notebook_shows_names_as_text(hostile, tmp_path):
    results = benchmark.run(
        "hostile", "people_rdm", layers=["<i>x</i>"], registries=[hostile], output=tmp_path / "results"
    )
    shown = results._repr_html_()
    assert "<i>x</i>" not in shown
    assert html.escape("<i>x</i>") in shown


@pytest.mark.parametrize("layer", LAYERS)
def test_tables_lines_and_progress_show_a_name_as_it_is(layer, capsys, monkeypatch):
    from rich.table import Table

    table = Table(layer)
    table.add_row(layer)
    table.add_row(styled(layer, "bold"))
    table.add_row(stacked([layer, layer]))
    console().print(table)
    console().print(layer, style="bold")
    say(layer)
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    with progress_bars() as bars:
        bars.add_task(layer, total=2)
        bars.console.print(layer)
    captured = capsys.readouterr()
    assert captured.out.count(plain(layer)) == 7
    assert plain(layer) in captured.err
    assert is_text(captured.out)


def test_a_name_that_the_encoding_lacks_is_escaped(hostile):
    import os
    import subprocess
    import sys

    command = [sys.executable, "-m", "benchmark", "list", "models"]
    done = subprocess.run(
        [*command, "--registry", hostile],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("=cmd|' /C x'!A0", "'=cmd|' /C x'!A0"),
        ("-1", "-1"),
        ("-a", "'-a"),
        ("\n=1", "\\n=1"),
        (" @a", "' @a"),
        ("fc1", "fc1"),
    ],
)
def test_no_name_is_a_formula_and_numbers_stay(name, written):
    assert spreadsheet(name) == written


def test_markdown_has_no_markup_of_a_name():
    from benchmark.common.text import markdown
    from benchmark.leaderboard.markdown import _code

    assert markdown("a|b <i> [x](y) *z*\n") == r"a\|b \<i\> \[x\](y) \*z\*\\n"
    assert markdown("mini_encoder@untrained:0-9") == "mini_encoder@untrained:0-9"
    assert _code("people_rdm") == "`people_rdm`"
    assert _code("a|b") == r"`a\|b`"


@pytest.mark.parametrize(
    "path", sorted(set(CLI.glob("*.py")) - {CLI / "console.py"}), ids=lambda path: path.name
)
def test_only_the_console_prints(path):
    """Tables and their boxes may be made anywhere; whatever turns text into output is in one file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    harmless = {
        "Table",
        "Columns",
        "box",
        "TimeRemainingColumn",
        "DownloadColumn",
        "Progress",
        "TaskID",
        "Text",
    }
    typing_only = {
        id(node)
        for test in ast.walk(tree)
        if isinstance(test, ast.If) and ast.unparse(test.test) == "TYPE_CHECKING"
        for node in ast.walk(test)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "rich":
            names = {alias.name for alias in node.names}
            allowed = harmless if id(node) in typing_only else harmless - {"Text", "Progress"}
            assert names <= allowed, f"{path.name}:{node.lineno}: use benchmark.cli.console"
        if isinstance(node, ast.Import):
            assert not any(alias.name.partition(".")[0] == "rich" for alias in node.names), path.name
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in {"print", "sys.stderr.write", "typer.secho"}, f"{path.name}:{node.lineno}"
            if called == "typer.echo":  # where rich is not imported yet: then the text goes through plain
                text = ast.unparse(node.args[0])
                assert "plain(" in text or "__version__" in text, f"{path.name}:{node.lineno}"
