"""Power: the least difference between two models that a binding can detect, with its concepts and people.

People and models are simulated (:mod:`benchmark.calibration.simulate`). A *quality level* is a level of
noise: less noise makes a better model. ``task`` and ``params`` are the task and the parameters of a binding,
``simulation`` is the simulation for it, and ``seed`` is the seed of all draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any

import numpy as np

from benchmark.calibration.simulate import Simulation
from benchmark.common.errors import NotPossible
from benchmark.datasets.join import join
from benchmark.inference import PairedDifference, Perturbed, paired_difference, perturbed
from benchmark.task import Task

#: Noise of the models of the pilot, in standard deviations of the signal; the first is a perfect model
_PILOT = (0.0, *np.geomspace(0.05, 20, 9))
_PILOT_PEOPLE, _PILOT_MODELS = 2, 2
#: Number of models of each quality, for each simulated set of people
_MODELS = 3
#: Number of quality levels, and their distance in standard errors of a difference
_LEVELS, _STEP = 6, 1.25
ALPHA = 0.05
POWER = 0.8
_RESAMPLES = 500


@dataclass(frozen=True)
class QualityLevels:
    """Noise levels of simulated models, with scores around the middle between chance and a perfect model.

    Attributes
    ----------
    noises : tuple of float
        Noise at each level, in standard deviations of the signal, from the lowest score to the highest.
    chance : float
        Chance level that the task declares.
    perfect : float
        Mean score of the target itself, without noise.
    """

    noises: tuple[float, ...]
    chance: float
    perfect: float


@dataclass(frozen=True)
class Trial:
    """One set of simulated people, and the scores of every simulated model with it.

    Attributes
    ----------
    scores : ndarray, shape (levels, models)
    p : ndarray, shape (levels * models, levels * models)
        p-value of the difference of every two models (:func:`benchmark.inference.paired_difference`).
    """

    scores: np.ndarray
    p: np.ndarray


@dataclass(frozen=True)
class Power:
    """Which difference between two models a binding can detect.

    Attributes
    ----------
    least : float or None
        The least difference of true scores that is detected in 80 % of simulations. None: not even the
        greatest difference is.
    low, high : float or None
        95 % interval of ``least``, by resampling the simulated people. A bound is None where it is beyond
        the greatest difference.
    greatest : float
        The greatest difference in the simulations.
    middle : float
        Mean score of the simulated models. The levels are set around the middle between chance and a perfect
        model.
    chance, perfect : float
        As in :class:`QualityLevels`.
    false_alarms : float
        Share of pairs of models of the same quality for which a difference is detected; .05 is right.
    people : int
        Number of simulated sets of people.
    curve : tuple of (float, float)
        Difference of true scores, and the share of simulations in which it is detected.
    """

    least: float | None
    low: float | None
    high: float | None
    greatest: float
    middle: float
    chance: float
    perfect: float
    false_alarms: float
    people: int
    curve: tuple[tuple[float, float], ...]


def pilot(task: Task, params: Mapping[str, Any], simulation: Simulation, seed: int) -> QualityLevels:
    """Find the quality levels for the trials.

    The levels are close enough that some differences are missed, and far enough that some are detected.

    Parameters
    ----------
    task : Task
    params : mapping
        Parameters of the binding.
    simulation : Simulation
    seed : int

    Returns
    -------
    QualityLevels

    Raises
    ------
    NotPossible
        If the task does not compare models.
    """
    rng = np.random.default_rng(seed)
    noises = np.repeat(_PILOT, _PILOT_MODELS)
    scores, errors, chances = [], [], []
    for _ in range(_PILOT_PEOPLE):
        models, chance = _score(task, params, simulation, noises, rng)
        scores.append(_scores(models).reshape(len(_PILOT), _PILOT_MODELS))
        errors.append([_error(*models[i : i + 2]) for i in range(0, len(models), 2)])
        if np.isnan(errors).all():
            raise NotPossible(f"task {task.name!r} does not say whether two models differ")
        chances.append(chance)
    means = np.mean(scores, axis=(0, 2))
    # More noise cannot raise the true score: a rise is an error of the pilot.
    falling = _monotone(means, rising=False)
    chance, perfect = float(np.mean(chances)), float(falling[0])
    middle = (chance + perfect) / 2
    step = _STEP * float(np.mean(errors, axis=0)[int(np.argmin(np.abs(falling - middle)))])
    step = min(step, 0.9 * abs(perfect - chance) / (_LEVELS - 1))
    wanted = middle + step * (np.arange(_LEVELS) - (_LEVELS - 1) / 2)
    # Interpolation needs scores that differ; the added trend is far smaller than any error.
    rising = falling[::-1] + 1e-9 * np.arange(len(falling))
    return QualityLevels(tuple(float(x) for x in np.interp(wanted, rising, _PILOT[::-1])), chance, perfect)


def trial(
    task: Task, params: Mapping[str, Any], simulation: Simulation, levels: QualityLevels, seed: int
) -> Trial:
    """Draw people and models, and compare every two models as a run does.

    Parameters
    ----------
    task : Task
    params : mapping
        Parameters of the binding.
    simulation : Simulation
    levels : QualityLevels
        From :func:`pilot`.
    seed : int

    Returns
    -------
    Trial
    """
    rng = np.random.default_rng(seed)
    noises = np.repeat(levels.noises, _MODELS)
    models, _ = _score(task, params, simulation, noises, rng)
    p = np.ones((len(models), len(models)))
    for a, b in combinations(range(len(models)), 2):
        p[a, b] = p[b, a] = _compared(models[a], models[b]).p
    return Trial(_scores(models).reshape(_LEVELS, _MODELS), p)


def power(levels: QualityLevels, trials: Sequence[Trial], seed: int) -> Power:
    """Compute the least difference that is detected, with its interval, from trials.

    The detected share rises with the difference (isotonic regression). Interpolation gives the difference at
    which it reaches 80 %.

    Parameters
    ----------
    levels : QualityLevels
        From :func:`pilot`.
    trials : sequence of Trial
    seed : int

    Returns
    -------
    Power
    """
    rng = np.random.default_rng(seed)
    detected = np.array([_detected(t) for t in trials])
    false = np.array([_false_alarms(t) for t in trials])
    scores = np.array([t.scores.mean(axis=1) for t in trials])
    pairs = list(combinations(range(_LEVELS), 2))

    def differences(sample: np.ndarray) -> np.ndarray:
        means = scores[sample].mean(axis=0)
        return np.array([means[high] - means[low] for low, high in pairs])

    def curve(sample: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = differences(sample)
        order = np.argsort(x)
        return x[order], _monotone(detected[sample].mean(axis=0)[order])

    all_trials = np.arange(len(trials))
    x, y = curve(all_trials)
    resampled = [_crossing(*curve(rng.choice(all_trials, len(all_trials)))) for _ in range(_RESAMPLES)]
    low, high = np.quantile(np.array(resampled), [0.025, 0.975], method="nearest")
    return Power(
        least=_finite(_crossing(x, y)),
        low=_finite(float(low)),
        high=_finite(float(high)),
        greatest=float(x[-1]),
        middle=float(scores.mean()),
        chance=levels.chance,
        perfect=levels.perfect,
        false_alarms=float(false.mean()),
        people=len(trials),
        curve=tuple((float(a), float(b)) for a, b in zip(x, y, strict=True)),
    )


def _score(
    task: Task,
    params: Mapping[str, Any],
    simulation: Simulation,
    noises: np.ndarray,
    rng: np.random.Generator,
) -> tuple[list[Perturbed | None], float]:
    """The scores of m models with new simulated people, and chance. None: the score is undefined.

    Where a lower score is better, all signs are changed.
    """
    metric = task.metrics[0]
    sign = 1.0 if metric.higher_is_better else -1.0
    joined = join(simulation.stimuli, simulation.people(rng))
    models: list[Perturbed | None] = [None] * len(noises)
    chance = np.nan
    seed = int(rng.integers(2**63))
    for view in simulation.views([float(noise) for noise in noises], rng):
        result = task.score(view, joined, params, np.random.default_rng(seed))
        chance = sign * result.chance.get(metric.name, np.nan)
        for name, layer in result.layers.items():
            if layer.undefined is None:
                pairs = layer.pairs() if layer.pairs else None
                found = perturbed(layer.statistics[metric.name], len(result.concepts), seed, pairs)
                models[int(name)] = replace(found, score=sign * found.score)
    return models, chance


def _scores(models: Sequence[Perturbed | None]) -> np.ndarray:
    return np.array([np.nan if model is None else model.score for model in models])


def _compared(a: Perturbed | None, b: Perturbed | None) -> PairedDifference:
    return PairedDifference(*[np.nan] * 4) if a is None or b is None else paired_difference(a, b)


def _error(a: Perturbed | None, b: Perturbed | None) -> float:
    """About the standard error of the difference of two models."""
    difference = _compared(a, b)
    return (difference.high - difference.low) / 4


def _monotone(values: np.ndarray, *, rising: bool = True) -> np.ndarray:
    from sklearn.isotonic import isotonic_regression  # names of tasks are checked before it is imported

    return np.asarray(isotonic_regression(values, increasing=rising))


def _detected(trial: Trial) -> np.ndarray:
    """For every two levels, the share of pairs of models whose difference is detected in the right order."""
    shares = []
    for low, high in combinations(range(_LEVELS), 2):
        hits = []
        for a, b in product(range(_MODELS), repeat=2):
            better = trial.scores[high, b] > trial.scores[low, a]
            hits.append(better and trial.p[low * _MODELS + a, high * _MODELS + b] <= ALPHA)
        shares.append(np.mean(hits))
    return np.array(shares)


def _false_alarms(trial: Trial) -> float:
    """Share of pairs of models of the same quality for which a difference is detected."""
    alarms = []
    for level in range(_LEVELS):
        for a, b in combinations(range(_MODELS), 2):
            alarms.append(trial.p[level * _MODELS + a, level * _MODELS + b] <= ALPHA)
    return float(np.mean(alarms))


def _crossing(x: np.ndarray, y: np.ndarray) -> float:
    """Where a rising curve first reaches :data:`POWER`; infinite where it never does."""
    above = np.flatnonzero(y >= POWER)
    if not above.size:
        return float("inf")
    first = int(above[0])
    # Below the least simulated difference the curve falls to zero at difference zero.
    x0, y0 = (x[first - 1], y[first - 1]) if first else (0.0, 0.0)
    return float(x0 + (POWER - y0) / (y[first] - y0) * (x[first] - x0))


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
