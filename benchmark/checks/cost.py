"""Time and memory of a forward pass."""

from __future__ import annotations

import time

from benchmark.checks.check import Candidate, Check, Status
from benchmark.common.cost import peak_memory

NAME = "time and memory"


def check(candidate: Candidate) -> list[Check]:
    """Time one pass of all layers, and give the greatest memory of the process so far.

    Earlier checks have run the network, so the time holds no start-up.

    Parameters
    ----------
    candidate : Candidate

    Returns
    -------
    list of Check
    """
    start = time.perf_counter()
    candidate.model.features(candidate.stimuli, list(candidate.model.layers), device=candidate.device)
    seconds = (time.perf_counter() - start) / len(candidate.stimuli)
    peak = peak_memory()
    memory = "" if peak is None else f"; the process took {peak / 2**20:,.0f} MiB at most"
    return [Check(NAME, Status.passed, f"{1000 * seconds:.3g} ms a stimulus on {candidate.device}{memory}")]
