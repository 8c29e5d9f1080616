"""``bench results check``: what is wrong in files of results."""

from __future__ import annotations

from pathlib import Path

from benchmark.cli.console import say
from benchmark.cli.plot import result_files
from benchmark.common.errors import DataError, UsageError
from benchmark.leaderboard.check import faults, refusals, remarks
from benchmark.registry import Registry
from benchmark.results import ResultStore


def check_results(places: list[Path], registry: Registry) -> int:
    """Check result files, and say what is wrong in each.

    Parameters
    ----------
    places : list of Path
        Files in folders as ``bench run`` writes them, SUITE/BINDING/MODEL.json, or folders that hold such.
    registry : Registry
        Describes the suites, bindings and metrics.

    Returns
    -------
    int
        Exit status: 0 if no result has a fault, else 1.

    Raises
    ------
    UsageError
        If there is no file.
    """
    files = [file for place in places for file in result_files(place)]
    if not files:
        raise UsageError(f"no result under {', '.join(map(str, places))}")
    wrong = 0
    for file in files:
        try:
            cell = ResultStore(file.parent).read(file)  # only the last parts of its path count
        except DataError as error:
            found, noted = [str(error).removeprefix(f"{file}: ")], []
        else:
            found = [*faults(cell, registry), *refusals(cell, registry)]
            noted = remarks(cell, registry)
        wrong += bool(found)
        say(*(f"{file}: fault: {line}" for line in found), *(f"{file}: remark: {line}" for line in noted))
    say(f"{len(files)} results, {wrong} with a fault")
    return 1 if wrong else 0
