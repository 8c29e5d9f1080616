"""A page of the documentation, followed as a reader follows it."""

from __future__ import annotations

import hashlib
import re
import runpy
import shlex
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

DOCS = Path(__file__).parents[2] / "docs"
#: A file that the reader is told to write (its name in bold, then a block), or commands to type
STEP = re.compile(
    r"\*\*`(?P<file>[^`]+)`\*\*\n\n *```\w+\n(?P<body>.*?)\n *```|```bash\n(?P<commands>.*?)\n```", re.DOTALL
)


@pytest.fixture
def follow(bench, tmp_path, monkeypatch, capsys) -> Iterator:
    """Do what a page says, step by step, in an empty folder.

    Gives each command (``line``, as the page has it), and what it printed (``out``).
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BENCH_DATA", raising=False)
    before = set(sys.modules)

    def script(name: str) -> str:
        monkeypatch.syspath_prepend(str(tmp_path))
        capsys.readouterr()
        runpy.run_path(name, run_name="__main__")
        return capsys.readouterr().out

    def do(page: str) -> list:
        left, digest = [], ""
        for step in STEP.finditer((DOCS / page).read_text(encoding="utf-8")):
            if step["file"]:
                target = tmp_path / step["file"]
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(
                    textwrap.dedent(step["body"]).replace("sha256: SHA256", f"sha256: {digest}")
                )
                continue
            for line in step["commands"].splitlines():
                program, *arguments = shlex.split(line)
                if program == "bench":
                    done = bench(*arguments)
                    assert done.status == 0, f"{page}: {line}\n{done.out}{done.err}"
                    left.append(SimpleNamespace(line=line, out=done.out))
                elif program == "python":
                    left.append(SimpleNamespace(line=line, out=script(*arguments)))
                else:
                    assert program == "sha256sum", line
                    digest = hashlib.sha256(Path(*arguments).read_bytes()).hexdigest()
        return left

    yield do
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]
