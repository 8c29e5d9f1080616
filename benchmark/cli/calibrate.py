"""``bench calibrate``: controls, power and model recovery, as tables and in a JSON file."""

from __future__ import annotations

import json
import platform
import sys
import time
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmark.calibration.power import ALPHA, POWER
from benchmark.calibration.recovery import Recovery
from benchmark.calibration.report import BindingPower, CalibrationReport
from benchmark.calibration.run import calibrate
from benchmark.cli.run import progress_bars
from benchmark.cli.tables import WIDTH, number
from benchmark.common.errors import DataError
from benchmark.common.files import write_atomic
from benchmark.results import code_version, now, versions
from benchmark.runner import Options, Session
from benchmark.task import Control


def run_calibration(tasks: list[str], suite: str, options: Options, jobs: int) -> int:
    """Calibrate the tasks asked for, print and store what was found, and give the exit status."""
    session = Session(options)
    start = time.perf_counter()
    with progress_bars() as bars:
        overall = bars.add_task("features", total=None)

        def advance(what: str, total: int) -> None:
            bars.update(overall, advance=1, total=total, description=what)

        found = calibrate(session, tasks, suite, jobs, advance)
    path = _write(found, session, tasks, time.perf_counter() - start)
    _print(found, session, path)
    return 0 if found.passed else 1


def _write(found: CalibrationReport, session: Session, tasks: list[str], seconds: float) -> Path:
    options = session.options
    path = options.output / "calibration" / f"{found.suite}.json"
    provenance = {
        "tasks": {name: session.task(name).version for name in found.controls},
        "asked": tasks,
        "seed": options.seed,
        "packages": versions(),
        "python": platform.python_version(),
        "code_version": code_version(),
        "created": now(),
        "seconds": round(seconds, 1),
    }
    content = {**found.as_json(), "provenance": provenance}
    try:
        write_atomic(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def _print(found: CalibrationReport, session: Session, path: Path) -> None:
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    console.print("controls: what each task finds where the answer is known", style="bold")
    console.print(_controls(found.controls))
    suite = session.registry.suite(found.suite)
    about = " - MINIATURE: a drawn world and simulated people" if suite.miniature else ""
    if found.power:
        title = f"power, suite {found.suite}{about}: least difference of two models found in {POWER:.0%}"
        console.print(f"{title} of simulations, paired bootstrap at alpha {ALPHA:g}", style="bold")
        console.print(_power(found.power))
    for binding, recovery in found.recovery.items():
        console.print(
            f"model recovery, {binding}{about}: share of {recovery.people} simulated sets of people like the "
            f"model of the row in which the model of the column wins; chance {recovery.chance:.3f}, "
            f"found {recovery.recovered:.3f}",
            style="bold",
        )
        console.print(_recovery(recovery))
    for note in found.notes:
        console.print(Text(note, style="yellow"), soft_wrap=True)
    failed = [f"{t}: {c.name}" for t, controls in found.controls.items() for c in controls if not c.passed]
    for name in failed:
        console.print(Text(f"FAILED {name}", style="red"), soft_wrap=True)
    total = sum(map(len, found.controls.values()))
    console.print(f"{total - len(failed)} of {total} controls passed", highlight=False)
    console.print(f"results: {path.resolve()}", highlight=False, soft_wrap=True)


def _table(left: tuple[str, ...], right: tuple[str, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in left:
        table.add_column(column, overflow="fold")
    for column in right:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _controls(controls: dict[str, list[Control]]) -> Table:
    table = _table(("task", "control"), ("expected", "passes", "found", ""))
    for task, found in controls.items():
        for i, control in enumerate(found):
            table.add_row(
                "" if i else task,
                Text(control.name),
                control.expected,
                _band(control.band),
                number(control.found),
                Text("passed", style="green") if control.passed else Text("FAILED", style="bold red"),
            )
    return table


def _band(band: tuple[float, float] | None) -> str:
    if band is None:
        return "-"
    low, high = band
    if low == float("-inf"):
        return f"up to {high:.3f}"
    return f"from {low:.3f}" if high == float("inf") else f"{low:.3f} to {high:.3f}"


def _power(power: dict[str, BindingPower]) -> Table:
    table = _table(
        ("binding", "metric"),
        ("n", "people", "least difference", "95 % interval", "around", "chance", "perfect", "false alarms"),
    )
    for binding, bound in power.items():
        found = bound.power
        counts = str(bound.concepts), str(bound.subjects or "-")
        if found is None:
            table.add_row(binding, Text(f"not possible: {bound.reason}"), *counts)
            continue
        beyond = f"over {found.greatest:.3f}"
        low, high = (beyond if value is None else number(value) for value in (found.low, found.high))
        table.add_row(
            binding,
            bound.metric,
            *counts,
            beyond if found.least is None else number(found.least),
            low if low == high else f"{low} to {high}",
            *(number(value) for value in (found.middle, found.chance, found.perfect)),
            number(found.false_alarms, 2),
        )
    return table


def _recovery(recovery: Recovery) -> Table:
    table = _table(("true model", "layer"), tuple(str(i + 1) for i in range(len(recovery.models))))
    for i, model in enumerate(recovery.models):
        cells = [f"{share:.2f}" if share else "." for share in recovery.wins[i]]
        cells[i] = f"[bold]{cells[i]}[/bold]"
        table.add_row(Text(f"{i + 1} {model}"), recovery.layers[i], *cells)
    return table
