"""``bench new``: a plug-in that works as it is written, and what to type next."""

from __future__ import annotations

from pathlib import Path

import typer


def make_new(kind: str, name: str, folder: Path) -> None:
    """Write a plug-in of ``kind`` and ``name`` into ``folder``; say which files, and what to type next."""
    from benchmark.submission import write_new

    new = write_new(kind, name, folder.expanduser())
    for file in new.files:
        typer.echo(f"wrote {file}")
    typer.echo("next:")
    for command in new.commands:
        typer.echo(f"  {command}")
