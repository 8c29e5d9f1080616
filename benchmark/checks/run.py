"""All checks of one model, in the order in which one hides the next."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from PIL import Image

from benchmark.checks import cost, known_answers, layers, preprocessing, repeats, tokens, weights
from benchmark.checks.check import Check, Status, Subject, of_rows
from benchmark.common.errors import DataError, NotPossible
from benchmark.datasets import Stimuli
from benchmark.extraction import NetworkModel
from benchmark.registry import Registry
from benchmark.runner.loaded import LoadedModel
from benchmark.runner.session import Session

#: Stimuli that every layer is shown; they are drawn, so that the checks need no data.
STIMULI = "mini_images"
_SHOWN = 4

#: Random images that an embedding built from another model is fitted on
_FITTED = 320


def check_model(session: Session, name: str, suite: str | None = None) -> list[Check]:
    """Check the model ``name`` as it stands in ``suite`` (None: the first suite it may take part in).

    Raises
    ------
    BenchError
        If there is no such model, its plug-in cannot be imported, or its weights are not there.
    """
    return check_loaded(session, session.model(name, suite or home_suite(session.registry, name)))


def home_suite(registry: Registry, name: str) -> str:
    """The first suite that a model may take part in."""
    entry = registry.model(name).entry
    return entry.suites[0] if entry.suites else next(iter(registry.suites))


def check_loaded(session: Session, loaded: LoadedModel) -> list[Check]:
    """Check a model that is loaded.

    Returns
    -------
    list of Check
        A model that cannot be built or gives no features is judged by that alone.

    Raises
    ------
    NotPossible
        If its weights cannot be had.
    """
    subject = Subject(loaded, _few_it_knows(session, loaded), session.device)
    found, built = weights.check(subject)
    if not built:
        return found
    found += preprocessing.check(subject)
    of_layers, features = layers.check(subject)
    found += of_layers
    if features and not _failed(of_layers):
        found += tokens.check(subject)
    elif isinstance(loaded.model, NetworkModel):
        found.append(Check(tokens.NAME, Status.skipped, "not every layer gives features"))
    if not features:
        return found
    found += repeats.check(subject, features)
    found.append(known_answers.check(subject, features, session))
    if not _failed(of_layers):
        found.append(cost.check(subject))
    return found


def _failed(checks: list[Check]) -> bool:
    return any(check.status is Status.failed for check in checks)


def _few_it_knows(session: Session, loaded: LoadedModel) -> Stimuli:
    """A few stimuli that the model has features of: drawn ones, or (of a feature file) those of its rows."""
    few = _few(session.stimuli(STIMULI))
    if isinstance(loaded.model, NetworkModel):
        return few
    others = [name for name, placed in session.registry.datasets.items() if placed.entry.kind == "stimuli"]
    finders: list[Callable[[], Stimuli]] = [
        lambda: few,
        _noise,
        *(partial(_few_of, session, name) for name in others),
    ]
    reasons = []
    for find in finders:
        reason = _why_not(loaded, find, session.device)
        if reason is None:
            return find()
        reasons.append(reason)
    raise NotPossible(f"{loaded.placed.name} has features of no stimulus set that is here; {reasons[0]}")


def _why_not(loaded: LoadedModel, find: Callable[[], Stimuli], device: str) -> str | None:
    """Why the model has no features of those stimuli; None where it has, and where only a check can say."""
    try:
        loaded.model.features(find(), loaded.model.layers[-1:], device=device)
    except (NotPossible, DataError) as error:
        return str(error)
    except Exception:  # a plug-in may raise anything; the checks say what
        return None
    return None


def _few_of(session: Session, name: str) -> Stimuli:
    return _few(session.stimuli(name))


def _few(stimuli: Stimuli) -> Stimuli:
    concepts = stimuli.concept_ids[:: max(1, len(stimuli.concept_ids) // _SHOWN)][:_SHOWN]
    return of_rows(stimuli, [stimuli.concepts.index(concept) for concept in concepts])


def _noise() -> Stimuli:
    """Random images, a concept each: enough of them to fit an embedding of 300 on."""
    pixels = np.random.default_rng(0).integers(0, 256, (_FITTED, 32, 32, 3), dtype=np.uint8)
    ids = tuple(f"noise{i}" for i in range(_FITTED))
    return _few(Stimuli("noise", ids, ids, f"noise {_FITTED}", lambda i: Image.fromarray(pixels[i])))
