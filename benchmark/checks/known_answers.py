"""A classifier must recognise images whose class is known."""

from __future__ import annotations

import numpy as np

from benchmark.checks import alternatives
from benchmark.checks.check import Candidate, Check, Status
from benchmark.common.errors import BenchError
from benchmark.datasets import Stimuli
from benchmark.model import OUTPUT, ClassProbabilities
from benchmark.runner.session import Session

NAME = "known answers"

#: Greatest allowed difference between the measured and the recorded top-1.
WITHIN = 0.015

#: Stimulus sets whose concepts are classes of networks, the real images first.
SETS = ("imagenet_sample", "mini_images")


def check(candidate: Candidate, features: dict[str, np.ndarray], session: Session) -> list[Check]:
    """Compare top-1 on images whose class is known with the recorded top-1, or else with chance.

    A wrong order of the classes, a wrong preprocessing and missing weights all show here. Then compare it
    with the top-1 of other normalisations, orders of channels and paddings.

    Parameters
    ----------
    candidate : Candidate
    features : dict of str to ndarray
        Features of the candidate's stimuli, by layer.
    session : Session
        Gives the images whose class is known.

    Returns
    -------
    list of Check
    """
    if OUTPUT not in features:
        return [Check(NAME, Status.skipped, "the model has no layer output")]
    classes = candidate.model.classify(features[OUTPUT])
    if classes is None:
        return [Check(NAME, Status.skipped, "the model has no classes")]
    fault = _fault(classes)
    if fault is not None:
        return [Check(NAME, Status.failed, fault)]
    if candidate.loaded.checkpoint.untrained is not None:
        return [Check(NAME, Status.skipped, f"untrained; {len(classes.class_ids)} classes")]
    stimuli, missing = _images(session, classes)
    if stimuli is None:
        return [Check(NAME, Status.skipped, missing or "no stimulus set shows its classes")]
    correct = _correct(candidate, stimuli)
    if correct is None:
        fault = "the model has classes for some outputs and no classes for others"
        return [Check(NAME, Status.failed, fault)]
    found = _compare_top1(candidate, stimuli, correct, len(classes.class_ids))
    return [found, alternatives.check(candidate, stimuli, correct)]


def _fault(classes: ClassProbabilities) -> str | None:
    probabilities = classes.probabilities
    if len(set(classes.class_ids)) != len(classes.class_ids):
        return "class ids are not unique"
    if probabilities.shape[1] != len(classes.class_ids):
        return f"{probabilities.shape[1]} probabilities for {len(classes.class_ids)} classes"
    if (probabilities < 0).any() or not np.allclose(probabilities.sum(axis=1), 1, atol=1e-3):
        return "class probabilities do not sum to one"
    return None


def _images(session: Session, classes: ClassProbabilities) -> tuple[Stimuli | None, str | None]:
    """A stimulus set whose concepts are all among the classes; else None, and why."""
    missing = None
    for name in SETS:
        try:
            stimuli = session.stimuli(name)
        except BenchError as error:
            missing = missing or f"{name} is not here: {error}"
            continue
        if set(stimuli.concepts) <= set(classes.class_ids):
            return stimuli, None
    return None, missing


def _correct(candidate: Candidate, stimuli: Stimuli) -> np.ndarray | None:
    """Which stimuli the model recognises; None: it gives no classes."""
    output = candidate.model.features(stimuli, [OUTPUT], device=candidate.device)[OUTPUT]
    classes = candidate.model.classify(output)
    if classes is None:
        return None
    return np.asarray(classes.predicted == np.array(stimuli.concepts))


def _compare_top1(candidate: Candidate, stimuli: Stimuli, correct: np.ndarray, n_classes: int) -> Check:
    top1 = float(correct.mean())
    measured = f"top-1 {top1:.3f} on the {len(stimuli)} images of {stimuli.name}"
    recorded = candidate.entry.top1
    if recorded is not None and abs(top1 - recorded) > WITHIN:
        return Check(
            NAME,
            Status.failed,
            f"{measured}; the entry records {recorded:.3f}: they may differ by {WITHIN} at most",
        )
    if recorded is not None:
        return Check(NAME, Status.passed, f"{measured}; the entry records {recorded:.3f}")
    chance = 1 / n_classes
    # clearly above guessing: 5 standard deviations of a binomial
    if top1 < chance + 5 * np.sqrt(chance * (1 - chance) / len(stimuli)):
        return Check(
            NAME,
            Status.failed,
            f"{measured}, no better than chance ({chance:.3f}): are the classes in the right order?",
        )
    return Check(
        NAME,
        Status.passed,
        f"{measured}, chance {chance:.3f}; the entry records no top1 to compare with",
    )
