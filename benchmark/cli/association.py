"""``bench association map``: the cue in association norms that stands for each class of ImageNet."""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from rich.table import Table

from benchmark.association.mapping import Match, imagenet_cues
from benchmark.cli.console import console, say
from benchmark.common.errors import UsageError
from benchmark.common.text import spreadsheet
from benchmark.datasets import DataRoot
from benchmark.datasets.readers.imagenet import imagenet_names
from benchmark.datasets.readers.norms import count_column, read_associations
from benchmark.registry import load_registry

MATCH_KINDS = ("direct", "normalised", "curated", "none")


def show_map(norms: Path | None, data: Path | None, form: str) -> None:
    """Print the cue of every ImageNet class, as a summary or as CSV with one row for each class.

    Parameters
    ----------
    norms : Path, optional
        File of association norms; None: Small World of Words, from the data root.
    data : Path, optional
        The data root; None: the default one.
    form : {"table", "csv"}
        Summary or CSV.
    """
    file = _norms(norms, data)
    cues = read_associations(file, name=file.name).ids
    matches = imagenet_cues(cues)
    if form == "csv":
        _print_csv(matches)
    else:
        _print_summary(matches, f"{file.name} ({count_column(file)}, {len(cues):,} cues)")


def _norms(path: Path | None, data: Path | None) -> Path:
    if path is None:
        entry = load_registry().datasets["swow"].entry
        return DataRoot.find(data).file(entry.params["path"], entry.how or "")
    if not path.is_file():
        raise UsageError(f"--norms {path}: no such file")
    return path


def _print_csv(matches: Mapping[str, Match]) -> None:
    names = imagenet_names()
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(("wnid", "name", "cue", "how", "why"))
    table.writerows(
        map(spreadsheet, (wnid, names[wnid][0], match.cue or "", match.how, match.why))
        for wnid, match in matches.items()
    )


def _print_summary(matches: Mapping[str, Match], norms: str) -> None:
    out = console()
    cues = {match.cue for match in matches.values() if match.cue is not None}
    mapped = sum(match.cue is not None for match in matches.values())
    out.print(
        f"{mapped:,} of {len(matches):,} classes of ImageNet have a cue in {norms}: {len(cues):,} cues",
        style="bold",
        soft_wrap=True,
    )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("how")
    table.add_column("classes", justify="right")
    table.add_column("cues", justify="right")
    for kind in _kinds(matches):
        of_kind = [match for match in matches.values() if _kind(match) == kind]
        table.add_row(kind, str(len(of_kind)), str(len({match.cue for match in of_kind} - {None})))
    out.print(table)
    for kind in _kinds(matches):
        out.print()
        out.print(kind, style="bold")
        say(*_lines({wnid: match for wnid, match in matches.items() if _kind(match) == kind}))


def _kind(match: Match) -> str:
    """The kind under which a match is counted. Classes without a cue are one kind, whatever the reason."""
    return match.how if match.how == "none" else str(match)


def _kinds(matches: Mapping[str, Match]) -> list[str]:
    """Kinds of the matches, the surest first. The kind "none" is always among them."""
    order = {_kind(match): MATCH_KINDS.index(match.how) for match in matches.values()}
    order["none"] = len(MATCH_KINDS)
    return sorted(order, key=lambda kind: (order[kind], kind))


def _lines(matches: Mapping[str, Match]) -> list[str]:
    """One line with the classes that have the name of their cue; then a line for each other cue or reason."""
    names = imagenet_names()
    by_cue: dict[str, list[str]] = defaultdict(list)
    same_name, lines = [], []
    for wnid, match in matches.items():
        name = names[wnid][0]
        if match.cue is None:
            lines.append(f"  {name} ({wnid}): {match.why}")
        elif match.cue == name:
            same_name.append(name)
        else:
            by_cue[match.cue].append(name)
    if same_name:
        lines.append(f"  {', '.join(sorted(same_name))}")
    return lines + [f"  {cue}: {', '.join(classes)}" for cue, classes in sorted(by_cue.items())]
