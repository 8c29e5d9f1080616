"""``bench add``: write the entry of a model into the user's registry file, and print the next commands."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from benchmark.cli.console import say
from benchmark.submission import UNKNOWN, add_entry, propose


def add_model(text: str, registries: Sequence[Path], name: str | None, weights: Path | None) -> None:
    """Write the registry entry of a model and print it.

    Parameters
    ----------
    text : str
        Where the model comes from, for example ``timm:NAME.TAG``.
    registries : sequence of Path
        The user's registry files. The entry is written into the first.
    name : str or None
        Name of the model; None: it is made from ``text``.
    weights : Path or None
        File with the weights of a plug-in.

    Raises
    ------
    BenchError
        If the model cannot be found, its name is taken, or the file cannot be changed.
    """
    file, *others = [path.expanduser() for path in registries]
    proposal = propose(text, file.parent, name, weights)
    entry_text = add_entry(proposal, file, others)
    say(f"added to {file}:", "", *entry_text.splitlines())
    unknown = [key for key, value in proposal.entry.items() if value == UNKNOWN]
    if unknown:
        say(f"not known, fill in: {', '.join(unknown)}")
    registry_options = " ".join(f"--registry {shlex.quote(str(path))}" for path in registries)
    say("next:")
    say(f"  bench check-model {proposal.name} {registry_options}")
    say(f"  bench run --model {proposal.name} --task all {registry_options}")
