"""The only door to the terminal: what the commands print is text, never markup and never control characters.

Names of layers, models and words come from files and plug-ins. They may hold what rich or the terminal takes
for a command: ``[/bold]``, ``:smile:``, an escape sequence. Here they are shown as they are written.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich import progress
from rich.console import Console
from rich.text import Text

from benchmark.common.text import plain

#: width of the output, in characters, where it does not go to a terminal
WIDTH = 170


class PlainConsole(Console):
    """A console that prints every string as one line of plain text."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Make of ``text`` what is printed, in lines of tables too; of the ``options`` the style counts."""
        style, justify = options.get("style", ""), options.get("justify")
        return Text(plain(text), style=style or "", justify=justify, overflow=options.get("overflow"))

    def on_broken_pipe(self) -> None:
        """End without a word if nobody reads on, as in ``bench list models | head``."""
        try:
            super().on_broken_pipe()
        except SystemExit as stop:  # it would be taken for one of a plug-in
            raise typer.Exit(1) from stop


def console(*, error: bool = False) -> Console:
    """Console for standard output, or for standard error if ``error`` is true."""
    stream = sys.stderr if error else sys.stdout
    # a pipe or a file has no width: make it so wide that no column folds
    width = None if stream.isatty() else WIDTH
    return PlainConsole(stderr=error, width=width, markup=False, emoji=False, highlight=False)


def say(*lines: str, error: bool = False) -> None:
    """Print lines as they are, without folding them: file names and commands can be copied.

    An ``error`` goes to standard error.
    """
    out = console(error=error)
    for line in lines:
        out.print(line, soft_wrap=True)


def styled(text: object, style: str) -> Text:
    """``text`` in a style, for one cell of a table; a whole line takes ``print(line, style=...)``."""
    return Text(plain(text), style)


def coloured(parts: Sequence[tuple[object, str]], between: str = "") -> Text:
    """The ``parts``, texts with a style each, in one line or cell, with the text ``between`` them."""
    return Text(between).join(styled(text, style) for text, style in parts)


def stacked(lines: Sequence[object]) -> Text:
    """Several ``lines`` in one cell of a table."""
    return Text("\n".join(map(plain, lines)))


class _Description(progress.ProgressColumn):
    """What is done, as text."""

    def render(self, task: progress.Task) -> Text:
        """Make the cell of ``task``."""
        return Text(plain(task.description))


@contextmanager
def progress_bars(
    time: progress.ProgressColumn | None = None, count: progress.ProgressColumn | None = None
) -> Iterator[progress.Progress]:
    """Progress bars on standard error; they are off if standard error is not a terminal.

    Parameters
    ----------
    time : ProgressColumn, optional
        The column at the end. Default: the time that has passed.
    count : ProgressColumn, optional
        The column of how much is done. Default: a number of all.

    Yields
    ------
    Progress
    """
    out = console(error=True)
    columns = (
        progress.SpinnerColumn(),
        _Description(),
        progress.BarColumn(),
        count or progress.MofNCompleteColumn(),
        time or progress.TimeElapsedColumn(),
    )
    with progress.Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bars:
        yield bars
