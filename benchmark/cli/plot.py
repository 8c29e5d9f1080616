"""``bench plot``: a figure for a paper, from results alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmark.cli.console import say
from benchmark.common.errors import UsageError
from benchmark.common.figures import require_format, save_figure
from benchmark.results import VARIANT, ResultStore, Stored

#: Kinds of figures that show the arrays of results of one binding
_ARRAYS = ("rdm", "similarity", "curve")


def plot(kind: str, places: list[Path], output: Path) -> None:
    """Draw a figure of results.

    Parameters
    ----------
    kind : {"profile", "rdm", "plan", "compare", "similarity", "curve"}
        What is drawn.
    places : list of Path
        Result files, or folders of them.
    output : Path
        File to write.

    Raises
    ------
    BenchError
        If a result cannot be read or holds not what the figure shows; if results are of several suites, or of
        several bindings for RDMs.
    """
    require_format(output, "--output")
    stored = [one for one in read_results(places) if one.cell.status == "scored"]
    _require_one("suite", [one.cell.suite for one in stored])
    if kind in _ARRAYS:
        _require_one("binding", [one.cell.binding for one in stored])
    # matplotlib is slow to import
    from benchmark.leaderboard import figures
    from benchmark.leaderboard.figures.style import style

    cells = [one.cell for one in stored]
    if kind == "profile":
        figure = figures.profiles(cells)
    elif kind == "compare":
        figure = figures.differences([cell for cell in cells if VARIANT not in cell.binding])
    else:
        kept = [(one.cell, ResultStore(one.path.parent).arrays(one)) for one in stored]
        draw = {
            "rdm": figures.rdms,
            "plan": figures.plans,
            "similarity": figures.similarities,
            "curve": figures.curves,
        }[kind]
        figure = draw(kept)
    with style():  # the kind of letters is decided as a file is written
        save_figure(figure, output)
    say(f"figure: {output.resolve()}")


def read_results(places: list[Path]) -> list[Stored]:
    """Read the results in files and folders.

    Parameters
    ----------
    places : list of Path
        Result files, SUITE/BINDING/MODEL.json, or folders that hold such.

    Returns
    -------
    list of Stored

    Raises
    ------
    BenchError
        If there is none, or one cannot be read.
    """
    files = [file for place in places for file in result_files(place)]
    if not files:
        raise UsageError(f"no result under {', '.join(map(str, places))}")
    return [Stored(file, ResultStore(file.parent).read(file)) for file in files]


def result_files(place: Path) -> Iterator[Path]:
    """The result files of a ``place``, which is one or a folder of them.

    Raises
    ------
    UsageError
        If there is no such place.
    """
    if place.is_dir():
        found = sorted(place.resolve().glob("**/*.json"))
        above = {folder for file in found for folder in file.parent.parents}
        # results lie in the innermost folders; above them may lie the JSON of bench leaderboard build
        yield from (file for file in found if file.parent not in above)
    elif place.exists():
        yield place.resolve()
    else:
        raise UsageError(f"no file or folder {place}")


def _require_one(what: str, names: list[str]) -> None:
    different = sorted(set(names))
    if len(different) > 1:
        raise UsageError(
            f"results of {len(different)} {what}s ({', '.join(different[:4])}): give those of one {what}"
        )
    if not different:
        raise UsageError("none of the results has a score")
