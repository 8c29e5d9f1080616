"""``bench data``: which data are here, and data of a user's own: their preview and their entry."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from benchmark.cli.console import console, say
from benchmark.runner import Options, Session
from benchmark.submission.data_states import data_states
from benchmark.submission.own_data import OwnData
from benchmark.submission.preview import describe, save
from benchmark.submission.write import add_entries


def add_data(own: OwnData, registries: Sequence[Path], task: str | None = None, **params: str) -> None:
    """Print and save the preview of data, then write their entry.

    Parameters
    ----------
    own : OwnData
    registries : sequence of Path
        The user's registry files. The entry is written into the first.
    task : str or None
        Task of the binding of a target.
    **params : str
        Parameters of the task in this binding.

    Raises
    ------
    UsageError
        If the registry file cannot be changed.
    """
    file, *others = registries
    lines = describe(own)
    say(*lines)
    for path in save(own, lines, file.parent):
        say(f"saved {path}")
    entries = add_entries(own.proposals(task, **params), file, others)
    say(f"added to {file}:", "", *entries.splitlines())
    options = " ".join(f"--registry {shlex.quote(str(path))}" for path in registries)
    say("next:")
    if task is None:
        say(f"  bench data new rdm NAME FILE --stimuli {own.name} {options}")
    else:
        say(f"  bench run --model all --target {own.name} {options}")


def list_data(options: Options) -> None:
    """Print which data sets are here, how to get those that are not, and what each suite lacks.

    Parameters
    ----------
    options : Options
        Registries and data root.
    """
    session = Session(options)
    states = list(data_states(session))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("data set", "kind", "state", "needed by"):
        table.add_column(column, overflow="fold")
    for found in states:
        table.add_row(found.name, found.kind, found.state, ", ".join(found.suites) or "-")
    console().print(table)
    say("", f"data root: {session.data.path}")
    say(*(f"{found.state}: {found.name}: {found.problem}" for found in states if found.problem))
    for suite in session.registry.suites:
        needed = [found for found in states if suite in found.suites]
        lacks = [found.name for found in needed if found.state != "here"]
        told = f"; not here: {', '.join(lacks)}" if lacks else ""
        say(f"suite {suite}: {len(needed) - len(lacks)} of {len(needed)} data sets are here{told}")
