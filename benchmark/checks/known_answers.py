"""A classifier knows what the images show."""

from __future__ import annotations

import numpy as np

from benchmark.checks.check import Check, Status, Subject
from benchmark.common.errors import BenchError
from benchmark.datasets import Stimuli
from benchmark.model import OUTPUT, ClassProbabilities
from benchmark.runner.session import Session

NAME = "known answers"

#: Points of top-1 that the found may be away from the recorded.
WITHIN = 0.015

#: Stimulus sets whose concepts networks have as classes, the real images first.
SETS = ("imagenet_sample", "mini_images")


def check(subject: Subject, features: dict[str, np.ndarray], session: Session) -> Check:
    """Top-1 on images whose class is known, against the record or else against chance.

    A wrong order of the classes, a wrong preprocessing, or weights that never arrived all show here.
    """
    if OUTPUT not in features:
        return Check(NAME, Status.skipped, "the model has no layer output")
    try:
        few = subject.model.classify(features[OUTPUT])
    except BenchError as error:
        return Check(NAME, Status.failed, str(error))
    if few is None:
        return Check(NAME, Status.skipped, "the model has no classes")
    fault = _fault(few)
    if fault is not None:
        return Check(NAME, Status.failed, fault)
    if subject.loaded.checkpoint.untrained is not None:
        return Check(NAME, Status.skipped, f"untrained; {len(few.class_ids)} classes")
    stimuli, missing = _images(session, few)
    if stimuli is None:
        return Check(NAME, Status.skipped, missing or "no stimulus set shows its classes")
    return _judged(subject, stimuli)


def _fault(found: ClassProbabilities) -> str | None:
    probabilities = found.probabilities
    if len(set(found.class_ids)) != len(found.class_ids):
        return "class ids are not unique"
    if probabilities.shape[1] != len(found.class_ids):
        return f"{probabilities.shape[1]} probabilities for {len(found.class_ids)} classes"
    if (probabilities < 0).any() or not np.allclose(probabilities.sum(axis=1), 1, atol=1e-3):
        return "class probabilities do not sum to one"
    return None


def _images(session: Session, found: ClassProbabilities) -> tuple[Stimuli | None, str | None]:
    missing = None
    for name in SETS:
        try:
            stimuli = session.stimuli(name)
        except BenchError as error:
            missing = missing or f"{name} is not here: {error}"
            continue
        if set(stimuli.concepts) <= set(found.class_ids):
            return stimuli, None
    return None, missing


def _judged(subject: Subject, stimuli: Stimuli) -> Check:
    model = subject.model
    output = model.features(stimuli, [OUTPUT], device=subject.device)[OUTPUT]
    found = model.classify(output)
    if found is None:
        return Check(NAME, Status.failed, "it has classes for some outputs and none for others")
    said = np.array(found.class_ids)[found.probabilities.argmax(axis=1)]
    top1 = float(np.mean(said == np.array(stimuli.concepts)))
    told = f"top-1 {top1:.3f} on the {len(stimuli)} images of {stimuli.name}"
    recorded = subject.entry.top1
    if recorded is not None and abs(top1 - recorded) > WITHIN:
        return Check(NAME, Status.failed, f"{told}; the entry records {recorded:.3f}, allowed {WITHIN} away")
    if recorded is not None:
        return Check(NAME, Status.passed, f"{told}; the entry records {recorded:.3f}")
    chance = 1 / len(found.class_ids)
    # far above what guessing gives: 5 standard deviations of a binomial
    if top1 < chance + 5 * np.sqrt(chance * (1 - chance) / len(stimuli)):
        return Check(
            NAME,
            Status.failed,
            f"{told}, no better than chance ({chance:.3f}): are the classes in their order?",
        )
    return Check(NAME, Status.passed, f"{told}, chance {chance:.3f}; no figure is recorded (top1) to compare")
