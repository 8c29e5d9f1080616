"""Calibrate tasks: controls of each task, power of each binding of a suite, one model-recovery matrix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from benchmark.calibration.parts import (
    bound,
    controls_part,
    pilot_part,
    recover_part,
    seed_of,
    session_of,
    trial_part,
    view_of,
)
from benchmark.calibration.power import Ladder, power
from benchmark.calibration.recovery import PEOPLE, Recovery
from benchmark.calibration.report import BindingPower, Calibration
from benchmark.common.errors import BenchError, UsageError
from benchmark.datasets import RDMTarget
from benchmark.registry import Registry, unknown
from benchmark.runner import Options, Session
from benchmark.task import Task

#: A function of :mod:`benchmark.calibration.parts` and its arguments after the session
Part = tuple[Any, ...]


def chosen(registry: Registry, asked: Sequence[str], suite: str) -> tuple[list[str], list[str]]:
    """The tasks and the bindings of ``suite`` that ``asked`` names; a task need have no binding.

    Raises
    ------
    UsageError
        If a name is unknown, or nothing is asked for.
    """
    bindings = registry.bindings(suite)
    if not asked:
        raise UsageError("nothing is asked for: name a task, or all")
    if "all" in asked:
        return list(registry.tasks), list(bindings)
    for name in asked:
        if name not in registry.tasks and name not in bindings:
            raise UsageError(unknown("task", name, [*registry.tasks, *bindings]))
    found = [name for name, binding in bindings.items() if name in asked or binding.task in asked]
    tasks = [n for n in registry.tasks if n in asked or any(bindings[b].task == n for b in found)]
    return tasks, found


def calibrate(
    session: Session,
    tasks: Sequence[str],
    suite: str,
    jobs: int = 1,
    advance: Callable[[str, int], None] | None = None,
) -> Calibration:
    """Run the controls of tasks, and find power and model recovery with the bindings of a suite.

    The seeds of a part depend on its name alone: neither the order nor the number of jobs changes a number.

    Parameters
    ----------
    session : Session
    tasks : sequence of str
        Tasks or bindings, or ``all``.
    suite : str
    jobs : int
        Processes.
    advance : callable, optional
        ``advance(what, total)`` is called as each of ``total`` parts is done.

    Returns
    -------
    Calibration

    Raises
    ------
    BenchError
        If a name is unknown or a plug-in cannot be loaded.
    """
    names, bindings = chosen(session.registry, tasks, suite)
    run = _Run(session, suite, jobs, advance, Calibration(suite))
    known = {name: session.task(name) for name in names}
    # What takes longest begins first.
    possible = sorted(run.possible(bindings), key=lambda name: run.task(name).simulations)
    recovery, models = run.for_recovery(possible)
    controls = [(controls_part, name) for name in sorted(known, key=lambda name: known[name].simulations)]
    pilots = [(pilot_part, suite, name) for name in possible]
    recoveries = [(recover_part, suite, recovery, models, i) for i in range(len(models))]
    draws = {name: run.task(name).simulations for name in possible}
    done = run.execute([*controls, *pilots, *recoveries], later=sum(draws.values()))
    trials = {name: _trials(suite, name, done[pilot_part, suite, name], draws[name]) for name in possible}
    done |= run.execute([part for parts in trials.values() for part in parts])

    run.found.controls = {name: done[controls_part, name] for name in names}
    for name in [name for name in bindings if name in possible]:
        ladder, found = done[pilot_part, suite, name], [done[part] for part in trials[name]]
        run.found.power[name] = run.power(name, ladder, found)
    if recovery:
        run.add_recovery(recovery, models, [done[part] for part in recoveries])
    return run.found


def _trials(suite: str, binding: str, ladder: Ladder | str, draws: int) -> list[Part]:
    if isinstance(ladder, str):  # why there is none
        return []
    return [(trial_part, suite, binding, ladder, i) for i in range(draws)]


@dataclass
class _Run:
    session: Session
    suite: str
    jobs: int
    advance: Callable[[str, int], None] | None
    found: Calibration
    finished: int = 0

    def task(self, binding: str) -> Task:
        return self.session.task(self.session.registry.binding(self.suite, binding).task)

    def possible(self, bindings: Sequence[str]) -> list[str]:
        """The bindings whose data are here."""
        return [name for name in bindings if self._noted(name, bound, self.session, self.suite, name)]

    def for_recovery(self, bindings: Sequence[str]) -> tuple[str | None, tuple[str, ...]]:
        """The binding with the most subjects whose task is fast enough, and the models that can be had."""
        subjects = {}
        for name in reversed(bindings):  # of bindings with as many, the one that takes the least time
            target = bound(self.session, self.suite, name)[1].target
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
            self.found.notes.append(f"model recovery, {best}: it needs two models; {len(models)} can be had")
            return None, ()
        return best, models

    def _extract(self, model: str, binding: str) -> None:
        view = view_of(self.session, model, binding, self.suite)
        view.features(view.layers[0])

    def _noted(self, name: str, attempt: Callable[..., object], *arguments: object) -> bool:
        """Whether an attempt succeeds; where it does not, why is noted."""
        try:
            attempt(*arguments)
        except BenchError as error:
            self.found.notes.append(f"{name}: {error}")
            return False
        return True

    def execute(self, parts: Sequence[Part], later: int = 0) -> dict[Part, Any]:
        """What comes of each part, by part; of one that is not possible, why."""
        options = self.session.options
        if self.jobs == 1 or len(parts) < 2:
            outcomes = (_execute(part, options) for part in parts)
        else:
            workers = Parallel(n_jobs=self.jobs, backend="loky", return_as="generator_unordered")
            outcomes = workers(delayed(_execute)(part, options) for part in parts)
        total = self.finished + len(parts) + later
        done = {}
        for part, outcome in outcomes:
            done[part] = outcome
            self.finished += 1
            if self.advance:
                self.advance(" ".join(str(word) for word in part[1:3]), total)
        return done

    def power(self, binding: str, ladder: Ladder | str, trials: Sequence[Any]) -> BindingPower:
        task, joined, _ = bound(self.session, self.suite, binding)
        target = joined.target
        subjects = len(target.subjects) if isinstance(target, RDMTarget) else None
        common = (task.name, task.metrics[0].name, len(joined.concepts), subjects)
        failed = next((part for part in (ladder, *trials) if isinstance(part, str)), None)
        if failed is not None or isinstance(ladder, str):
            return BindingPower(*common, reason=failed)
        seed = seed_of(self.session.options, self.suite, f"power/{binding}")
        return BindingPower(*common, power(ladder, trials, seed))

    def add_recovery(self, binding: str, models: tuple[str, ...], rows: Sequence[Any]) -> None:
        failed = [row for row in rows if isinstance(row, str)]
        if failed:
            self.found.notes.append(f"model recovery, {binding}: {failed[0]}")
            return
        layers, wins, scores = zip(*rows, strict=True)
        won, scored = (np.array([row.mean(axis=0) for row in matrix]) for matrix in (wins, scores))
        self.found.recovery[binding] = Recovery(models, layers, won, scored, PEOPLE)


def _execute(part: Part, options: Options) -> tuple[Part, Any]:
    function, *arguments = part
    try:
        return part, function(session_of(options), *arguments)
    except BenchError as error:
        return part, str(error)
