"""What a pass costs."""

from __future__ import annotations

import time

from benchmark.checks.check import Check, Status, Subject
from benchmark.results import peak_memory_mb


def check(subject: Subject) -> Check:
    """Time of one pass of all layers (the network is warm), and the greatest memory of the process so far."""
    start = time.perf_counter()
    subject.model.features(subject.stimuli, list(subject.model.layers), device=subject.device)
    each = (time.perf_counter() - start) / len(subject.stimuli)
    peak = peak_memory_mb()
    memory = "" if peak is None else f"; the process took {peak:,.0f} MiB at most"
    return Check(
        "time and memory", Status.passed, f"{1000 * each:.3g} ms a stimulus on {subject.device}{memory}"
    )
