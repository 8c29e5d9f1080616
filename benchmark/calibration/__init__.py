"""Calibration: what a task finds where the answer is known, what it can tell apart, and which model it picks.

Tasks use what is named here to check themselves. The rest is for ``bench calibrate``: power
(:mod:`benchmark.calibration.power`) and model recovery (:mod:`benchmark.calibration.recovery`).
"""

from benchmark.calibration.arrays import ArrayView, plain_score, synthetic_stimuli
from benchmark.calibration.controls import check_task, exact_control, standard_controls
from benchmark.calibration.worlds import (
    World,
    association_world,
    mistaken_world,
    rdm_world,
    vector_world,
)

__all__ = [
    "ArrayView",
    "World",
    "association_world",
    "check_task",
    "exact_control",
    "mistaken_world",
    "plain_score",
    "rdm_world",
    "standard_controls",
    "synthetic_stimuli",
    "vector_world",
]
