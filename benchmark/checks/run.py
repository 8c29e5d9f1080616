"""Run all checks of one model. A check that fails may make later checks impossible."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from PIL import Image

from benchmark.checks import (
    cost,
    known_answers,
    layers,
    normalisation,
    preprocessing,
    repeats,
    suites,
    tokens,
    weights,
)
from benchmark.checks.check import (
    Candidate,
    Check,
    Status,
    error_line,
    guarded,
    select_stimuli,
    why_no_features,
)
from benchmark.common.errors import BenchError, NotPossible, error_summary, plugin_border
from benchmark.datasets import Stimuli
from benchmark.extraction import NetworkModel
from benchmark.runner.loaded import LoadedModel
from benchmark.runner.session import Session

#: The stimulus set for the checks: it ships with the package, so that the checks need no data.
STIMULI = "mini_images"
_N_STIMULI = 4

#: Number of random images on which an embedding that is built from another model is fitted
_N_RANDOM = 320


def check_model(session: Session, name: str, suite: str | None = None) -> list[Check]:
    """Check a model of the registry.

    Parameters
    ----------
    session : Session
    name : str
        Name of the model.
    suite : str, optional
        The suite whose variant of the model is checked. Default: the first suite it may take part in.

    Returns
    -------
    list of Check

    Raises
    ------
    BenchError
        If there is no such model, its plug-in cannot be imported, or its weights are not there.
    """
    return check_loaded(session, session.model(name, suite or session.registry.first_suite(name)))


def check_loaded(session: Session, loaded: LoadedModel) -> list[Check]:
    """Check a model that is loaded.

    Parameters
    ----------
    session : Session
    loaded : LoadedModel

    Returns
    -------
    list of Check
        For a model that cannot be built, or that gives no features, the list ends there.

    Raises
    ------
    NotPossible
        If the weights of the model are missing.
    """
    try:
        with plugin_border():
            fit = suites.find(session, loaded)  # this makes the plug-in's object
    except BenchError:
        raise
    except Exception as error:  # a plug-in may raise anything
        return [Check("plug-in", Status.failed, error_line(error))]
    if fit is not None and fit.first is None:
        return [suites.check(fit)]
    stimuli = _known_stimuli(session, loaded) if fit is None else _few_of(session, str(fit.first))
    candidate = Candidate(loaded, stimuli, session.device)
    checks, built = weights.check(candidate)
    checks += [] if fit is None else [suites.check(fit)]
    if not built:
        return checks
    seen = guarded(preprocessing.NAME, preprocessing.check, candidate)
    as_library = all(check.status is Status.passed for check in seen)
    checks += seen
    checks += guarded(normalisation.NAME, normalisation.check, candidate, session, as_library=as_library)
    layer_checks, features = layers.check(candidate)
    checks += layer_checks
    if features and not _failed(layer_checks):
        checks += guarded(tokens.NAME, tokens.check, candidate)
    elif isinstance(loaded.model, NetworkModel):
        checks.append(Check(tokens.NAME, Status.skipped, "not every layer gives features"))
    if not features:
        return checks
    checks += guarded(repeats.NAME, repeats.check, candidate, features)
    checks += guarded(known_answers.NAME, known_answers.check, candidate, features, session)
    if not _failed(layer_checks):
        checks += guarded(cost.NAME, cost.check, candidate)
    return checks


def _failed(checks: list[Check]) -> bool:
    return any(check.status is Status.failed for check in checks)


def _known_stimuli(session: Session, loaded: LoadedModel) -> Stimuli:
    """A few stimuli for which the model has features.

    The drawn world serves every network. For other models the first stimulus set that the model knows is
    taken.
    """
    few = _few(session.stimuli(STIMULI))
    if isinstance(loaded.model, NetworkModel):
        return few
    others = [name for name, placed in session.registry.datasets.items() if placed.entry.kind == "stimuli"]
    readers: list[Callable[[], Stimuli]] = [
        lambda: few,
        _random_images,
        *(partial(_few_of, session, name) for name in others),
    ]
    reasons = []
    for read in readers:
        try:
            with plugin_border():
                stimuli = read()
        except Exception as error:  # the set is not here, or a reader of the user's raises
            reasons.append(error_summary(error))
            continue
        reason = why_no_features(loaded.model, stimuli, session.device)
        if reason is None:
            return stimuli
        reasons.append(reason)
    raise NotPossible(f"{loaded.placed.name} has features of no stimulus set that is here; {reasons[0]}")


def _few_of(session: Session, name: str) -> Stimuli:
    return _few(session.stimuli(name))


def _few(stimuli: Stimuli) -> Stimuli:
    concepts = stimuli.concept_ids[:: max(1, len(stimuli.concept_ids) // _N_STIMULI)][:_N_STIMULI]
    return select_stimuli(stimuli, [stimuli.concepts.index(concept) for concept in concepts])


def _random_images() -> Stimuli:
    """Random images, each of its own concept: enough of them to fit an embedding of 300 dimensions."""
    pixels = np.random.default_rng(0).integers(0, 256, (_N_RANDOM, 32, 32, 3), dtype=np.uint8)
    ids = tuple(f"noise{i}" for i in range(_N_RANDOM))
    return _few(Stimuli("noise", ids, ids, f"noise {_N_RANDOM}", lambda i: Image.fromarray(pixels[i])))
