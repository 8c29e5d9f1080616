"""The documentation site is built without a warning, loads nothing from elsewhere, and has every function."""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("material", reason="the site needs pip install '.[docs]'")
pytest.importorskip("mkdocstrings_handlers.python", reason="the site needs pip install '.[docs]'")

ROOT = Path(__file__).parents[2]
ROOMS = ("api", "calibration", "datasets", "extraction", "inference", "measures")
#: Something that a browser fetches by itself, and where from
LOADED = re.compile(
    r"<(?:script|link|img|iframe|source|video|audio|object|embed)\b[^>]*?"
    r"(?:src|href|data|srcset)=[\"']?((?:https?:)?//[^\"'>\s]+)"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_nothing_is_loaded_from_elsewhere(site):
    for page in site.rglob("*.html"):
        assert LOADED.findall(page.read_text(encoding="utf-8")) == [], page
    for style in site.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert not re.search(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", text), style


def test_every_page_is_in_the_site_and_no_script_is(site):
    pages = {path.relative_to(ROOT / "docs").with_suffix("") for path in (ROOT / "docs").rglob("*.md")}
    built = {path.parent.relative_to(site) for path in site.rglob("index.html")} - {Path()}
    assert {path for path in pages if path.name != "index"} == built
    assert not list(site.rglob("*.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_is_described(site, room):
    page = (site / "reference" / "api" / room / "index.html").read_text(encoding="utf-8")
    headings = set(re.findall(r'<h[2-4] id="[\w.]*\b(\w+)" class="doc', page))
    module = importlib.import_module(f"benchmark.{room}")
    public = {
        name
        for name in module.__all__
        if inspect.isclass(getattr(module, name)) or inspect.isfunction(getattr(module, name))
    }
    assert sorted(public - headings) == []


def test_docstrings_are_shown_as_formulas_and_tables(site):
    page = (site / "reference" / "api" / "measures" / "index.html").read_text(encoding="utf-8")
    assert "<math" in page
    assert "<td><code>crossnobis</code></td>" in page
    assert not re.search(r":(?:math|func|class|meth):|=====|\.\. math", page)
