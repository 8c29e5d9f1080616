"""For the site: texts of links, and formulas as MathML, which browsers show without a script."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert

DOCS = Path(__file__).parent


def on_page_markdown(markdown: str, page: Any, files: Any, **kwargs: Any) -> str:
    """Give each link the text that suits a site.

    ``[page.md](page.md)`` shows the title of that page. A link to a file outside ``docs``, which the site has
    not, becomes the path of the file.

    Parameters
    ----------
    markdown : str
        Text of the page.
    page : Page
        The page of MkDocs.
    files : Files
        All pages of the site.
    **kwargs
        Not used.
    """
    del kwargs
    folder = (DOCS / page.file.src_uri).parent

    def link(match: re.Match[str]) -> str:
        text, target = match.groups()
        path = (folder / target.partition("#")[0]).resolve()
        if "://" in target or not path.is_relative_to(DOCS.parent):
            return match[0]
        if not path.is_relative_to(DOCS):
            return f"{text} (`{path.relative_to(DOCS.parent).as_posix()}`)"
        linked = files.get_file_from_path(path.relative_to(DOCS).as_posix())
        if text == path.name and linked is not None and linked.page is not None:
            return f"[{linked.page.title}]({target})"
        return match[0]

    return re.sub(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)", link, markdown)


def on_page_content(content: str, **kwargs: Any) -> str:
    r"""Turn ``\(...\)`` and ``\[...\]`` in code (``content``) into formulas; ``kwargs`` are not used."""
    del kwargs
    inline = re.sub(r"<code>\\\((.+?)\\\)</code>", lambda m: convert(html.unescape(m[1])), content)
    return re.sub(r"<code>\\\[(.+?)\\\]</code>", lambda m: convert(html.unescape(m[1]), "block"), inline)
