"""Other ways in which a network may have been trained: normalisations, order of channels, padding.

If one of them recognises more images whose class is known than the entry does, the entry is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from scipy.stats import binomtest

from benchmark.checks.check import Candidate, Check, Status
from benchmark.checks.normalisation import Change, other_pixels
from benchmark.checks.padding import other_padding, padding_name
from benchmark.datasets import Stimuli
from benchmark.extraction import NetworkModel
from benchmark.model import OUTPUT

NAME = "alternatives"

#: Every alternative sees the first images of a random draw. Those that are ahead then see all of the draw.
SCREENED, COMPARED = 64, 320

#: Greatest probability of a false alarm, over all alternatives.
LEVEL = 0.01

_BATCH = 16


@dataclass(frozen=True)
class _Alternative:
    change: Change
    network: Callable[[], AbstractContextManager[None]] = nullcontext


def check(candidate: Candidate, stimuli: Stimuli, correct: np.ndarray) -> Check:
    """Compare what the entry recognises with what each alternative recognises.

    The test is McNemar's, exact and one-sided: of the images that only one of the two recognises, the
    alternative must recognise more than half. p-values are multiplied by the number of alternatives.

    Parameters
    ----------
    candidate : Candidate
    stimuli : Stimuli
        Images whose concepts are classes of the model.
    correct : ndarray of bool, shape (n,)
        Which of them the model recognises.

    Returns
    -------
    Check
    """
    model = candidate.model
    if not isinstance(model, NetworkModel):
        return Check(NAME, Status.skipped, "the plug-in is no torch network")
    tried = {name: _Alternative(change) for name, change in other_pixels(model, stimuli.image(0)).items()}
    padding = padding_name(model.network)
    if padding is not None:
        tried[padding] = _Alternative(lambda batch: batch, partial(other_padding, model.network))
    if not tried:
        return Check(NAME, Status.skipped, "the preprocessing is no plain normalisation")
    rows = np.random.default_rng(0).permutation(len(stimuli))[:COMPARED]
    gained, lost = _tally(candidate, model, stimuli, correct, tried, rows)
    return _verdict(gained, lost, float(correct[rows].mean()), len(tried), len(rows))


def _tally(
    candidate: Candidate,
    model: NetworkModel,
    stimuli: Stimuli,
    correct: np.ndarray,
    tried: Mapping[str, _Alternative],
    rows: np.ndarray,
) -> tuple[Counter[str], Counter[str]]:
    """By alternative, how many images only it recognises, and how many only the entry.

    An alternative that is not ahead after the first images sees no more. This makes no false alarm.
    """
    gained: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    ahead = list(tried)
    for part in (rows[:SCREENED], rows[SCREENED:]):
        for start in range(0, len(part) if ahead else 0, _BATCH):
            some = part[start : start + _BATCH]
            batch = torch.stack([model.preprocess(stimuli.image(int(i))) for i in some])
            truth = np.array(stimuli.concepts)[some]
            for name in ahead:
                found = _recognised(candidate, model, batch, tried[name]) == truth
                gained[name] += int((found & ~correct[some]).sum())
                lost[name] += int((~found & correct[some]).sum())
        ahead = [name for name in ahead if gained[name] > lost[name]]
    return gained, lost


def _recognised(
    candidate: Candidate, model: NetworkModel, batch: torch.Tensor, alternative: _Alternative
) -> np.ndarray:
    model.network.to(candidate.device)
    with torch.inference_mode(), alternative.network():
        output = model.forward(alternative.change(batch).to(candidate.device))
    classes = model.classify(model.pool_layer(OUTPUT, output).float().cpu().numpy())
    assert classes is not None  # the caller has seen that the model has classes
    return classes.predicted


def _verdict(gained: Counter[str], lost: Counter[str], top1: float, tried: int, n: int) -> Check:
    p = {
        name: min(
            1.0, tried * binomtest(gained[name], gained[name] + lost[name], alternative="greater").pvalue
        )
        for name in gained
        if gained[name]
    }
    best = min(p, key=lambda name: p[name], default=None)
    if best is None or p[best] > LEVEL:
        return Check(
            NAME,
            Status.passed,
            f"none of {tried} other normalisations, channel orders and paddings is better",
        )
    better = top1 + (gained[best] - lost[best]) / n
    return Check(
        NAME,
        Status.failed,
        f"top-1 is {better:.3f} instead of {top1:.3f} on {n} images with {best} "
        f"({gained[best]} more, {lost[best]} fewer, p = {p[best]:.1g} corrected for {tried} alternatives)",
    )
