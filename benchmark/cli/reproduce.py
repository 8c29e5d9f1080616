"""``bench reproduce``: run the cell of a result again, and compare."""

from __future__ import annotations

from pathlib import Path

from benchmark.cli.console import say
from benchmark.cli.why import short
from benchmark.common.errors import UsageError
from benchmark.leaderboard.reproduce import TOLERANCE, reproduce
from benchmark.results import ResultStore
from benchmark.runner import Options
from benchmark.runner.why import label

#: Numbers that are named where many differ
_NAMED = 8


def show_requirements(file: Path) -> None:
    """Print the versions with which a result was computed, as a requirements file of pip.

    Raises
    ------
    BenchError
        If the file is no result of a scored cell.
    """
    cell = ResultStore(file.resolve().parent).read(file.resolve())
    made = cell.provenance
    if made is None:
        raise UsageError(f"{file}: its cell has no score ({cell.reason}): no versions are known")
    say(
        f"# {cell.model}, {cell.binding}: Python {made.python}, {made.device}",
        f"# code of the suite: sha256 {made.code_version}",
        *(f"{package}=={version}" for package, version in sorted(made.packages.items())),
    )


def show_reproduction(file: Path, options: Options) -> int:
    """Run the cell of a result again and print whether the numbers are the same.

    Parameters
    ----------
    file : Path
        The result.
    options : Options
        Registries, data root and device.

    Returns
    -------
    int
        Exit status: 0 if every number is the same within the tolerance, else 1.
    """
    found = reproduce(file, options)
    old = found.old
    same = "reproduced" if found.same else "NOT reproduced"
    say(
        f"{old.model}, {old.binding}: {same}: {old.metric} {old.score:.6f} -> {found.new.score:.6f}; "
        f"greatest difference of any number {found.gap:.2g}, tolerance {TOLERANCE:g}"
    )
    say(*(f"  {line}" for line in found.numbers[:_NAMED]))
    if len(found.numbers) > _NAMED:
        say(f"  and {len(found.numbers) - _NAMED} more")
    if found.changes:
        say("what differs between the two runs:")
        say(*(f"  {label(part)}  {short(a)} -> {short(b)}" for part, a, b in found.changes))
    else:
        say("nothing that decides a result differs between the two runs")
    return 0 if found.same else 1
