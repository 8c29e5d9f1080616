"""The suites that a feature file can take part in: its ids must be those of their stimuli."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from benchmark.checks.check import Check, Status
from benchmark.common.errors import BenchError, NotPossible
from benchmark.datasets import Stimuli
from benchmark.extraction import NetworkModel
from benchmark.model import Model
from benchmark.runner.loaded import LoadedModel
from benchmark.runner.session import Session

NAME = "suites"


@dataclass(frozen=True)
class Fit:
    """The stimulus sets for which a feature file has a row for every stimulus.

    Attributes
    ----------
    sets : dict of str to list of str
        By suite.
    reasons : list of str
        For each other set, why not.
    absent : list of str
        Sets that are not here.
    """

    sets: dict[str, list[str]]
    reasons: list[str]
    absent: list[str]

    @property
    def first(self) -> str | None:
        """The first set that fits."""
        return next((names[0] for names in self.sets.values() if names), None)


def find(session: Session, loaded: LoadedModel) -> Fit | None:
    """Look through the stimulus sets of all suites in which the model may take part.

    Parameters
    ----------
    session : Session
    loaded : LoadedModel

    Returns
    -------
    Fit or None
        None: the model is no feature file, since it looks at images.

    Raises
    ------
    NotPossible
        If a file of the model is missing.
    """
    model = loaded.model
    if isinstance(model, NetworkModel) or loaded.inner is not None:
        return None
    layers = model.layers[-1:]
    fit = Fit({}, [], [])
    for suite in loaded.placed.entry.suites or session.registry.suites:
        fit.sets[suite] = []
        for name in dict.fromkeys(binding.stimuli for binding in session.registry.bindings(suite).values()):
            try:
                stimuli = session.stimuli(name)
            except BenchError:
                fit.absent.append(name)
                continue
            try:
                reason = _why_not(model, layers, stimuli)
            except _LooksAtImagesError:
                return None
            if reason is None:
                fit.sets[suite].append(name)
            else:
                fit.reasons.append(reason)
    return fit


class _LooksAtImagesError(BaseException):
    """A model asked for an image."""


def _look(_index: int) -> NoReturn:
    raise _LooksAtImagesError


def _why_not(model: Model, layers: Sequence[str], stimuli: Stimuli) -> str | None:
    """Why features of some ``stimuli`` are missing; None: none are, or a check will report the fault."""
    try:
        model.features(replace(stimuli, open_image=_look), layers)
    except NotPossible as error:
        return str(error)
    except Exception:  # a plug-in may raise anything; the checks report it
        return None
    return None


def check(fit: Fit) -> Check:
    """Report which stimulus sets fit.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    Check
        A failure if none fits. A note if no set of one suite fits.
    """
    fitting = {suite: names for suite, names in fit.sets.items() if names}
    others = [suite for suite in fit.sets if suite not in fitting]
    absent = f"; not here: {', '.join(dict.fromkeys(fit.absent))}" if fit.absent else ""
    if not fitting:
        why = f": {fit.reasons[0]}" if fit.reasons else ""
        said = f"the ids fit no stimulus set of suite {' or '.join(others)}{why}{absent}"
        return Check(NAME, Status.failed, said)
    said = "; ".join(f"the ids fit {', '.join(names)} of suite {suite}" for suite, names in fitting.items())
    if not others:
        return Check(NAME, Status.passed, f"{said}{absent}")
    return Check(
        NAME,
        Status.note,
        f"{said}, and no stimulus set of {', '.join(others)}: write suites: [{', '.join(fitting)}]{absent}",
    )
