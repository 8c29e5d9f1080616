"""``bench add``: write the entry of a model into the user's registry file, and print the next commands."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import typer

from benchmark.cli.console import say
from benchmark.common.errors import UsageError
from benchmark.submission import UNKNOWN, OwnWeights, add_entry, propose


def add_model(
    text: str,
    registries: Sequence[Path],
    name: str | None,
    weights: OwnWeights | None,
    *,
    ids: Path | None = None,
    replace: bool = False,
) -> None:
    """Write the registry entry of a model and print it.

    Parameters
    ----------
    text : str
        Where the model comes from, for example ``timm:NAME.TAG``.
    registries : sequence of Path
        The user's registry files. The entry is written into the first.
    name : str or None
        Name of the model; None: it is made from ``text``.
    weights : OwnWeights or None
        The user's own weights.
    ids : Path or None
        File with the ids of a ``.npy`` of features.
    replace : bool
        Whether an entry of this name is replaced.

    Raises
    ------
    BenchError
        If the model cannot be found, its name is taken, or the file cannot be changed.
    """
    file, *others = [path.expanduser() for path in registries]
    proposal = propose(text, file.parent, name, weights, ids)
    entry_text = add_entry(proposal, file, others, replace=replace)
    say(f"{'replaced in' if replace else 'added to'} {file}:", "", *entry_text.splitlines())
    unknown = [key for key, value in proposal.entry.items() if value == UNKNOWN]
    if unknown:
        say(f"not known, fill in: {', '.join(unknown)}")
    registry_options = " ".join(f"--registry {shlex.quote(str(path))}" for path in registries)
    say("next:")
    say(f"  bench check-model {proposal.name} {registry_options}")
    say(f"  bench run --model {proposal.name} --task all {registry_options}")


def own_weights(file: Path | None, preprocess: str | None, part: str | None) -> OwnWeights | None:
    """The user's own weights, from ``--weights``, ``--preprocess`` and ``--part``; None: no file is given.

    Raises
    ------
    UsageError
        If an option that belongs to ``--weights`` is given without it.
    """
    if file is not None:
        return OwnWeights(file.expanduser(), partial(_ask, preprocess), part)
    if preprocess is not None or part is not None:
        raise UsageError("--preprocess and --part belong to --weights: give the file of the weights")
    return None


def _ask(preprocess: str | None, default: str, words: str) -> str:
    """The preprocessing that the weights were trained with: of the option, else the user is asked."""
    if preprocess is not None:
        return preprocess
    if not sys.stdin.isatty():
        raise UsageError(
            f"say what the weights were trained with: --preprocess {shlex.quote(default)} ({words}), or "
            "--preprocess '{resize: 256, crop: 224, mean: [...], std: [...], interpolation: bilinear}'"
        )
    say(f"the preprocessing of {default} is", f"  {words}")
    asked = "The weights were trained with (Enter: that one; or a name of weights, or {resize: ...})"
    return str(typer.prompt(asked, default=default, show_default=False))
