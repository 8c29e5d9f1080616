"""``bench cache``: list the cache, free space, and look for damaged files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby

from rich.table import Table

from benchmark.cli.console import console, say
from benchmark.common.errors import UsageError
from benchmark.common.files import cache_folder
from benchmark.extraction.cache import CacheEntry, contents, remove, verify
from benchmark.registry import unknown

_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def list_cache() -> None:
    """Print a row for the features of each model and stimulus set, and one for each other kind of file."""
    items = contents(cache_folder())
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("what", "model", "stimuli"):
        table.add_column(column, overflow="fold")
    for column in ("layers", "files", "size", "age"):
        table.add_column(column, justify="right", no_wrap=True)

    def group(item: CacheEntry) -> tuple[str, str, str, str]:
        return item.kind, item.model, item.stimuli, item.key

    for (kind, model, stimuli, _), members in groupby(sorted(items, key=group), key=group):
        row = list(members)
        layers = str(len(row)) if kind == "features" else "-"
        files = sum(len(item.files) for item in row)
        youngest = min(item.age for item in row)
        table.add_row(kind, model or "-", stimuli or "-", layers, str(files), _bytes(row), _age(youngest))
    console().print(table)
    say(f"{_bytes(items)} in {cache_folder()}")


def remove_from_cache(
    model: str | None, stimuli: str | None, older_than: str | None, leftovers: bool, everything: bool
) -> None:
    """Remove what fulfils all of the conditions, and print the space that this frees.

    Parameters
    ----------
    model, stimuli : str or None
        Only features of this model, or of these stimuli.
    older_than : str or None
        Only what is older: a number and a unit, as in "30d".
    leftovers : bool
        Only damaged files and half-written files.
    everything : bool
        Allows a call without any other condition, which removes all.

    Raises
    ------
    UsageError
        If there is no condition, a name is unknown, or an age cannot be read.
    """
    if not (everything or leftovers or model or stimuli or older_than):
        raise UsageError("choose what to remove: --model, --stimuli, --older-than 30d, --leftovers or --all")
    chosen = contents(cache_folder())
    for attribute, name in (("model", model), ("stimuli", stimuli)):
        if name is None:
            continue
        known = {getattr(item, attribute) for item in chosen if getattr(item, attribute)}
        if name not in known:
            raise UsageError(f"the cache has no features of it: {unknown(attribute, name, known)}")
        chosen = [item for item in chosen if getattr(item, attribute) == name]
    if leftovers:
        chosen = [item for item in chosen if item.kind in ("aside", "abandoned")]
    if older_than is not None:
        seconds = _seconds(older_than)
        chosen = [item for item in chosen if item.age > seconds]
    freed = remove(chosen)
    for kind, members in groupby(sorted(chosen, key=lambda item: item.kind), key=lambda item: item.kind):
        removed = list(members)
        sources = sorted({f"{item.model} on {item.stimuli}" for item in removed if item.model})
        suffix = f": {', '.join(sources)}" if sources else ""
        say(f"removed {len(removed)} {kind}{suffix}")
    say(f"freed {_size(freed)} in {cache_folder()}")


def verify_cache() -> int:
    """Read every file that has a checksum; the exit status is 1 if one is damaged."""
    verified: list[CacheEntry] = []
    damaged = verify(contents(cache_folder()), verified.append)
    for item in damaged:
        name = f"{item.model}, {item.stimuli}, layer {item.layer}" if item.model else item.kind
        say(f"damaged: {name}: put aside as {item.files[-1]}.damaged")
    say(f"{len(verified)} read ({_bytes(verified)}), {len(damaged)} damaged")
    return 1 if damaged else 0


def _seconds(text: str) -> float:
    age = re.fullmatch(rf"(\d+(?:\.\d+)?)\s*({'|'.join(_UNITS)})", text.strip())
    if age is None:
        raise UsageError(
            f"--older-than {text}: no age; write a number and one of {', '.join(_UNITS)}, as in 30d"
        )
    return float(age[1]) * _UNITS[age[2]]


def _bytes(items: Iterable[CacheEntry]) -> str:
    return _size(sum(item.size for item in items))


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
