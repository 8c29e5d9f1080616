"""``bench cache``: what is kept, how to free space, and whether it is whole."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmark.cli.tables import WIDTH
from benchmark.common.errors import UsageError
from benchmark.common.files import cache_folder
from benchmark.extraction.cache import CacheEntry, contents, remove, verify
from benchmark.registry import unknown

_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def list_cache() -> None:
    """A row for the features of each model and stimulus set, and for each kind of all else."""
    kept = contents(cache_folder())
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("what", "model", "stimuli"):
        table.add_column(column, overflow="fold")
    for column in ("layers", "files", "size", "age"):
        table.add_column(column, justify="right", no_wrap=True)

    def group(thing: CacheEntry) -> tuple[str, str, str, str]:
        return thing.kind, thing.model, thing.stimuli, thing.key

    for (kind, model, stimuli, _), things in groupby(sorted(kept, key=group), key=group):
        held = list(things)
        layers = str(len(held)) if kind == "features" else "-"
        files = sum(len(thing.files) for thing in held)
        youngest = min(thing.age for thing in held)
        table.add_row(
            kind, Text(model or "-"), Text(stimuli or "-"), layers, str(files), _bytes(held), _age(youngest)
        )
    console = _console()
    console.print(table)
    console.print(f"{_bytes(kept)} in {cache_folder()}", soft_wrap=True)


def remove_from_cache(
    model: str | None, stimuli: str | None, older_than: str | None, leftovers: bool, everything: bool
) -> None:
    """Remove what all of the conditions are true of, and print what was freed.

    Raises
    ------
    UsageError
        If nothing is asked for, a name is unknown, or an age cannot be read.
    """
    if not (everything or leftovers or model or stimuli or older_than):
        raise UsageError("say what to remove: --model, --stimuli, --older-than 30d, --leftovers or --all")
    chosen = contents(cache_folder())
    for what, name in (("model", model), ("stimuli", stimuli)):
        if name is None:
            continue
        known = {getattr(thing, what) for thing in chosen if getattr(thing, what)}
        if name not in known:
            raise UsageError(f"the cache has no features of it: {unknown(what, name, known)}")
        chosen = [thing for thing in chosen if getattr(thing, what) == name]
    if leftovers:
        chosen = [thing for thing in chosen if thing.kind in ("aside", "abandoned")]
    if older_than is not None:
        seconds = _seconds(older_than)
        chosen = [thing for thing in chosen if thing.age > seconds]
    freed = remove(chosen)
    console = _console()
    for kind, things in groupby(sorted(chosen, key=lambda t: t.kind), key=lambda t: t.kind):
        held = list(things)
        of = sorted({f"{thing.model} on {thing.stimuli}" for thing in held if thing.model})
        console.print(f"removed {len(held)} {kind}{': ' + ', '.join(of) if of else ''}", soft_wrap=True)
    console.print(f"freed {_size(freed)} in {cache_folder()}", soft_wrap=True)


def verify_cache() -> int:
    """Read everything that has a checksum; the exit status is 1 if something was damaged."""
    read: list[CacheEntry] = []
    damaged = verify(contents(cache_folder()), read.append)
    console = _console()
    for thing in damaged:
        named = f"{thing.model}, {thing.stimuli}, layer {thing.layer}" if thing.model else thing.kind
        console.print(f"damaged: {named}: put aside as {thing.files[-1]}.damaged", soft_wrap=True)
    console.print(f"{len(read)} read ({_bytes(read)}), {len(damaged)} damaged", soft_wrap=True)
    return 1 if damaged else 0


def _console() -> Console:
    options = {} if sys.stdout.isatty() else {"width": WIDTH}
    return Console(highlight=False, markup=False, **options)  # type: ignore[arg-type]


def _seconds(text: str) -> float:
    found = re.fullmatch(rf"(\d+(?:\.\d+)?)\s*({'|'.join(_UNITS)})", text.strip())
    if found is None:
        raise UsageError(f"--older-than {text}: write a number and {', '.join(_UNITS)}, as in 30d")
    return float(found[1]) * _UNITS[found[2]]


def _bytes(kept: Iterable[CacheEntry]) -> str:
    return _size(sum(thing.size for thing in kept))


def _size(number: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} GiB"


def _age(seconds: float) -> str:
    for unit in ("w", "d", "h", "min"):
        if seconds >= _UNITS[unit]:
            return f"{seconds / _UNITS[unit]:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
