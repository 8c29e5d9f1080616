"""Calibrate tasks: controls of each task, power of each binding of a suite, one matrix of model recovery."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmark.calibration.parts import (
    controls_part,
    load_binding,
    load_view,
    open_session,
    part_seed,
    pilot_part,
    recover_part,
    trial_part,
)
from benchmark.calibration.power import QualityLevels, power
from benchmark.calibration.recovery import PEOPLE, Recovery
from benchmark.calibration.report import BindingPower, CalibrationReport
from benchmark.common.errors import UsageError, error_summary, plugin_border
from benchmark.common.processes import ProcessEnded, in_processes
from benchmark.datasets import RDMTarget
from benchmark.registry import Registry, unknown
from benchmark.runner import Options, Session
from benchmark.task import Task

#: A function of :mod:`benchmark.calibration.parts`, and its arguments without the session
Part = tuple[Any, ...]


def choose_tasks(registry: Registry, asked: Sequence[str], suite: str) -> tuple[list[str], list[str]]:
    """Choose tasks, and bindings of a suite, by name.

    Parameters
    ----------
    registry : Registry
    asked : sequence of str
        Names of tasks or of bindings, or ``all``. A task without a binding in the suite is chosen too.
    suite : str
        Name of the suite.

    Returns
    -------
    tasks, bindings : list of str

    Raises
    ------
    UsageError
        If a name is unknown, or there is no name.
    """
    bindings = registry.bindings(suite)
    if not asked:
        raise UsageError("nothing is asked for: name a task, or all")
    if "all" in asked:
        return list(registry.tasks), list(bindings)
    for name in asked:
        if name not in registry.tasks and name not in bindings:
            raise UsageError(unknown("task", name, [*registry.tasks, *bindings]))
    chosen = [name for name, binding in bindings.items() if name in asked or binding.task in asked]
    tasks = [n for n in registry.tasks if n in asked or any(bindings[b].task == n for b in chosen)]
    return tasks, chosen


def calibrate(
    session: Session,
    tasks: Sequence[str],
    suite: str,
    jobs: int = 1,
    advance: Callable[[str, int], None] | None = None,
) -> CalibrationReport:
    """Run the controls of tasks, and compute power and model recovery for the bindings of a suite.

    The seed of a part depends only on its name. So neither the order nor the number of jobs changes a number.

    Parameters
    ----------
    session : Session
    tasks : sequence of str
        Names of tasks or bindings, or ``all``.
    suite : str
        Name of the suite.
    jobs : int
        Number of processes.
    advance : callable, optional
        Shows progress: ``advance(what, total)`` is called when a part is done; ``total`` is the number of
        parts.

    Returns
    -------
    CalibrationReport

    Raises
    ------
    BenchError
        If a name is unknown or a plug-in cannot be loaded.
    """
    names, bindings = choose_tasks(session.registry, tasks, suite)
    run = _Run(session, suite, jobs, advance, CalibrationReport(suite))
    by_name = {name: session.task(name) for name in names}
    # The part that takes longest starts first.
    possible = sorted(run.possible(bindings), key=lambda name: run.task(name).simulations)
    recovery, models = run.for_recovery(possible)
    controls = [(controls_part, name) for name in sorted(by_name, key=lambda name: by_name[name].simulations)]
    pilots = [(pilot_part, suite, name) for name in possible]
    recoveries = [(recover_part, suite, recovery, models, i) for i in range(len(models))]
    draws = {name: run.task(name).simulations for name in possible}
    done = run.execute([*controls, *pilots, *recoveries], later=sum(draws.values()))
    trials = {name: _trials(suite, name, done[pilot_part, suite, name], draws[name]) for name in possible}
    done |= run.execute([part for parts in trials.values() for part in parts])

    run.report.controls = {name: done[controls_part, name] for name in names}
    for name in [name for name in bindings if name in possible]:
        levels, outcomes = done[pilot_part, suite, name], [done[part] for part in trials[name]]
        run.report.power[name] = run.power(name, levels, outcomes)
    if recovery:
        run.add_recovery(recovery, models, [done[part] for part in recoveries])
    return run.report


def _trials(suite: str, binding: str, levels: QualityLevels | str, draws: int) -> list[Part]:
    if isinstance(levels, str):  # the reason why there are no levels
        return []
    return [(trial_part, suite, binding, levels, i) for i in range(draws)]


@dataclass
class _Run:
    session: Session
    suite: str
    jobs: int
    advance: Callable[[str, int], None] | None
    report: CalibrationReport
    finished: int = 0

    def task(self, binding: str) -> Task:
        return self.session.task(self.session.registry.binding(self.suite, binding).task)

    def possible(self, bindings: Sequence[str]) -> list[str]:
        """The bindings whose data can be loaded."""
        return [name for name in bindings if self._noted(name, load_binding, self.session, self.suite, name)]

    def for_recovery(self, bindings: Sequence[str]) -> tuple[str | None, tuple[str, ...]]:
        """The binding for model recovery and its models; (None, ()) if there is none.

        It is the binding with the most subjects whose task is fast enough. Its models are those of the suite
        that can be loaded.
        """
        subjects = {}
        for name in reversed(bindings):  # bindings with equally many subjects: the fastest task counts
            target = load_binding(self.session, self.suite, name)[1].target
            if isinstance(target, RDMTarget) and self.task(name).simulations >= PEOPLE:
                subjects[name] = len(target.subjects)
        best = max(subjects, key=subjects.__getitem__, default=None)
        if best is None or subjects[best] < 2:
            return None, ()
        models = tuple(
            name
            for name in self.session.registry.suite(self.suite).models
            if self._noted(name, self._extract, name, best)
        )
        if len(models) < 2:
            self.report.notes.append(
                f"model recovery, {best}: it needs two models; {len(models)} can be loaded"
            )
            return None, ()
        return best, models

    def _extract(self, model: str, binding: str) -> None:
        view = load_view(self.session, model, binding, self.suite)
        view.features(view.layers[0])

    def _noted(self, name: str, attempt: Callable[..., object], *arguments: object) -> bool:
        """Whether an attempt succeeds. If it fails, the reason goes into the notes of the report."""
        try:
            with plugin_border():
                attempt(*arguments)
        except Exception as error:  # a plug-in may raise anything; the other bindings are still calibrated
            self.report.notes.append(f"{name}: {error_summary(error)}")
            return False
        return True

    def execute(self, parts: Sequence[Part], later: int = 0) -> dict[Part, Any]:
        """Run the parts, and give the result of each; for a part that is not possible, the reason as text."""
        work = partial(_execute, options=self.session.options)
        outcomes: Iterator[tuple[Part, Any]]
        if self.jobs == 1 or len(parts) < 2:
            outcomes = ((part, work(part)) for part in parts)
        else:
            outcomes = in_processes(work, [[part] for part in parts], self.jobs)
        total = self.finished + len(parts) + later
        done = {}
        for part, outcome in outcomes:
            done[part] = str(outcome) if isinstance(outcome, ProcessEnded) else outcome
            self.finished += 1
            if self.advance:
                self.advance(" ".join(str(word) for word in part[1:3]), total)
        return done

    def power(self, binding: str, levels: QualityLevels | str, trials: Sequence[Any]) -> BindingPower:
        task, joined, _ = load_binding(self.session, self.suite, binding)
        target = joined.target
        subjects = len(target.subjects) if isinstance(target, RDMTarget) else None
        common = (task.name, task.metrics[0].name, len(joined.concepts), subjects)
        failed = next((part for part in (levels, *trials) if isinstance(part, str)), None)
        if failed is not None or isinstance(levels, str):
            return BindingPower(*common, reason=failed)
        seed = part_seed(self.session.options, self.suite, f"power/{binding}")
        return BindingPower(*common, power(levels, trials, seed))

    def add_recovery(self, binding: str, models: tuple[str, ...], rows: Sequence[Any]) -> None:
        failed = [row for row in rows if isinstance(row, str)]
        if failed:
            self.report.notes.append(f"model recovery, {binding}: {failed[0]}")
            return
        layers, wins, scores = zip(*rows, strict=True)
        mean_wins, mean_scores = (np.array([row.mean(axis=0) for row in matrix]) for matrix in (wins, scores))
        self.report.recovery[binding] = Recovery(models, layers, mean_wins, mean_scores, PEOPLE)


def _execute(part: Part, options: Options) -> Any:
    function, *arguments = part
    try:
        with plugin_border():
            return function(open_session(options), *arguments)
    except Exception as error:  # a plug-in may raise anything; the other parts still run
        return error_summary(error)
