"""``bench data``: describe data of a user's own, write their entry, and print the next command."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from benchmark.cli.console import say
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
    entries = add_entries(own.proposals(task, **params), file, [path for path in others if path.is_file()])
    say(f"added to {file}:", "", *entries.splitlines())
    options = " ".join(f"--registry {shlex.quote(str(path))}" for path in registries)
    say("next:")
    if task is None:
        say(f"  bench data new rdm NAME FILE --stimuli {own.name} {options}")
    else:
        say(f"  bench run --model all --target {own.name} {options}")
