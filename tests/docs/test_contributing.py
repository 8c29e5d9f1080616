"""What CONTRIBUTING.md says is so: paths, markers and the hooks."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_the_hooks_are_the_lint_of_the_check():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (local,) = config["repos"]
    assert local["repo"] == "local"
    assert all(hook["language"] == "system" and not hook["pass_filenames"] for hook in local["hooks"])
    checked = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    lint = checked.partition('echo "== lint and types"\n')[2].partition("\n\n")[0]
    assert [hook["entry"] for hook in local["hooks"]] == [
        line.removeprefix(".venv/bin/") for line in lint.splitlines()
    ]


def test_every_path_exists():
    for path in re.findall(r"`((?:benchmark|docs|models|tasks|tests)/[\w./-]*)`", TEXT):
        assert (ROOT / path).exists(), path
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", TEXT):
        assert (ROOT / link).exists(), link


def test_every_marker_is_explained(pytestconfig):
    ours = {"slow", "gpu", "benchmark", "human_data"}
    known = {line.partition(":")[0].partition("(")[0] for line in pytestconfig.getini("markers")}
    assert ours <= known
    assert set(re.findall(r"^\| `(\w+)` \|.*python -m pytest -m", TEXT, flags=re.MULTILINE)) == ours


def test_commands_name_files_that_are_there():
    for block in re.findall(r"```bash\n(.*?)```", TEXT, flags=re.DOTALL):
        for word in shlex.split(block):
            assert not word.startswith("tests/") or (ROOT / word).is_file()
