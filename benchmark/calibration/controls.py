"""The controls of every task: the task scores worlds whose answer is known.

A *world* (:class:`~benchmark.calibration.World`) is a small target with the features of a model that matches
it exactly. Each control scores one condition in several worlds and compares the mean score with the known
answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import special

from benchmark.calibration.arrays import plain_score
from benchmark.calibration.series_worlds import series_world
from benchmark.calibration.worlds import (
    World,
    association_world,
    mistaken_world,
    rdm_world,
    response_world,
    triplet_world,
)
from benchmark.datasets.join import join
from benchmark.task import Control, Metric, Task

#: ``draw(rng)`` gives a random world
DrawWorld = Callable[[np.random.Generator], World]

#: Number of worlds for each control
REPLICATES = 20
#: Signal-to-noise ratios of the noisy copies (ratio of variances)
SNRS = (4.0, 1.0, 0.25)
#: Probability that a correct task fails a control by chance; for a hundred controls it is 1 in 100
ALPHA = 1e-4
#: A complete set of controls has all these kinds
COMPLETE = ("copy", "noisy", "noise", "permuted")

_COPY, _NOISE, _PERMUTED = "isometric copy", "independent noise", "permuted labels"
#: Error that float32 features may cause in a score that is known exactly
_ROUNDING = 1e-6
#: Worlds for a task that has none of its own, by the kind of its target
_WORLDS: dict[str, DrawWorld] = {
    "rdm": rdm_world,
    "rdm_series": series_world,
    "vectors": mistaken_world,
    "associations": association_world,
    "responses": response_world,
    "triplets": triplet_world,
}


def check_task(task: Task, rng: np.random.Generator) -> list[Control]:
    """Run the controls of a task, and add those that a complete set needs.

    ``task.calibrate`` gives the task's own controls. If one of the kinds copy, noisy copy, noise and permuted
    labels is missing, this function runs a general control of that kind, in a world of the task's kind of
    target. So a task cannot pass by leaving out the controls that it would fail. For another kind of target
    there is no such world. The kinds that are missing are then one failed control, which names them.

    Parameters
    ----------
    task : Task
    rng : numpy.random.Generator

    Returns
    -------
    list of Control
        The task's own controls, then the general ones.
    """
    own, general = rng.spawn(2)
    controls = list(task.calibrate(own))
    missing = [kind for kind in COMPLETE if kind not in {control.kind for control in controls}]
    worlds = [_WORLDS[kind] for kind in task.target_kinds if kind in _WORLDS]
    if missing and worlds:
        controls += [c for c in general_controls(task, worlds[0], general) if c.kind in missing]
    elif missing:
        controls.append(_not_calibrated(task, missing))
    return controls


def _not_calibrated(task: Task, missing: Sequence[str]) -> Control:
    what = "nothing is calibrated" if len(missing) == len(COMPLETE) else "not calibrated"
    targets = ", ".join(task.target_kinds) or "no kind"
    return Control(
        f"{what}: calibrate() has no control of kind {', '.join(missing)}, and there is no world for targets "
        f"of kind {targets}; return standard_controls with a world of your own",
        expected="controls",
        found=float("nan"),
        passed=False,
    )


def standard_controls(
    task: Task,
    draw: DrawWorld,
    rng: np.random.Generator,
    *,
    expected: Callable[[float], float] | None = None,
    definition: Callable[[World, np.ndarray], float] | None = None,
    metric: str | None = None,
    snrs: Sequence[float] = SNRS,
    replicates: int = REPLICATES,
    params: Mapping[str, Any] | None = None,
) -> list[Control]:
    """Run the whole set of controls: isometric copy, noisy copies, independent noise, permuted labels.

    The score of a control is a mean over several random worlds:

    - an isometric copy of the target must have the best score of the metric;
    - a noisy copy must have the score of a closed form (``expected``) or of an independent implementation of
      the task's definition (``definition``), which scores the same worlds;
    - more noise must not give a better score;
    - independent noise and permuted labels must have the chance level that the task declares.

    A control passes within a band around the expected score: two-sided at :data:`ALPHA`, from the sampling
    distribution of the mean difference (Student's t). If the score and the expected score are equal in every
    world, the band is as narrow as rounding.

    Parameters
    ----------
    task : Task
    draw : callable
        ``draw(rng)`` gives a random world: :func:`~benchmark.calibration.rdm_world`, for example.
    rng : numpy.random.Generator
    expected : callable, optional
        ``expected(snr)`` gives the score of a noisy copy with that signal-to-noise ratio.
    definition : callable, optional
        ``definition(world, features)`` gives the score of features (m, d) in a world, by code that shares
        nothing with the task. Give either ``expected`` or ``definition``.
    metric : str, optional
        Name of the metric. Default: the first metric of the task.
    snrs : sequence of float
        Signal-to-noise ratios of the noisy copies, the greatest first.
    replicates : int
        Number of worlds, at least 3.
    params : mapping, optional
        Parameters of the task, as in a binding.

    Returns
    -------
    list of Control

    Raises
    ------
    ValueError
        If neither ``expected`` nor ``definition`` is given, or both are.

    Examples
    --------
    >>> from benchmark.calibration import rdm_world
    >>> from benchmark.calibration.definitions import spearman_of_noisy_rdms
    >>> from benchmark.registry import load_registry
    >>> task = load_registry().task("rdm_correlation").load()()
    >>> controls = standard_controls(
    ...     task, rdm_world, np.random.default_rng(0),
    ...     expected=spearman_of_noisy_rdms, snrs=(1.0,), replicates=3,
    ... )
    >>> for control in controls:
    ...     print(f"{control.name}: {control.expected}, passed: {control.passed}")
    isometric copy: 1.000, passed: True
    noisy copy, signal to noise 1: 0.481, passed: True
    more noise, no better score: no step up, passed: True
    independent noise: 0.000, passed: True
    permuted labels: 0.000, passed: True
    """
    if (expected is None) == (definition is None):
        raise ValueError("expected and definition: exactly one of the two says what a noisy copy must score")
    scored = _metric(task, metric)
    scores, chance, defined = _scores(task, draw, rng, scored, snrs, replicates, params or {}, definition)
    best = scored.range[1] if scored.higher_is_better else scored.range[0]
    controls = [_equal(_COPY, "copy", np.full(replicates, best), scores[_COPY])]
    for snr in snrs:
        name = _noisy(snr)
        known = defined[name] if expected is None else np.full(replicates, expected(snr))
        controls.append(_equal(name, "noisy", known, scores[name]))
    controls.append(_never_better(scores, scored, snrs))
    for name, kind in ((_NOISE, "noise"), (_PERMUTED, "permuted")):
        controls.append(_equal(name, kind, chance, scores[name]))
    return controls


def general_controls(task: Task, draw: DrawWorld, rng: np.random.Generator) -> list[Control]:
    """Run the controls that hold for any task.

    More noise must not give a better score. Independent noise and permuted labels must not be better than
    chance. An isometric copy must be better than noise.

    Parameters
    ----------
    task : Task
    draw : callable
        ``draw(rng)`` gives a random world.
    rng : numpy.random.Generator

    Returns
    -------
    list of Control
    """
    metric = _metric(task, None)
    scores, chance, _ = _scores(task, draw, rng, metric, SNRS, REPLICATES, {})
    controls = [_never_better(scores, metric, SNRS), _above_noise(scores, metric)]
    sign = 1.0 if metric.higher_is_better else -1.0
    for name, kind in ((_NOISE, "noise"), (_PERMUTED, "permuted")):
        half = _half_width(scores[name] - chance)
        level, score = float(chance.mean()), float(scores[name].mean())
        band = (-np.inf, level + half) if sign > 0 else (level - half, np.inf)
        controls.append(_control(name, kind, f"chance, {level:.3f}, or worse", score, band))
    return controls


def exact_control(name: str, expected: float, found: float) -> Control:
    """Make a control whose answer is known exactly. Its ``kind`` is "own".

    Parameters
    ----------
    name : str
        Says what was scored.
    expected : float
        The known answer.
    found : float
        The score of the task.

    Returns
    -------
    Control
        Passed if the two are equal, up to the rounding of float32 features.

    Examples
    --------
    >>> control = exact_control("two of four pairs are right", expected=0.5, found=0.5)
    >>> control.passed, control.expected
    (True, '0.500')
    >>> exact_control("all pairs are right", expected=1.0, found=0.75).passed
    False
    """
    return _equal(name, "own", np.array([expected]), np.array([found]))


def mean_control(name: str, expected: float, found: Sequence[float]) -> Control:
    """Make a control whose answer is known on average over random worlds. Its ``kind`` is "own".

    Parameters
    ----------
    name : str
        Says what was scored.
    expected : float
        The known mean.
    found : sequence of float
        The score in each world.

    Returns
    -------
    Control
        Passed if the mean is as expected, within the band of :func:`standard_controls`.

    Examples
    --------
    >>> control = mean_control("a fair coin", expected=0.5, found=[0.0, 1.0, 1.0, 0.0])
    >>> control.passed, control.found
    (True, 0.5)
    """
    return _equal(name, "own", np.full(len(found), expected), np.array(found))


def _metric(task: Task, name: str | None) -> Metric:
    return next(metric for metric in task.metrics if name in (None, metric.name))


def _noisy(snr: float) -> str:
    return f"noisy copy, signal to noise {snr:g}"


def _scores(
    task: Task,
    draw: DrawWorld,
    rng: np.random.Generator,
    metric: Metric,
    snrs: Sequence[float],
    replicates: int,
    params: Mapping[str, Any],
    definition: Callable[[World, np.ndarray], float] | None = None,
) -> tuple[dict[str, np.ndarray], np.ndarray, dict[str, np.ndarray]]:
    """Scores of each condition, declared chance, and scores of noisy copies by definition.

    Each array has one value for each world, shape (replicates,).
    """
    scores: dict[str, list[float]] = {}
    defined: dict[str, list[float]] = {}
    chance = []
    for _ in range(replicates):
        world = draw(rng)
        noisy = {_noisy(snr): world.noisy(snr, rng) for snr in snrs}
        layers = {_COPY: world.copy(rng), **noisy, _NOISE: world.noise(rng), _PERMUTED: world.permuted(rng)}
        result = task.score(world.view(layers), join(world.stimuli, world.target), params, rng)
        for name in layers:
            scores.setdefault(name, []).append(plain_score(result, name, metric.name))
        if definition is not None:
            for name, features in noisy.items():
                defined.setdefault(name, []).append(definition(world, features))
        chance.append(result.chance.get(metric.name, np.nan))
    return _arrays(scores), np.array(chance), _arrays(defined)


def _arrays(lists: Mapping[str, list[float]]) -> dict[str, np.ndarray]:
    return {name: np.array(values) for name, values in lists.items()}


def _equal(name: str, kind: str, expected: np.ndarray, scores: np.ndarray) -> Control:
    """The mean of ``scores`` must be that of ``expected``, within the sampling error of the difference."""
    half = _half_width(scores - expected)
    level = float(expected.mean())
    return _control(name, kind, f"{level:.3f}", float(scores.mean()), (level - half, level + half))


def _never_better(scores: Mapping[str, np.ndarray], metric: Metric, snrs: Sequence[float]) -> Control:
    """No step to more noise may improve the score by more than its own sampling error."""
    by_noise = [scores[_COPY], *(scores[_noisy(snr)] for snr in snrs), scores[_NOISE]]
    sign = 1.0 if metric.higher_is_better else -1.0
    steps = [sign * (less - more) for less, more in pairwise(by_noise)]
    # each step is judged with its own error; the control shows the worst step
    margins = [float(step.mean()) + _half_width(step) for step in steps]
    worst = int(np.argmin(margins))
    band = (float(steps[worst].mean()) - margins[worst], np.inf)
    return _control("more noise, no better score", "noisy", "no step up", float(steps[worst].mean()), band)


def _above_noise(scores: Mapping[str, np.ndarray], metric: Metric) -> Control:
    """A copy must be better than noise."""
    gain = (scores[_COPY] - scores[_NOISE]) * (1.0 if metric.higher_is_better else -1.0)
    band = (max(_half_width(gain), _ROUNDING), np.inf)
    return _control("isometric copy, less noise", "copy", "above 0", float(gain.mean()), band)


def _control(name: str, kind: str, expected: str, score: float, band: tuple[float, float]) -> Control:
    return Control(name, expected, score, bool(band[0] <= score <= band[1]), kind, band)


def _half_width(differences: np.ndarray) -> float:
    """Half the width of the interval that holds the mean of ``differences`` with probability 1 - ALPHA.

    The true mean difference is taken to be zero.
    """
    n = len(differences)
    if n < 2:
        return _ROUNDING
    error = differences.std(ddof=1) / np.sqrt(n)
    return float(special.stdtrit(n - 1, 1 - ALPHA / 2) * error) + _ROUNDING
