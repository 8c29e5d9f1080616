"""The controls of every task: data whose answer is known, scored by the task itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import special

from benchmark.calibration.arrays import plain_score
from benchmark.calibration.worlds import World, association_world, mistaken_world, rdm_world
from benchmark.datasets.join import join
from benchmark.task import Control, Metric, Task

Draw = Callable[[np.random.Generator], World]

#: Worlds drawn for each control
REPLICATES = 20
#: Signal-to-noise ratios of the noisy copies (ratio of variances)
SNRS = (4.0, 1.0, 0.25)
#: Share of right tasks that a control fails by chance: all controls of six tasks together, one in two hundred
ALPHA = 1e-4
#: Kinds of control that make the set complete
COMPLETE = ("copy", "noisy", "noise", "permuted")

_COPY, _NOISE, _PERMUTED = "isometric copy", "independent noise", "permuted labels"
#: What float32 features may change in a score that is known exactly
_ROUNDING = 1e-6
#: Worlds for a task that brings none, by the kind of its target
_WORLDS: dict[str, Draw] = {"rdm": rdm_world, "vectors": mistaken_world, "associations": association_world}


def check_task(task: Task, rng: np.random.Generator) -> list[Control]:
    """Run the controls of a task; those that it does not bring itself are run as for any task.

    A task with a target of a known kind is never calibrated by its own word alone: whatever of copy, noisy
    copies, noise and permuted labels ``task.calibrate`` leaves out is scored here in the world of that kind.

    Parameters
    ----------
    task : Task
    rng : numpy.random.Generator

    Returns
    -------
    list of Control
    """
    own, general = rng.spawn(2)
    controls = list(task.calibrate(own))
    missing = [kind for kind in COMPLETE if kind not in {control.kind for control in controls}]
    worlds = [_WORLDS[kind] for kind in task.target_kinds if kind in _WORLDS]
    if missing and worlds:
        controls += [c for c in general_controls(task, worlds[0], general) if c.kind in missing]
    return controls


def standard_controls(
    task: Task,
    draw: Draw,
    rng: np.random.Generator,
    *,
    expected: Callable[[float], float] | None = None,
    definition: Callable[[World, np.ndarray], float] | None = None,
    metric: str | None = None,
    snrs: Sequence[float] = SNRS,
    replicates: int = REPLICATES,
    params: Mapping[str, Any] | None = None,
) -> list[Control]:
    """The whole set: isometric copy, noisy copies, their order, independent noise, permuted labels.

    Each is the mean over worlds drawn anew. The copy must have the best score there is. Noise and permuted
    labels must have the chance level that the task declares; a noisy copy the value of a closed form, or of
    the definition worked out in the same worlds by another road. The band that passes is the sampling
    distribution of the mean difference (Student's t), two-sided at :data:`ALPHA`: without a width where two
    roads lead to the same number in every world.

    Parameters
    ----------
    task : Task
    draw : callable
        ``draw(rng)`` gives a world.
    rng : numpy.random.Generator
    expected : callable, optional
        Score of a noisy copy, by signal-to-noise ratio.
    definition : callable, optional
        Score of features (m, d) in a world, by a road that the task does not take. One of the two is needed.
    metric : str, optional
        Default: the task's first.
    snrs : sequence of float
        From the greatest.
    replicates : int
        Worlds, at least 3.
    params : mapping, optional
        As in a binding.

    Returns
    -------
    list of Control

    Raises
    ------
    ValueError
        If neither ``expected`` nor ``definition`` is given, or both are.
    """
    if (expected is None) == (definition is None):
        raise ValueError("expected and definition: exactly one of the two says what a noisy copy must score")
    of = _metric(task, metric)
    scores, chance, defined = _scores(task, draw, rng, of, snrs, replicates, params or {}, definition)
    best = of.range[1] if of.higher_is_better else of.range[0]
    controls = [_at(_COPY, "copy", np.full(replicates, best), scores[_COPY])]
    for snr in snrs:
        name = _noisy(snr)
        known = defined[name] if expected is None else np.full(replicates, expected(snr))
        controls.append(_at(name, "noisy", known, scores[name]))
    controls.append(_order(scores, of, snrs))
    for name, kind in ((_NOISE, "noise"), (_PERMUTED, "permuted")):
        controls.append(_at(name, kind, chance, scores[name]))
    return controls


def general_controls(task: Task, draw: Draw, rng: np.random.Generator) -> list[Control]:
    """What holds for any task: noise never helps, and what knows nothing is no better than chance.

    Parameters
    ----------
    task : Task
    draw : callable
        ``draw(rng)`` gives a world.
    rng : numpy.random.Generator

    Returns
    -------
    list of Control
    """
    of = _metric(task, None)
    scores, chance, _ = _scores(task, draw, rng, of, SNRS, REPLICATES, {})
    controls = [_order(scores, of, SNRS), _above(scores, of)]
    sign = 1.0 if of.higher_is_better else -1.0
    for name, kind in ((_NOISE, "noise"), (_PERMUTED, "permuted")):
        half = _half_width(scores[name] - chance)
        level, found = float(chance.mean()), float(scores[name].mean())
        band = (-np.inf, level + half) if sign > 0 else (level - half, np.inf)
        controls.append(_control(name, kind, f"chance, {level:.3f}, or worse", found, band))
    return controls


def exact_control(name: str, expected: float, found: float) -> Control:
    """A control whose answer is known exactly; ``kind`` is "own"."""
    return _at(name, "own", np.array([expected]), np.array([found]))


def _metric(task: Task, name: str | None) -> Metric:
    return next(metric for metric in task.metrics if name in (None, metric.name))


def _noisy(snr: float) -> str:
    return f"noisy copy, signal to noise {snr:g}"


def _scores(
    task: Task,
    draw: Draw,
    rng: np.random.Generator,
    metric: Metric,
    snrs: Sequence[float],
    replicates: int,
    params: Mapping[str, Any],
    definition: Callable[[World, np.ndarray], float] | None = None,
) -> tuple[dict[str, np.ndarray], np.ndarray, dict[str, np.ndarray]]:
    """By world: score of each condition, declared chance, and noisy copies by definition, (replicates,)."""
    found: dict[str, list[float]] = {}
    defined: dict[str, list[float]] = {}
    chance = []
    for _ in range(replicates):
        world = draw(rng)
        noisy = {_noisy(snr): world.noisy(snr, rng) for snr in snrs}
        layers = {_COPY: world.copy(rng), **noisy, _NOISE: world.noise(rng), _PERMUTED: world.permuted(rng)}
        result = task.score(world.view(layers), join(world.stimuli, world.target), params, rng)
        for name in layers:
            found.setdefault(name, []).append(plain_score(result, name, metric.name))
        if definition is not None:
            for name, features in noisy.items():
                defined.setdefault(name, []).append(definition(world, features))
        chance.append(result.chance.get(metric.name, np.nan))
    return _arrays(found), np.array(chance), _arrays(defined)


def _arrays(lists: Mapping[str, list[float]]) -> dict[str, np.ndarray]:
    return {name: np.array(values) for name, values in lists.items()}


def _at(name: str, kind: str, expected: np.ndarray, found: np.ndarray) -> Control:
    """The mean of ``found`` must be that of ``expected``, within the sampling error of the difference."""
    half = _half_width(found - expected)
    level = float(expected.mean())
    return _control(name, kind, f"{level:.3f}", float(found.mean()), (level - half, level + half))


def _order(scores: Mapping[str, np.ndarray], metric: Metric, snrs: Sequence[float]) -> Control:
    """No step to more noise improves the score by more than its own sampling error."""
    ladder = [scores[_COPY], *(scores[_noisy(snr)] for snr in snrs), scores[_NOISE]]
    sign = 1.0 if metric.higher_is_better else -1.0
    steps = [sign * (less - more) for less, more in pairwise(ladder)]
    # What is judged is each step with its own error; what is shown is the worst.
    margins = [float(step.mean()) + _half_width(step) for step in steps]
    worst = int(np.argmin(margins))
    band = (float(steps[worst].mean()) - margins[worst], np.inf)
    return _control("more noise, no better score", "noisy", "no step up", float(steps[worst].mean()), band)


def _above(scores: Mapping[str, np.ndarray], metric: Metric) -> Control:
    """A copy is better than noise."""
    gain = (scores[_COPY] - scores[_NOISE]) * (1.0 if metric.higher_is_better else -1.0)
    band = (max(_half_width(gain), _ROUNDING), np.inf)
    return _control("isometric copy, less noise", "copy", "above 0", float(gain.mean()), band)


def _control(name: str, kind: str, expected: str, found: float, band: tuple[float, float]) -> Control:
    return Control(name, expected, found, bool(band[0] <= found <= band[1]), kind, band)


def _half_width(differences: np.ndarray) -> float:
    """Half of the interval that holds the mean of differences, if it is zero, but for a share ALPHA."""
    n = len(differences)
    if n < 2:
        return _ROUNDING
    error = differences.std(ddof=1) / np.sqrt(n)
    return float(special.stdtrit(n - 1, 1 - ALPHA / 2) * error) + _ROUNDING
