"""Docstrings describe every parameter of a public function; what a user calls has an example that runs."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "benchmark"
#: Rooms whose functions a user calls from a script or a notebook
CALLED = ("benchmark.api", "benchmark.inference", "benchmark.measures")
FILES = sorted(path for folder in ("benchmark", "models", "tasks") for path in (ROOT / folder).rglob("*.py"))
#: A module with an underscore is private to its room; each option of a command has its own help
EXEMPT = {path for path in FILES if path.name.startswith("_") and path.name != "__init__.py"} | {
    PACKAGE / "cli" / "app.py",
    PACKAGE / "cli" / "collection_commands.py",
    PACKAGE / "cli" / "comparison_commands.py",
    PACKAGE / "cli" / "data_commands.py",
    PACKAGE / "cli" / "figure_commands.py",
    PACKAGE / "cli" / "groups.py",
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def methods_of_the_doors() -> frozenset[str]:
    """Methods that plug-ins override; they are described where they are declared."""
    names: set[str] = set()
    for file in ("model.py", "task.py", "extraction/network.py"):
        for node in ast.walk(ast.parse((PACKAGE / file).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                names |= {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
    return frozenset(names)


DOORS = methods_of_the_doors()


def public_functions(
    node: ast.AST, around: str = "", derived: bool = False
) -> Iterator[tuple[ast.FunctionDef, str]]:
    """Public functions and methods under ``node``, each with the text that may describe its parameters.

    That is its docstring, and those of its class and module, where parameters that many share are described
    once. A method that overrides one of the doors of a plug-in is left out.
    """
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If):
            yield from public_functions(child, around, derived)
        elif isinstance(child, (ast.ClassDef, ast.FunctionDef)) and not child.name.startswith("_"):
            text = f"{around}\n{ast.get_docstring(child) or ''}"
            if isinstance(child, ast.ClassDef):
                yield from public_functions(child, text, bool(child.bases))
            elif not (derived and child.name in DOORS):
                yield child, text


@pytest.mark.parametrize("path", sorted(set(FILES) - EXEMPT), ids=name_of)
def test_every_parameter_of_a_public_function_is_described(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    missing = []
    for function, text in public_functions(tree, ast.get_docstring(tree) or ""):
        given = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
        described = {"self", "cls", *re.findall(r"\w+", text)}
        missing += [
            f"line {function.lineno}: {function.name}({a.arg})" for a in given if a.arg not in described
        ]
    assert not missing, f"no docstring describes: {'; '.join(missing)}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_section_stands_on_a_line_of_its_own(path):
    # an underline behind its heading is shown as text
    assert not re.search(r"\w -{4,}", path.read_text(encoding="utf-8"))


def with_examples() -> list[str]:
    return [
        name_of(path)[:-3].removesuffix("/__init__").replace("/", ".")
        for path in FILES
        if path.is_relative_to(PACKAGE) and ">>> " in path.read_text(encoding="utf-8")
    ]


@pytest.mark.parametrize("name", with_examples())
def test_examples_run_as_they_stand(name, tmp_path, monkeypatch, shared_cache):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCH_CACHE", str(shared_cache))
    done = doctest.testmod(
        importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    )
    assert done.attempted
    assert not done.failed


@pytest.mark.parametrize("room", CALLED)
def test_every_function_that_a_user_calls_has_an_example(room):
    module = importlib.import_module(room)
    functions = [name for name in module.__all__ if inspect.isfunction(getattr(module, name))]
    assert functions
    lacking = [name for name in functions if ">>> " not in (getattr(module, name).__doc__ or "")]
    assert not lacking, f"{room}: without an example: {', '.join(lacking)}"
