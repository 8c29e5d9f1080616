"""The templates of the pages, in ``leaderboard/page``."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from benchmark.registry import shipped_root


def page_folder() -> Path:
    """The folder of the templates, styles and scripts."""
    return shipped_root() / "leaderboard" / "page"


def template(name: str) -> Template:
    """The template ``name``. What it is given is escaped, and a name that it is not given is an error."""
    environment = Environment(
        loader=FileSystemLoader(page_folder()), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template(name)
