"""``bench calibrate``: controls, power and model recovery, as tables and in a JSON file."""

from __future__ import annotations

import json
import platform
import time
from pathlib import Path

from rich import box
from rich.table import Table

from benchmark.calibration.power import ALPHA, POWER
from benchmark.calibration.recovery import Recovery
from benchmark.calibration.report import BindingPower, CalibrationReport
from benchmark.calibration.run import calibrate
from benchmark.cli.console import console, progress_bars, styled
from benchmark.cli.tables import number
from benchmark.common.errors import DataError
from benchmark.common.files import write_atomic
from benchmark.results import code_version, now, versions
from benchmark.runner import Options, Session
from benchmark.task import Control


def run_calibration(tasks: list[str], suite: str, options: Options, jobs: int) -> int:
    """Calibrate tasks; print and store the answers.

    Parameters
    ----------
    tasks : list of str
        Names of tasks or bindings, or "all".
    suite : str
        Suite whose stimuli and people the simulations imitate.
    options : Options
        Registries, data root, device, seed and folder of the results.
    jobs : int
        Number of processes.

    Returns
    -------
    int
        Exit status: 0 if every control passed, else 1.
    """
    session = Session(options)
    start = time.perf_counter()
    with progress_bars() as bars:
        overall = bars.add_task("features", total=None)

        def advance(what: str, total: int) -> None:
            bars.update(overall, advance=1, total=total, description=what)

        calibration = calibrate(session, tasks, suite, jobs, advance)
    path = _write(calibration, session, tasks, time.perf_counter() - start)
    _print(calibration, session, path)
    return 0 if calibration.passed else 1


def _write(calibration: CalibrationReport, session: Session, tasks: list[str], seconds: float) -> Path:
    options = session.options
    path = options.output / "calibration" / f"{calibration.suite}.json"
    provenance = {
        "tasks": {name: session.task(name).version for name in calibration.controls},
        "asked": tasks,
        "seed": options.seed,
        "packages": versions(),
        "python": platform.python_version(),
        "code_version": code_version(),
        "created": now(),
        "seconds": round(seconds, 1),
    }
    content = {**calibration.as_json(), "provenance": provenance}
    try:
        write_atomic(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def _print(calibration: CalibrationReport, session: Session, path: Path) -> None:
    out = console()
    out.print("controls: the answer of each task on data where the right answer is known", style="bold")
    out.print(_controls(calibration.controls))
    suite = session.registry.suite(calibration.suite)
    about = " - MINIATURE: drawn images and simulated people" if suite.miniature else ""
    if calibration.power:
        out.print(
            f"power, suite {calibration.suite}{about}: the least difference between two models that is "
            f"detected in {POWER:.0%} of the simulations; paired comparison at alpha {ALPHA:g}",
            style="bold",
        )
        out.print(_power(calibration.power))
    for binding, recovery in calibration.recovery.items():
        out.print(
            f"model recovery, {binding}{about}: from the model of each row, {recovery.people} sets of people "
            "are simulated; a number is the share of these sets in which the model of the column wins; "
            f"the true model wins in {recovery.recovered:.3f} on average, chance is {recovery.chance:.3f}",
            style="bold",
        )
        out.print(_recovery(recovery))
    for note in calibration.notes:
        out.print(note, style="yellow", soft_wrap=True)
    failed = [
        f"{task}: {control.name}"
        for task, controls in calibration.controls.items()
        for control in controls
        if not control.passed
    ]
    for name in failed:
        out.print(f"FAILED {name}", style="red", soft_wrap=True)
    total = sum(map(len, calibration.controls.values()))
    out.print(f"{total - len(failed)} of {total} controls passed")
    out.print(f"results: {path.resolve()}", soft_wrap=True)


def _table(texts: tuple[str, ...], numbers: tuple[str, ...]) -> Table:
    """A table without rows: columns of texts on the left, columns of numbers on the right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in texts:
        table.add_column(column, overflow="fold")
    for column in numbers:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _controls(controls: dict[str, list[Control]]) -> Table:
    table = _table(("task", "control"), ("expected", "passes", "found", ""))
    for task, of_task in controls.items():
        for i, control in enumerate(of_task):
            table.add_row(
                "" if i else task,
                control.name,
                control.expected,
                _band(control.band),
                number(control.found),
                styled("passed", "green") if control.passed else styled("FAILED", "bold red"),
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
    for binding, entry in power.items():
        estimate = entry.power
        counts = str(entry.concepts), str(entry.subjects or "-")
        if estimate is None:
            table.add_row(binding, f"not possible: {entry.reason}", *counts)
            continue
        beyond = f"over {estimate.greatest:.3f}"
        low, high = (beyond if value is None else number(value) for value in (estimate.low, estimate.high))
        table.add_row(
            binding,
            entry.metric,
            *counts,
            beyond if estimate.least is None else number(estimate.least),
            low if low == high else f"{low} to {high}",
            *(number(value) for value in (estimate.middle, estimate.chance, estimate.perfect)),
            number(estimate.false_alarms, 2),
        )
    return table


def _recovery(recovery: Recovery) -> Table:
    table = _table(("true model", "layer"), tuple(str(i + 1) for i in range(len(recovery.models))))
    for i, model in enumerate(recovery.models):
        cells = [
            styled(f"{share:.2f}" if share else ".", "bold" if column == i else "")
            for column, share in enumerate(recovery.wins[i])
        ]
        table.add_row(f"{i + 1} {model}", recovery.layers[i], *cells)
    return table
