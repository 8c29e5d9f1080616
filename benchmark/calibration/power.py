"""Power: the least difference between two models that a task can tell apart, with what there is at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np
from sklearn.isotonic import isotonic_regression

from benchmark.calibration.simulate import Simulation
from benchmark.datasets.join import join
from benchmark.inference import bootstrap_weights, estimate, paired_difference
from benchmark.task import Task

#: Noise of the models of the pilot, in standard deviations of the signal; the first is a perfect model
_PILOT = (0.0, *np.geomspace(0.05, 20, 9))
_PILOT_PEOPLE, _PILOT_MODELS = 2, 2
#: Models of each quality, in each simulated set of people
_MODELS = 3
#: Qualities, and how many standard errors of a difference they are apart
_LEVELS, _APART = 6, 1.25
#: Bootstrap draws, as in a run
_DRAWS = 1000
ALPHA = 0.05
POWER = 0.8
_RESAMPLES = 500


@dataclass(frozen=True)
class Ladder:
    """Qualities of simulated models around the middle of the task's range, found in a pilot.

    Attributes
    ----------
    noises : tuple of float
        Noise of each, from the least score to the greatest.
    chance : float
        Score of features that hold nothing, as the task declares it.
    perfect : float
        Mean score of the target itself, without noise.
    """

    noises: tuple[float, ...]
    chance: float
    perfect: float


@dataclass(frozen=True)
class Trial:
    """One set of people, and every model scored with it.

    Attributes
    ----------
    scores : ndarray, shape (levels, models)
    p : ndarray, shape (levels * models, levels * models)
        Paired bootstrap of every two models.
    """

    scores: np.ndarray
    p: np.ndarray


@dataclass(frozen=True)
class Power:
    """What a binding can tell apart.

    Attributes
    ----------
    least : float or None
        Difference of true scores that is found in 80 % of simulations; None: not even the greatest tried.
    low, high : float or None
        95 % interval of ``least``, by resampling the simulated people; a bound is None where it is beyond
        the greatest difference tried.
    greatest : float
        The greatest difference tried.
    middle : float
        Score about which models differ: the middle between chance and a perfect model.
    chance, perfect : float
    false_alarms : float
        Share of two models of the same quality that are told apart; .05 is right.
    people : int
        Simulated sets of people.
    curve : tuple of (float, float)
        Difference of true scores, and the share of simulations in which it is found.
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


def pilot(task: Task, params: Mapping[str, Any], simulation: Simulation, seed: int) -> Ladder:
    """Find qualities at which differences are neither plain nor hidden.

    Parameters
    ----------
    task : Task
    params : mapping
        Of the binding.
    simulation : Simulation
    seed : int

    Returns
    -------
    Ladder
    """
    rng = np.random.default_rng(seed)
    noises = np.repeat(_PILOT, _PILOT_MODELS)
    scores, errors, chances = [], [], []
    for _ in range(_PILOT_PEOPLE):
        draws, found, chance = _score(task, params, simulation, noises, rng)
        scores.append(found.reshape(len(_PILOT), _PILOT_MODELS))
        pairs = draws.reshape(len(_PILOT), _PILOT_MODELS, -1)
        errors.append(np.nanstd(pairs[:, 0] - pairs[:, 1], axis=1))
        chances.append(chance)
    means = np.mean(scores, axis=(0, 2))
    # More noise cannot raise the true score: what rises is the error of the pilot.
    falling = np.asarray(isotonic_regression(means, increasing=False))
    chance, perfect = float(np.mean(chances)), float(falling[0])
    middle = (chance + perfect) / 2
    step = _APART * float(np.mean(errors, axis=0)[int(np.argmin(np.abs(falling - middle)))])
    step = min(step, 0.9 * abs(perfect - chance) / (_LEVELS - 1))
    wanted = middle + step * (np.arange(_LEVELS) - (_LEVELS - 1) / 2)
    # Interpolation needs scores that differ: the trend is far below any error.
    rising = falling[::-1] + 1e-9 * np.arange(len(falling))
    return Ladder(tuple(float(x) for x in np.interp(wanted, rising, _PILOT[::-1])), chance, perfect)


def trial(task: Task, params: Mapping[str, Any], simulation: Simulation, ladder: Ladder, seed: int) -> Trial:
    """Draw people and models, and compare every two models as a run does.

    Parameters
    ----------
    task : Task
    params : mapping
        Of the binding.
    simulation : Simulation
    ladder : Ladder
    seed : int

    Returns
    -------
    Trial
    """
    rng = np.random.default_rng(seed)
    noises = np.repeat(ladder.noises, _MODELS)
    draws, scores, _ = _score(task, params, simulation, noises, rng)
    p = np.ones((len(draws), len(draws)))
    for a, b in combinations(range(len(draws)), 2):
        p[a, b] = p[b, a] = paired_difference(draws[a], draws[b]).p
    return Trial(scores.reshape(_LEVELS, _MODELS), p)


def power(ladder: Ladder, trials: Sequence[Trial], seed: int) -> Power:
    """From trials to the least difference that is found, and how sure that is.

    The share found rises with the difference (isotonic regression); where it crosses 80 % is interpolated.

    Parameters
    ----------
    ladder : Ladder
    trials : sequence of Trial
    seed : int

    Returns
    -------
    Power
    """
    rng = np.random.default_rng(seed)
    found = np.array([_found(t) for t in trials])
    false = np.array([_false_alarms(t) for t in trials])
    scores = np.array([t.scores.mean(axis=1) for t in trials])
    pairs = list(combinations(range(_LEVELS), 2))

    def differences(chosen: np.ndarray) -> np.ndarray:
        means = scores[chosen].mean(axis=0)
        return np.array([means[high] - means[low] for low, high in pairs])

    def curve(chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = differences(chosen)
        order = np.argsort(x)
        return x[order], np.asarray(isotonic_regression(found[chosen].mean(axis=0)[order]))

    everyone = np.arange(len(trials))
    x, y = curve(everyone)
    resampled = [_crossing(*curve(rng.choice(everyone, len(everyone)))) for _ in range(_RESAMPLES)]
    low, high = np.quantile(np.array(resampled), [0.025, 0.975], method="nearest")
    return Power(
        least=_finite(_crossing(x, y)),
        low=_finite(float(low)),
        high=_finite(float(high)),
        greatest=float(x[-1]),
        middle=float(scores.mean()),
        chance=ladder.chance,
        perfect=ladder.perfect,
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
) -> tuple[np.ndarray, np.ndarray, float]:
    """Bootstrap draws (m, draws), scores (m,) and chance of models, with people drawn anew.

    The sign is such that more is better.
    """
    metric = task.metrics[0]
    sign = 1.0 if metric.higher_is_better else -1.0
    joined = join(simulation.stimuli, simulation.people(rng))
    draws, scores, chance = np.full((len(noises), _DRAWS), np.nan), np.full(len(noises), np.nan), np.nan
    seed = int(rng.integers(2**63))
    for view in simulation.views([float(noise) for noise in noises], rng):
        result = task.score(view, joined, params, np.random.default_rng(seed))
        weights = bootstrap_weights(len(result.concepts), _DRAWS, np.random.default_rng(seed))
        chance = sign * result.chance.get(metric.name, np.nan)
        for layer, found in result.layers.items():
            if found.undefined is None:
                known = estimate(found.statistics[metric.name], weights)
                draws[int(layer)], scores[int(layer)] = sign * known.draws, sign * known.score
    return draws, scores, chance


def _found(found: Trial) -> np.ndarray:
    """For each two qualities, the share of pairs of models in which the better one is found better."""
    shares = []
    for low, high in combinations(range(_LEVELS), 2):
        hits = []
        for a, b in product(range(_MODELS), repeat=2):
            better = found.scores[high, b] > found.scores[low, a]
            hits.append(better and found.p[low * _MODELS + a, high * _MODELS + b] <= ALPHA)
        shares.append(np.mean(hits))
    return np.array(shares)


def _false_alarms(found: Trial) -> float:
    """Share of two models of the same quality that are told apart."""
    alarms = []
    for level in range(_LEVELS):
        for a, b in combinations(range(_MODELS), 2):
            alarms.append(found.p[level * _MODELS + a, level * _MODELS + b] <= ALPHA)
    return float(np.mean(alarms))


def _crossing(x: np.ndarray, y: np.ndarray) -> float:
    """Where a curve that rises first reaches the power wanted; infinite where it does not."""
    above = np.flatnonzero(y >= POWER)
    if not above.size:
        return float("inf")
    first = int(above[0])
    # Below the least difference tried the curve goes to nothing found at no difference.
    x0, y0 = (x[first - 1], y[first - 1]) if first else (0.0, 0.0)
    return float(x0 + (POWER - y0) / (y[first] - y0) * (x[first] - x0))


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
