"""For the site: the reStructuredText in docstrings (roles, formulas, tables) as Markdown."""

from __future__ import annotations

import re
from typing import Any

import griffe


class MarkdownDocstrings(griffe.Extension):
    """Rewrites every docstring before it is parsed, and finds functions that have the name of their file."""

    def on_package(self, *, pkg: griffe.Module, loader: griffe.GriffeLoader, **kwargs: Any) -> None:
        """Let ``benchmark.measures.rdm`` be the function, as it is when it is imported, and not its file.

        Parameters
        ----------
        pkg : Module
            The package ``benchmark``, and all in it.
        loader : GriffeLoader
            Resolves what is imported from elsewhere, while every file can still be found by its name.
        **kwargs
            Not used.
        """
        del kwargs
        _rewrite(pkg)
        loader.resolve_aliases(implicit=True, external=False)
        for room in pkg.modules.values():
            for name in map(str, room.exports or ()):
                file = room.members.get(name)
                if isinstance(file, griffe.Module) and name in file.members:
                    room.members[name] = griffe.Alias(name, file.members[name], parent=room)


def _rewrite(part: griffe.Object) -> None:
    if part.docstring is not None:
        part.docstring.value = as_markdown(part.docstring.value)
    for member in part.members.values():
        if isinstance(member, griffe.Object):
            _rewrite(member)


def as_markdown(text: str) -> str:
    r"""Docstring ``text`` with code for roles, ``\(...\)`` in code for formulas, and Markdown tables.

    "ndarray, shape (n, d)" is read as a tuple of Python, so it becomes "ndarray of shape (n, d)".
    """
    text = re.sub(r"(ndarray|array_like)((?: of \w+)?), shape \(", r"\1\2 of shape (", text)
    text = re.sub(r":math:`([^`]+)`", lambda m: f"`\\({_tex(m[1])}\\)`", text)
    text = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text)
    text = re.sub(r"^( *)\.\. math::\s+((?:.+\n?)+)", _formula, text, flags=re.MULTILINE)
    return re.sub(r"^( *)(=+(?: +=+)+)\n(.+)\n\1\2\n((?:.+\n)+?)\1\2$", _table, text, flags=re.MULTILINE)


def _formula(match: re.Match[str]) -> str:
    return f"{match[1]}`\\[{_tex(match[2])}\\]`\n"


def _tex(formula: str) -> str:
    r"""A formula in one line, without ``\|``, which in a table of Markdown is no part of a formula."""
    return " ".join(formula.split()).replace(r"\|", r"\Vert ")


def _table(match: re.Match[str]) -> str:
    indent, rule, head, body = match.groups()
    starts = [column.start() for column in re.finditer("=+", rule)]
    rows: list[list[str]] = []
    for line in [head, *body.splitlines()]:
        plain = line[len(indent) :]
        cells = [plain[a:b].strip() for a, b in zip(starts, [*starts[1:], None], strict=True)]
        if cells[0]:
            rows.append(cells)
        else:  # the row goes on
            rows[-1] = [" ".join(parts).strip() for parts in zip(rows[-1], cells, strict=True)]
    rows.insert(1, ["---"] * len(starts))
    return "\n" + "\n".join(f"{indent}| {' | '.join(row)} |" for row in rows) + "\n"
