"""``bench new``: a plug-in that works as it is written, and what to type next."""

from __future__ import annotations

from pathlib import Path

from benchmark.cli.console import say


def make_new(kind: str, name: str, folder: Path) -> None:
    """Write a plug-in of ``kind`` and ``name`` into ``folder``; say which files, and what to type next."""
    from benchmark.submission import write_new

    new = write_new(kind, name, folder.expanduser())
    for file in new.files:
        say(f"wrote {file}")
    say("next:")
    for command in new.commands:
        say(f"  {command}")
