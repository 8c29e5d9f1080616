"""Calibration of tasks: their controls, their power and model recovery.

- *Controls*: what does a task find where the answer is known? A task checks itself with the names of this
  module.
- *Power* (:mod:`benchmark.calibration.power`): which difference between two models can a task detect?
- *Model recovery* (:mod:`benchmark.calibration.recovery`): does a task pick the network that people are like?

``bench calibrate`` runs all three.
"""

from benchmark.calibration.arrays import ArrayView, plain_score, synthetic_stimuli
from benchmark.calibration.controls import check_task, exact_control, mean_control, standard_controls
from benchmark.calibration.norm_worlds import frequency_world, property_world
from benchmark.calibration.series_worlds import series_world
from benchmark.calibration.worlds import (
    World,
    association_world,
    mistaken_world,
    rdm_world,
    response_world,
    triplet_world,
    vector_world,
    word_pair_world,
)

__all__ = [
    "ArrayView",
    "World",
    "association_world",
    "check_task",
    "exact_control",
    "frequency_world",
    "mean_control",
    "mistaken_world",
    "plain_score",
    "property_world",
    "rdm_world",
    "response_world",
    "series_world",
    "standard_controls",
    "synthetic_stimuli",
    "triplet_world",
    "vector_world",
    "word_pair_world",
]
