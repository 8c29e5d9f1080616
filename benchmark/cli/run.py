"""``bench run``: show the progress, then print a table or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from benchmark.cli.console import progress_bars
from benchmark.cli.tables import print_outcomes, print_prospects
from benchmark.common.cost import Cost
from benchmark.results import row
from benchmark.runner import (
    ALL,
    Cell,
    Options,
    Outcome,
    Session,
    execute,
    plan,
    prospects,
    shard,
    suite_of_target,
)

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


#: The suite of a command that names none
DEFAULT_SUITE = "mini"


class Asked(NamedTuple):
    """What a command asks for: names of models and tasks, or "all"; a suite and a target, or None.

    ``part`` is the number of the part of the plan that is meant, from 1, and how many parts there are.
    """

    models: list[str]
    tasks: list[str]
    suite: str | None
    target: str | None
    part: tuple[int, int] = (1, 1)

    @property
    def tasks_named(self) -> list[str]:
        """The tasks; with a target all tasks, where none is named."""
        return self.tasks or ([] if self.target is None else [ALL])

    def plan(self, session: Session) -> tuple[str, list[Cell]]:
        """The suite and its cells, in the registry of ``session``.

        With a target, its only suite and all tasks are meant where none is named.
        """
        registry, suite = session.registry, self.suite
        if self.target is not None:
            suite = suite or suite_of_target(registry, self.target)
        suite = suite or DEFAULT_SUITE
        cells = plan(registry, self.models, self.tasks_named, suite, self.target)
        return suite, shard(cells, registry, *self.part)


def run_cells(
    asked: Asked,
    options: Options,
    jobs: int,
    form: str,
    *,
    strict: bool = False,
    scheduler: str | None = None,
    time_limit: float | None = None,
) -> int:
    """Score models on tasks and print the results.

    Parameters
    ----------
    asked : Asked
    options : Options
        Registries, data root, layers, device, seed and folder of the results.
    jobs : int
        Number of processes.
    form : {"table", "json"}
        How the results are printed.
    strict : bool
        Whether every cell must be scored, also with all tasks.
    scheduler : str, optional
        Of the dask cluster that scores the cells, as for :func:`benchmark.runner.execute`.
    time_limit : float, optional
        Most seconds for a cell, likewise.

    Returns
    -------
    int
        Exit status: 0 if every cell that had to be is scored (:func:`all_done`), else 1.
    """
    session = Session(options)
    suite, cells = asked.plan(session)
    how = partial(execute, jobs=jobs, scheduler=scheduler, time_limit=time_limit)
    outcomes = in_plan_order(cells, _score(cells, session, how))
    if form == "json":
        rows = [row(o.cell, cached=o.cached, path=o.path) for o in outcomes]
        sys.stdout.write(json.dumps(rows, indent=1, allow_nan=False) + "\n")
    else:
        print_outcomes(outcomes, session.registry.suite(suite).miniature, suite, options.output)
    return 0 if all_done(outcomes, excused=ALL in asked.tasks_named and not strict) else 1


def all_done(outcomes: list[Outcome], excused: bool) -> bool:
    """Whether every cell is scored that had to be.

    Parameters
    ----------
    outcomes : list of Outcome
    excused : bool
        Whether cells that are not possible are excused, of models with another cell that is scored. A fault
        is not.
    """
    taking_part = {o.cell.model for o in outcomes if o.cell.status == "scored"}
    return all(
        o.cell.status == "scored" or (excused and not o.is_fault and o.cell.model in taking_part)
        for o in outcomes
    )


def show_plan(asked: Asked, options: Options) -> int:
    """Print the cells of a run: which are scored already, and what the features of the others will cost.

    Parameters
    ----------
    asked : Asked
    options : Options
        Those of the run.

    Returns
    -------
    int
        Exit status: 0.
    """
    session = Session(options)
    print_prospects(list(prospects(session, asked.plan(session)[1])))
    return 0


def in_plan_order(cells: list[Cell], outcomes: list[Outcome]) -> list[Outcome]:
    """Sort ``outcomes`` into the order of ``cells``; processes may have finished them in another order."""
    place = {cell: i for i, cell in enumerate(cells)}
    return sorted(outcomes, key=lambda o: place[Cell(o.cell.model, o.cell.binding, o.cell.suite)])


def _score(cells: list[Cell], session: Session, how: Callable[..., Iterator[Outcome]]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    try:
        for outcome in _with_progress(cells, session, how):
            outcomes.append(outcome)  # noqa: PERF402 - what is done when the user stops the run is counted
    except KeyboardInterrupt:
        done = sum(outcome.cell.status == "scored" for outcome in outcomes)
        raise KeyboardInterrupt(
            f"{done} of {len(cells)} cells are finished and stored; the same command goes on from there"
        ) from None
    return outcomes


def _with_progress(
    cells: list[Cell], session: Session, how: Callable[..., Iterator[Outcome]]
) -> Iterator[Outcome]:
    with progress_bars() as bars:
        overall = bars.add_task("cells", total=len(cells))

        open_bars: list[WorkBar] = []

        def bar_of(label: str) -> WorkBar:
            open_bars.append(WorkBar(bars, label))
            return open_bars[-1]

        for outcome in how(cells, session, bars=bar_of):
            while open_bars:
                open_bars.pop().close()
            bars.update(overall, advance=1, description=f"{outcome.cell.model} {outcome.cell.binding}")
            yield outcome


class WorkBar:
    """Progress bar of an extraction, or of the long work of a task. It is shown only while the work goes on.

    Parameters
    ----------
    bars : Progress
        The display that the bar is added to.
    label : str
        What is done.
    """

    def __init__(self, bars: Progress, label: str) -> None:
        self._bars = bars
        self._label = label
        self._task: TaskID | None = None

    def expect(self, cost: Cost) -> None:
        """Print ``cost``, what the work will cost."""
        self._bars.console.print(f"{self._label}: {cost}")

    def __call__(self, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` steps are done."""
        if self._task is None:
            self._task = self._bars.add_task(self._label, total=total)
        self._bars.update(self._task, completed=done)
        if done >= total:
            self.close()

    def close(self) -> None:
        """Remove the bar."""
        if self._task is not None:
            self._bars.remove_task(self._task)
            self._task = None
