"""``bench association map``: which cue of association norms stands for each class of ImageNet."""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmark.association.mapping import Match, imagenet_cues, imagenet_names
from benchmark.common.errors import UsageError
from benchmark.datasets import DataRoot
from benchmark.datasets.readers.norms import count_column, read_associations
from benchmark.registry import load_registry

HOWS = ("direct", "normalised", "curated", "none")


def show_map(norms: Path | None, data: Path | None, form: str) -> None:
    """Print how every class of ImageNet is mapped to a cue: a summary with the classes, or one CSV row each.

    Parameters
    ----------
    norms : Path, optional
        A file of association norms; None: Small World of Words, from the data root.
    data : Path, optional
        Data root.
    form : {"table", "csv"}
    """
    file = _norms(norms, data)
    cues = read_associations(file, name=file.name).ids
    matches = imagenet_cues(cues)
    if form == "csv":
        _print_csv(matches)
    else:
        _print_summary(matches, f"{file.name} ({count_column(file)}, {len(cues):,} cues)")


def _norms(given: Path | None, data: Path | None) -> Path:
    if given is None:
        entry = load_registry().datasets["swow"].entry
        return DataRoot.find(data).file(entry.params["path"], entry.how or "")
    if not given.is_file():
        raise UsageError(f"--norms {given}: no such file")
    return given


def _print_csv(matches: Mapping[str, Match]) -> None:
    names = imagenet_names()
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(("wnid", "name", "cue", "how", "why"))
    table.writerows(
        (wnid, names[wnid][0], match.cue or "", match.how, match.why) for wnid, match in matches.items()
    )


def _print_summary(matches: Mapping[str, Match], norms: str) -> None:
    console = Console()
    found = {match.cue for match in matches.values() if match.cue is not None}
    having = sum(match.cue is not None for match in matches.values())
    console.print(
        f"{having:,} of {len(matches):,} classes of ImageNet have a cue in {norms}: {len(found):,} cues",
        style="bold",
        highlight=False,
        soft_wrap=True,
    )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("how")
    table.add_column("classes", justify="right")
    table.add_column("cues", justify="right")
    for how in _kinds(matches):
        of_how = [match for match in matches.values() if _kind(match) == how]
        table.add_row(how, str(len(of_how)), str(len({match.cue for match in of_how} - {None})))
    console.print(table)
    for how in _kinds(matches):
        console.print(f"\n{how}", style="bold", highlight=False)
        for line in _lines({wnid: match for wnid, match in matches.items() if _kind(match) == how}):
            console.print(Text(line), soft_wrap=True)


def _kind(match: Match) -> str:
    """As it is counted: the reasons of classes without a cue differ, so they count as one."""
    return match.how if match.how == "none" else str(match)


def _kinds(matches: Mapping[str, Match]) -> list[str]:
    """The kinds there are, from the surest to none, which is always said."""
    order = {_kind(match): HOWS.index(match.how) for match in matches.values()}
    order["none"] = len(HOWS)
    return sorted(order, key=lambda kind: (order[kind], kind))


def _lines(matches: Mapping[str, Match]) -> list[str]:
    """The classes that are called as their cue in one line, then a line for each other cue, or reason."""
    names = imagenet_names()
    by_cue: dict[str, list[str]] = defaultdict(list)
    same, lines = [], []
    for wnid, match in matches.items():
        name = names[wnid][0]
        if match.cue is None:
            lines.append(f"  {name} ({wnid}): {match.why}")
        elif match.cue == name:
            same.append(name)
        else:
            by_cue[match.cue].append(name)
    if same:
        lines.append(f"  {', '.join(sorted(same))}")
    return lines + [f"  {cue}: {', '.join(classes)}" for cue, classes in sorted(by_cue.items())]
