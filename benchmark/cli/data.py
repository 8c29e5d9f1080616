"""``bench data``: what data share, what is to be cited, and data of a user's own: preview and entry."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmark.cli.collections import new_table
from benchmark.cli.console import console, say
from benchmark.common.errors import UsageError
from benchmark.datasets import Stimuli, Target
from benchmark.datasets.catalogue import overlap
from benchmark.datasets.catalogue.overlap import keys_of
from benchmark.registry import load_registry
from benchmark.runner import Options, Session
from benchmark.submission.cite import bibtex, used_by
from benchmark.submission.own_data import OwnData
from benchmark.submission.preview import describe, save
from benchmark.submission.write import add_entries

_SHOWN = 20


def add_data(own: OwnData, registries: Sequence[Path]) -> None:
    """Print and save the preview of data, then write their entry.

    Parameters
    ----------
    own : OwnData
    registries : sequence of Path
        The user's registry files. The entry is written into the first.

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
    entries = add_entries(own.proposals(), file, others)
    say(f"added to {file}:", "", *entries.splitlines())
    options = " ".join(f"--registry {shlex.quote(str(path))}" for path in registries)
    say("next:")
    if own.binding:
        say(f"  bench run --model all --target {own.name} {options}")
    else:
        say(f"  bench data new rdm NAME FILE --stimuli {own.name} {options}")


def show_citations(names: list[str], registries: Iterable[Path]) -> None:
    """Print the BibTeX of everything that suites, data sets, models or results used.

    Parameters
    ----------
    names : list of str
        As :func:`benchmark.submission.cite.used_by` takes them.
    registries : iterable of Path
        The user's registry files.
    """
    registry = load_registry(tuple(registries))
    say(*"\n\n".join(bibtex(registry, used_by(registry, names))).splitlines())


def show_overlap(first: str, second: str, on: str | None, options: Options) -> None:
    """Print which names two data sets share: by each key, and the names themselves by one of them.

    Parameters
    ----------
    first, second : str
        Names of stimuli or targets.
    on : str or None
        The key by which names are shown; None: the one that matches most.
    options : Options
        Registries and data root.
    """
    session = Session(options)
    one, two = (_data(session, name) for name in (first, second))
    found = {key: overlap(one, two, key) for key in (None, *dict.fromkeys((*keys_of(one), *keys_of(two))))}
    if on is not None and on not in found:
        overlap(one, two, on)  # says which keys there are
    table = new_table("on", "matched", "ambiguous", f"lost of {first}", f"lost of {second}")
    for key, shared in found.items():
        counts = (shared.matched, shared.ambiguous, shared.lost_first, shared.lost_second)
        table.add_row(key or "the id", *(str(len(names)) for names in counts))
    console().print(table)
    key = on if on is not None else max(found, key=lambda key: len(found[key].matched))
    shared = found[key]
    say("", f"on {key or 'the id'}:")
    pairs = [f"{a} = {b}" if a != b else a for a, b in shared.matched.items()]
    ambiguous = [f"{a} = {b}" for a, b in shared.ambiguous.items()]
    for what, names in (
        ("matched", pairs),
        ("ambiguous, none of them is taken", ambiguous),
        (f"lost of {first}", list(shared.lost_first)),
        (f"lost of {second}", list(shared.lost_second)),
    ):
        more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        say(f"{what}: {', '.join(names[:_SHOWN]) or 'none'}{more}")


def _data(session: Session, name: str) -> Stimuli | Target:
    placed = session.registry.dataset(name)
    if placed.entry.kind == "training":
        raise UsageError(f"{name!r} is a name of training data: there is nothing to read")
    return session.stimuli(name) if placed.entry.kind == "stimuli" else session.target(name)
