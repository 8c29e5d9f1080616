"""``bench run``: progress while it works, then a table or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from benchmark.cli.tables import print_outcomes, print_prospects
from benchmark.common.cost import Cost
from benchmark.results import row
from benchmark.runner import Cell, Options, Outcome, Session, execute, plan, prospects


def run_cells(models: list[str], tasks: list[str], suite: str, options: Options, jobs: int, form: str) -> int:
    """Score the cells asked for, print them, and give the exit status."""
    session = Session(options)
    cells = plan(session.registry, models, tasks, suite)
    outcomes = in_order(cells, list(_with_progress(cells, session, jobs)))
    if form == "json":
        rows = [row(o.cell, cached=o.cached, path=o.path) for o in outcomes]
        sys.stdout.write(json.dumps(rows, indent=1, allow_nan=False) + "\n")
    else:
        print_outcomes(outcomes, session.registry.suite(suite).miniature, suite, options.output)
    return 0 if all(o.cell.status == "scored" for o in outcomes) else 1


def show_plan(models: list[str], tasks: list[str], suite: str, options: Options) -> int:
    """Print which cells there are, which are scored already, and what the missing features will cost."""
    session = Session(options)
    print_prospects(list(prospects(session, plan(session.registry, models, tasks, suite))))
    return 0


def in_order(cells: list[Cell], outcomes: list[Outcome]) -> list[Outcome]:
    """Outcomes in the order of the plan, whichever process was first."""
    place = {cell: i for i, cell in enumerate(cells)}
    return sorted(outcomes, key=lambda o: place[Cell(o.cell.model, o.cell.binding, o.cell.suite)])


def _with_progress(cells: list[Cell], session: Session, jobs: int) -> Iterator[Outcome]:
    with progress_bars() as bars:
        overall = bars.add_task("cells", total=len(cells))

        opened: list[WorkBar] = []

        def bar_of(what: str) -> WorkBar:
            opened.append(WorkBar(bars, what))
            return opened[-1]

        for outcome in execute(cells, session, jobs, bar_of):
            while opened:
                opened.pop().close()
            bars.update(overall, advance=1, description=f"{outcome.cell.model} {outcome.cell.binding}")
            yield outcome


class WorkBar:
    """The bar of an extraction, or of a task's long work; it is there only while that goes on."""

    def __init__(self, bars: Progress, what: str) -> None:
        self._bars = bars
        self._what = what
        self._task: TaskID | None = None

    def expect(self, cost: Cost) -> None:
        """Say what the work will cost."""
        self._bars.console.print(f"{self._what}: {cost}", highlight=False)

    def __call__(self, done: int, total: int) -> None:
        """Show ``done`` of ``total``."""
        if self._task is None:
            self._task = self._bars.add_task(self._what, total=total)
        self._bars.update(self._task, completed=done)
        if done >= total:
            self.close()

    def close(self) -> None:
        """Take the bar away."""
        if self._task is not None:
            self._bars.remove_task(self._task)
            self._task = None


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """Progress on standard error; off when that is no terminal."""
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        yield bars
