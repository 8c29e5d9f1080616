"""``bench`` as a process: its arguments, its log, and how it ends."""

from __future__ import annotations

import io
import logging
import sys
from typing import Any

import typer

from benchmark.cli.app import app
from benchmark.cli.commands import STOPPED, say_stopped
from benchmark.common.errors import error_report
from benchmark.common.text import plain


class _PlainFormatter(logging.Formatter):
    """A message of the log, in one line; the traceback that ``--debug`` adds keeps its lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - its name in the library
        """The message of ``record``."""
        return plain(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - as above
        """The traceback of the exception ``ei``."""
        return "\n".join(map(plain, super().formatException(ei).split("\n")))


def main() -> None:
    """Run ``bench``. An error is printed in one line, with exit status 2; ``--debug`` shows its traceback."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    _set_up_log(debug)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name that the terminal's encoding lacks is escaped
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app(args=[argument for argument in arguments if argument != "--debug"])
    except Exception as error:
        if debug:
            raise
        typer.echo(f"error: {plain(error_report(error))}", err=True)
        sys.exit(2)
    except KeyboardInterrupt as stop:  # before a command began
        say_stopped(stop)
        sys.exit(STOPPED)


def _set_up_log(debug: bool) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_PlainFormatter("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("benchmark").setLevel(logging.DEBUG if debug else logging.WARNING)
