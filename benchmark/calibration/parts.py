"""The parts of a calibration that can be done at the same time; each finds all it needs by name."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import Any

import numpy as np

from benchmark.calibration.controls import check_task
from benchmark.calibration.power import Ladder, Trial, pilot, trial
from benchmark.calibration.recovery import Networks, recover
from benchmark.calibration.simulate import Simulation, simulation
from benchmark.common.errors import BenchError, NotPossible
from benchmark.datasets import Join, Target, VectorTarget, join
from benchmark.model import ClassProbabilities
from benchmark.runner import Cell, Options, Session
from benchmark.runner import score as scoring
from benchmark.runner.session import binding_seed
from benchmark.runner.view import StoredView
from benchmark.task import Control, Task


@lru_cache(maxsize=1)
def session_of(options: Options) -> Session:
    """The session of this process."""
    return Session(options)


def seed_of(options: Options, suite: str, part: str) -> int:
    """Seed of a part: it depends on its name alone."""
    seed: int = binding_seed(options.seed, suite, f"calibrate/{part}")
    return seed


def controls_part(session: Session, name: str) -> list[Control]:
    """Controls of a task."""
    rng = np.random.default_rng(seed_of(session.options, "", f"controls/{name}"))
    try:
        return check_task(session.task(name), rng)
    except Exception as error:  # a plug-in may raise anything; the other tasks are still calibrated
        said = " ".join(f"{type(error).__name__}: {error}".split())
        return [Control(f"controls run ({said})", "no error", float("nan"), passed=False)]


def pilot_part(session: Session, suite: str, binding: str) -> Ladder:
    """Pilot of the power of a binding."""
    task, _, params = bound(session, suite, binding)
    simulated = _simulation(session.options, suite, binding)
    return pilot(task, params, simulated, seed_of(session.options, suite, f"pilot/{binding}"))


def trial_part(session: Session, suite: str, binding: str, ladder: Ladder, number: int) -> Trial:
    """One set of simulated people of a binding, and every simulated model scored with it."""
    task, _, params = bound(session, suite, binding)
    simulated = _simulation(session.options, suite, binding)
    return trial(
        task, params, simulated, ladder, seed_of(session.options, suite, f"trial/{binding}/{number}")
    )


def recover_part(
    session: Session, suite: str, binding: str, models: tuple[str, ...], true: int
) -> tuple[str, np.ndarray, np.ndarray]:
    """People like one network, and all networks scored with them."""
    task, joined, params = bound(session, suite, binding)
    networks = _networks(session.options, suite, binding, models)
    seed = seed_of(session.options, suite, f"recovery/{binding}/{models[true]}")
    return recover(task, params, networks, joined, models[true], seed)


@lru_cache(maxsize=1)
def _networks(options: Options, suite: str, binding: str, models: tuple[str, ...]) -> Networks:
    session = session_of(options)
    _, joined, _ = bound(session, suite, binding)
    return Networks.of([view_of(session, model, binding, suite) for model in models], joined.concepts)


def bound(session: Session, suite: str, binding: str) -> tuple[Task, Join[Target], Any]:
    """The task of a binding, its concepts joined, and its params."""
    entry = session.registry.binding(suite, binding)
    joined = join(session.stimuli(entry.stimuli), session.target(entry.target), entry.on)
    return session.task(entry.task), joined, entry.params


def view_of(session: Session, model: str, binding: str, suite: str) -> StoredView:
    """A model as the task of a binding sees it."""
    return scoring.view(session, scoring.assemble(session, Cell(model, binding, suite)))


@lru_cache(maxsize=64)
def _simulation(options: Options, suite: str, binding: str) -> Simulation:
    """Simulated models see one image a concept; where the task needs mistakes, they see the images."""
    session = session_of(options)
    task, joined, params = bound(session, suite, binding)
    stimuli = session.stimuli(session.registry.binding(suite, binding).stimuli)
    plain = simulation(joined, stimuli)
    if not isinstance(joined.target, VectorTarget):
        return plain
    try:
        _try(task, params, plain)
    except NotPossible:
        mistakes = _mistakes(session, suite, binding)
        if not mistakes:
            raise
        return simulation(joined, stimuli, mistakes)
    return plain


def _mistakes(session: Session, suite: str, binding: str) -> list[ClassProbabilities]:
    """What the suite's networks take the stimuli for, of those that the task can do with."""
    task, joined, params = bound(session, suite, binding)
    found = []
    for model in session.registry.suite(suite).models:
        with suppress(BenchError):  # no weights, no classes, or too few mistakes
            view = view_of(session, model, binding, suite)
            classes = view.classify()
            if classes is not None:
                _try(task, params, simulation(joined, view.stimuli, [classes]))
                found.append(classes)
    return found


def _try(task: Task, params: Any, simulated: Simulation) -> None:
    """Score one simulated model, to see whether that is possible."""
    rng = np.random.default_rng(0)
    people = join(simulated.stimuli, simulated.people(rng))
    for view in simulated.views([1.0], rng):
        task.score(view, people, params, rng)
