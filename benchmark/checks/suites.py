"""The suites that a feature file can take part in: its ids must be those of their stimuli."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NoReturn

from benchmark.checks.check import Check, Status, why_no_features
from benchmark.common.errors import NotPossible, plugin_border
from benchmark.extraction import NetworkModel
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
    fit = Fit({}, [], [])
    for suite in loaded.placed.entry.suites or session.registry.suites:
        fit.sets[suite] = []
        for name in dict.fromkeys(binding.stimuli for binding in session.registry.bindings(suite).values()):
            try:
                with plugin_border():
                    stimuli = session.stimuli(name)
            except Exception:  # it is not here, or a reader of the user's raises
                fit.absent.append(name)
                continue
            images = _NoImages()
            reason = why_no_features(model, replace(stimuli, open_image=images))
            if images.asked:
                return None
            if reason is None:
                fit.sets[suite].append(name)
            else:
                fit.reasons.append(reason)
    return fit


@dataclass
class _NoImages:
    """Stands for the images of a set, and keeps whether a model asked for one."""

    asked: bool = field(default=False, init=False)

    def __call__(self, _index: int) -> NoReturn:
        self.asked = True
        raise NotPossible("a feature file needs no images")


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
