"""``bench data``: pull, import, verify, find and cite the files of the data root."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import DownloadColumn
from rich.table import Table

from benchmark.cli.console import console, progress_bars, say
from benchmark.common.errors import UsageError
from benchmark.datasets.catalogue import Brought, Collection, bring, pull, state_of
from benchmark.datasets.catalogue.download import Tell
from benchmark.registry import load_registry
from benchmark.registry.choose import chosen_collections

if TYPE_CHECKING:
    from rich.progress import Progress


def pull_data(name: str, root: Path, registries: Iterable[Path], *, accept: bool) -> int:
    """Pull a collection, or those of a data set, and say how to get what cannot be pulled.

    Parameters
    ----------
    name : str
        A collection or a data set.
    root : Path
        The data root.
    registries : iterable of Path
        The user's registry files.
    accept : bool
        Whether the licence is accepted without a question.

    Returns
    -------
    int
        The exit status: 1 if a file is not here.

    Raises
    ------
    UsageError
        If there is no such name, or the licence is not accepted.
    """
    missing = 0
    for collection in chosen_collections(load_registry(tuple(registries)), name):
        if any(file.url for file in collection.files):
            _require_consent(collection, accept)
            with progress_bars(count=DownloadColumn()) as bars:
                for brought in pull(collection, root, partial(_told, bars)):
                    _say_brought(collection, brought)
        states = [state_of(root / collection.name, file, hashed=False) for file in collection.files]
        lacking = [state.file.path for state in states if state.state in ("missing", "changed")]
        missing += len(lacking)
        for state in states:
            if not state.file.url and state.file.path not in lacking:
                _say_brought(collection, Brought(state.file, "here already"))
        if lacking:
            say(f"{collection.name}: to be got by hand: {', '.join(lacking)}", *_steps(collection))
    return int(missing > 0)


def _require_consent(collection: Collection, accept: bool) -> None:
    if not collection.consent or accept:
        return
    say(f"{collection.name}: {collection.description}", f"licence: {collection.licence}")
    if not sys.stdin.isatty():
        raise UsageError(
            f"{collection.name}: its licence is to be accepted ({collection.licence}): add --accept-license"
        )
    say("do you accept it? [y/N]")
    if input().strip().lower() not in ("y", "yes"):
        raise UsageError(f"{collection.name}: not accepted, nothing was pulled")


def _told(bars: Progress, path: str) -> Tell:
    bar = bars.add_task(path)

    def tell(done: int, total: int | None) -> None:
        bars.update(bar, completed=done, total=total)

    return tell


def _say_brought(collection: Collection, brought: Brought) -> None:
    files = f" ({brought.n} files)" if brought.file.is_set and brought.n else ""
    note = f": {brought.note}" if brought.note else ""
    say(f"{brought.outcome}: {collection.name}/{brought.file.path}{files}{note}")


def _steps(collection: Collection) -> list[str]:
    page = [] if collection.url is None else [f"  page: {collection.url}"]
    return [*page, *(f"  {i}. {step}" for i, step in enumerate(collection.steps, start=1))]


def import_data(name: str, source: Path, root: Path, registries: Iterable[Path], *, link: bool) -> int:
    """Bring what a user has to the data root.

    Parameters
    ----------
    name : str
        A collection or a data set.
    source : Path
        File, folder or archive.
    root : Path
        The data root.
    registries : iterable of Path
        The user's registry files.
    link : bool
        Whether links are made, and nothing is copied.

    Returns
    -------
    int
        The exit status: 1 if a file was refused.
    """
    status = 0
    for collection in chosen_collections(load_registry(tuple(registries)), name):
        for brought in bring(collection, collection.files, source, root, link=link):
            _say_brought(collection, brought)
            status |= int(brought.outcome == "refused")
    return status


def verify_data(name: str | None, root: Path, registries: Iterable[Path]) -> int:
    """Compare what is here with its checksums.

    Parameters
    ----------
    name : str or None
        A collection or a data set; None: all.
    root : Path
        The data root.
    registries : iterable of Path
        The user's registry files.

    Returns
    -------
    int
        The exit status: 1 if a file is not what it should be, or one of ``name`` is missing.
    """
    collections = chosen_collections(load_registry(tuple(registries)), name)
    table = new_table("file", "state")
    said, changed, missing, seen = [], 0, 0, 0
    for collection in collections:
        for file in collection.files:
            found = state_of(root / collection.name, file)
            if found.state == "missing" and name is None:
                continue
            seen += found.state != "missing"
            missing += found.state == "missing"
            changed += found.state == "changed"
            table.add_row(f"{collection.name}/{file.path}", found.state)
            if found.problem:
                said.append(f"{found.state}: {collection.name}/{file.path}: {found.problem}")
    console().print(table)
    lacking = f", {missing} missing" if missing else ""
    say(*said, f"{seen} of the files are here, {changed} not what they should be{lacking}: {root}")
    return int(changed + missing > 0)


def show_places(name: str | None, root: Path, registries: Iterable[Path]) -> None:
    """Print the data root, or the folders of a collection or data set.

    Parameters
    ----------
    name : str or None
        A collection or a data set; None: the root alone.
    root : Path
        The data root.
    registries : iterable of Path
        The user's registry files.
    """
    if name is None:
        say(str(root))
        return
    say(*(str(root / found.name) for found in chosen_collections(load_registry(tuple(registries)), name)))


def new_table(*columns: str) -> Table:
    """A table without lines, with these ``columns``."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
