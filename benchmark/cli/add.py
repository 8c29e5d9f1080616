"""``bench add``: an entry in the user's registry file, and what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import typer

from benchmark.submission import UNKNOWN, add_entry, propose


def add_model(text: str, registries: Sequence[Path], name: str | None, weights: Path | None) -> None:
    """Write the entry of a model into the first of ``registries`` and print it."""
    file, *others = [path.expanduser() for path in registries]
    proposal = propose(text, file.parent, name, weights)
    written = add_entry(proposal, file, others)
    typer.echo(f"added to {file}:\n")
    typer.echo(written)
    unknown = [key for key, value in proposal.entry.items() if value == UNKNOWN]
    if unknown:
        typer.echo(f"not known, fill in: {', '.join(unknown)}")
    named = " ".join(f"--registry {shlex.quote(str(path))}" for path in registries)
    typer.echo("next:")
    typer.echo(f"  bench check-model {proposal.name} {named}")
    typer.echo(f"  bench run --model {proposal.name} --task all {named}")
