"""The parts of a calibration, which can run at the same time. Each loads what it needs by name.

In this module ``session`` is the session of the process. ``suite`` and ``binding`` name a binding; ``model``
or ``models`` name models of the registry.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import Any

import numpy as np

from benchmark.calibration.arrays import ArrayView
from benchmark.calibration.controls import check_task
from benchmark.calibration.power import QualityLevels, Trial, pilot, trial
from benchmark.calibration.recovery import Networks, recover
from benchmark.calibration.simulate import Simulation, simulation
from benchmark.common.errors import BenchError, NotPossible, error_summary, plugin_border
from benchmark.datasets import Join, Stimuli, Target, VectorTarget, join
from benchmark.model import ClassProbabilities
from benchmark.representation.concepts import concept_images, concept_means
from benchmark.runner import Cell, Options, Session
from benchmark.runner import score as scoring
from benchmark.runner.references import load_references, reference_keys, reference_views
from benchmark.runner.session import binding_seed
from benchmark.runner.view import StoredView
from benchmark.task import ENCODER, Control, ModelView, Task


@lru_cache(maxsize=1)
def open_session(options: Options) -> Session:
    """Open the session of this process, with ``options``."""
    return Session(options)


def part_seed(options: Options, suite: str, part: str) -> int:
    """Seed of a part: it depends only on the seed of ``options``, on ``suite`` and on the name ``part``."""
    seed: int = binding_seed(options.seed, suite, f"calibrate/{part}")
    return seed


def controls_part(session: Session, name: str) -> list[Control]:
    """Run the controls of the task ``name``. An error of the task is a failed control."""
    rng = np.random.default_rng(part_seed(session.options, "", f"controls/{name}"))
    try:
        with plugin_border():
            return check_task(session.task(name), rng)
    except Exception as error:  # a plug-in may raise anything; the other tasks are still calibrated
        return [Control(f"controls run ({error_summary(error)})", "no error", float("nan"), passed=False)]


def pilot_part(session: Session, suite: str, binding: str) -> QualityLevels:
    """Run the pilot for the power of a binding."""
    task, _, params = load_binding(session, suite, binding)
    simulated = _simulation(session.options, suite, binding)
    return pilot(task, params, simulated, part_seed(session.options, suite, f"pilot/{binding}"))


def trial_part(session: Session, suite: str, binding: str, levels: QualityLevels, number: int) -> Trial:
    """Simulate one set of people for a binding, and score every simulated model with it.

    ``levels`` come from the pilot; ``number`` is the number of the trial.
    """
    task, _, params = load_binding(session, suite, binding)
    simulated = _simulation(session.options, suite, binding)
    return trial(
        task, params, simulated, levels, part_seed(session.options, suite, f"trial/{binding}/{number}")
    )


def recover_part(
    session: Session, suite: str, binding: str, models: tuple[str, ...], true: int
) -> tuple[str, np.ndarray, np.ndarray]:
    """Simulate people like the network ``models[true]``, and score all networks with them."""
    task, joined, params = load_binding(session, suite, binding)
    networks = _networks(session.options, suite, binding, models)
    seed = part_seed(session.options, suite, f"recovery/{binding}/{models[true]}")
    return recover(task, params, networks, joined, models[true], seed)


@lru_cache(maxsize=1)
def _networks(options: Options, suite: str, binding: str, models: tuple[str, ...]) -> Networks:
    session = open_session(options)
    _, joined, _ = load_binding(session, suite, binding)
    return Networks.from_views(
        [load_view(session, model, binding, suite) for model in models], joined.concepts
    )


def load_binding(session: Session, suite: str, binding: str) -> tuple[Task, Join[Target], Any]:
    """Load the task of a binding, its target joined with its stimuli, and its params."""
    entry = session.registry.binding(suite, binding)
    stimuli = session.stimuli(entry.stimuli)
    joined = join(stimuli, session.target_of(entry), entry.on)
    task = session.task(entry.task)
    params = session.params(entry)
    task.require(stimuli, joined, params)
    return task, joined, params


def load_view(session: Session, model: str, binding: str, suite: str) -> StoredView:
    """Load a model as the task of a binding sees it."""
    return scoring.view(session, scoring.assemble(session, Cell(model, binding, suite)))


@lru_cache(maxsize=64)
def _simulation(options: Options, suite: str, binding: str) -> Simulation:
    """The simulation for a binding.

    Simulated models see one image for each concept. Where the task needs mistakes, they see the images of
    the binding, and make the mistakes of the suite's networks.
    """
    session = open_session(options)
    task, joined, params = load_binding(session, suite, binding)
    stimuli = session.stimuli(session.registry.binding(suite, binding).stimuli)
    plain = simulation(joined, stimuli)
    plain.references = _references(session, suite, binding, plain.stimuli)
    if not isinstance(joined.target, VectorTarget):
        return plain
    try:
        _score_one(task, params, plain)
    except NotPossible:
        mistakes = _mistakes(session, suite, binding)
        if not mistakes:
            raise
        return simulation(joined, stimuli, mistakes)
    return plain


def _references(session: Session, suite: str, binding: str, shown: Stimuli) -> dict[str, ModelView]:
    """The reference models of a binding, with a stimulus for each concept, as simulated models have it."""
    task, joined, params = load_binding(session, suite, binding)
    words = task.references(params)
    if ENCODER in words:
        raise NotPossible(f"simulated models have no {ENCODER}: power is not known")
    entry = session.registry.binding(suite, binding)
    stimuli = session.stimuli(entry.stimuli)
    loaded = load_references(session, Cell("", binding, suite), words)
    keys = reference_keys(loaded, stimuli, session.device)
    images = concept_images(stimuli, joined.concepts)
    return {
        word: ArrayView(shown, {layer: concept_means(view.features(layer), images) for layer in view.layers})
        for word, view in reference_views(session, entry, loaded, keys, stimuli, joined.concepts).items()
    }


def _mistakes(session: Session, suite: str, binding: str) -> list[ClassProbabilities]:
    """Class probabilities of the suite's networks, where the networks make enough mistakes for the task."""
    task, joined, params = load_binding(session, suite, binding)
    mistakes = []
    for model in session.registry.suite(suite).models:
        with suppress(BenchError):  # no weights, no classes, or too few mistakes
            view = load_view(session, model, binding, suite)
            classes = view.classify()
            if classes is not None:
                _score_one(task, params, simulation(joined, view.stimuli, [classes]))
                mistakes.append(classes)
    return mistakes


def _score_one(task: Task, params: Any, simulated: Simulation) -> None:
    """Score one simulated model; an error says that this is not possible."""
    rng = np.random.default_rng(0)
    people = join(simulated.stimuli, simulated.people(rng))
    for view in simulated.views([1.0], rng):
        task.score(view, people, params, rng)
