"""Power and model recovery, where theory says what must come out."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from scipy import stats

from benchmark.calibration import ArrayView, association_world, synthetic_stimuli, vector_world
from benchmark.calibration.power import _LEVELS, _MODELS, ALPHA, QualityLevels, Trial, pilot, power, trial
from benchmark.calibration.recovery import PEOPLE, Networks, Recovery, recover, split_half
from benchmark.calibration.simulate import SimulatedRDMs, features_with_rdm, simulation
from benchmark.common.errors import NotPossible
from benchmark.datasets import RDMTarget, join
from benchmark.inference import mean_statistic, select_layer
from benchmark.measures import rdm
from benchmark.registry import load_registry
from benchmark.task import LayerResult, Metric, Task, TaskResult

CONCEPTS = tuple(f"c{i:02d}" for i in range(30))


class Mean(Task):
    """The score is the mean of one number a concept: its power is known from the normal distribution."""

    name = "mean"
    version = 1
    metrics = (Metric("mean", "mean", (-np.inf, np.inf), "0"),)
    target_kinds = ("rdm",)
    reference = "@misc{x}"

    def score(self, view, joined, params, rng):
        layers = {
            layer: LayerResult({"mean": mean_statistic(view.features(layer)[:, 0])}) for layer in view.layers
        }
        return TaskResult(joined.concepts, layers, {"mean": 0.0})

    def calibrate(self, rng):
        return []


class Normal:
    """Models whose scores are normal: mean 1 / (1 + noise), a standard deviation of one over concepts."""

    stimuli = synthetic_stimuli(CONCEPTS)
    subjects = None

    def people(self, rng):
        return target(1)

    def views(self, noises, rng):
        values = {
            str(i): 1 / (1 + noise) + rng.standard_normal((len(CONCEPTS), 1))
            for i, noise in enumerate(noises)
        }
        return [ArrayView(self.stimuli, values)]


def target(subjects: int, noise: float = 0.0, seed: int = 0) -> RDMTarget:
    rng = np.random.default_rng(seed)
    true = rdm(rng.standard_normal((len(CONCEPTS), 20)))
    drawn = np.triu(rng.standard_normal((subjects, *true.shape)), 1) * noise * true[true > 0].std()
    rdms = true + drawn + drawn.transpose(0, 2, 1)
    names = tuple(f"s{i}" for i in range(subjects))
    return RDMTarget("people", CONCEPTS, "people", rdms=rdms, subjects=names)


def trials(step: float, error: float, people: int = 40) -> list[Trial]:
    """Scores with normal error, and the p-values of a z-test that knows the error."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(people):
        scores = step * np.arange(_LEVELS)[:, None] + error / np.sqrt(2) * rng.standard_normal(
            (_LEVELS, _MODELS)
        )
        flat = scores.ravel()
        found.append(Trial(scores, 2 * stats.norm.sf(np.abs(flat[:, None] - flat) / error)))
    return found


def test_power_of_a_normal_test_is_that_of_the_textbook():
    error = 0.02
    found = power(QualityLevels((), 0.0, 1.0), trials(0.8 * error, error), seed=0)
    expected = error * (stats.norm.ppf(1 - ALPHA / 2) + stats.norm.ppf(0.8))
    assert found.least == pytest.approx(expected, rel=0.1)
    assert found.low <= expected <= found.high
    assert found.false_alarms == pytest.approx(ALPHA, abs=0.02)


def test_what_cannot_be_told_apart_has_no_least_difference():
    found = power(QualityLevels((), 0.0, 1.0), trials(0.02 * 0.02, 0.02), seed=0)
    assert found.least is None
    assert found.high is None
    assert found.greatest < 0.02


def test_a_curve_rises():
    curve = power(QualityLevels((), 0.0, 1.0), trials(0.01, 0.02, people=5), seed=0).curve
    assert len(curve) == len(list(combinations(range(_LEVELS), 2)))
    for (x, y), (more, higher) in pairwise(curve):
        assert more >= x
        assert higher >= y


@pytest.mark.slow
def test_power_of_a_mean_with_the_comparison_of_the_engine():
    """Two means over 30 concepts: the error of their difference is sqrt(2 / 30)."""
    task, simulated = Mean(), Normal()
    levels = pilot(task, {}, simulated, seed=0)
    assert levels.chance == 0
    found = power(levels, [trial(task, {}, simulated, levels, seed) for seed in range(60)], seed=0)
    # The differences a mean of 30 can have here end at one, which is 3.9 errors.
    expected = np.sqrt(2 / 30) * 2.8
    assert found.least == pytest.approx(expected, rel=0.15)
    assert found.false_alarms == pytest.approx(ALPHA, abs=0.02)


def test_realised_features_have_the_geometry_asked_for():
    asked = target(1).rdms[0]
    upper = np.triu_indices(len(asked), 1)
    features = features_with_rdm(asked)
    made = rdm(features)[upper]
    assert np.corrcoef(made, asked[upper])[0, 1] == pytest.approx(1, abs=1e-9)


def test_simulated_people_agree_as_the_real_ones_do():
    people = target(12, noise=0.9)
    simulated = SimulatedRDMs(join(synthetic_stimuli(CONCEPTS), people))
    upper = np.triu_indices(len(CONCEPTS), 1)

    def agreement(rdms):
        together = np.corrcoef([r[upper] for r in rdms])
        return (together.sum() - len(rdms)) / (len(rdms) * (len(rdms) - 1))

    drawn = [agreement(simulated.people(np.random.default_rng(i)).rdms) for i in range(10)]
    assert np.mean(drawn) == pytest.approx(agreement(people.rdms), abs=0.03)


def test_one_subject_is_taken_to_be_without_noise():
    simulated = SimulatedRDMs(join(synthetic_stimuli(CONCEPTS), target(1)))
    first, second = (simulated.people(np.random.default_rng(i)).rdms for i in range(2))
    np.testing.assert_array_equal(first, second)


def test_subjects_with_nothing_in_common_are_refused():
    rng = np.random.default_rng(0)
    noise = np.triu(rng.standard_normal((2, 30, 30)), 1) + 5
    noise[1] = 10 - noise[0]
    noise = np.triu(noise, 1)
    people = RDMTarget("p", CONCEPTS, "p", rdms=noise + noise.transpose(0, 2, 1), subjects=("a", "b"))
    with pytest.raises(NotPossible, match="nothing in common"):
        SimulatedRDMs(join(synthetic_stimuli(CONCEPTS), people))


@pytest.mark.parametrize("world", [vector_world, association_world], ids=lambda world: world.__name__)
def test_simulated_models_lose_the_target_with_noise(world):
    made = world(np.random.default_rng(0))
    simulated = simulation(join(made.stimuli, made.target), made.stimuli)
    rng = np.random.default_rng(1)
    (view,) = simulated.views([0.0, 5.0], rng)
    clean, noisy = (view.features(layer) for layer in ("0", "1"))
    assert clean.shape == noisy.shape == (len(simulated.stimuli), clean.shape[1])
    assert noisy.var() > 10 * clean.var()
    people = simulated.people(rng)
    assert type(people) is type(made.target)
    assert set(simulated.stimuli.concepts) <= set(people.ids)


@pytest.fixture(scope="module")
def networks() -> Networks:
    rng = np.random.default_rng(3)
    views = []
    for name in ("one", "two", "three"):
        view = ArrayView(
            synthetic_stimuli(CONCEPTS), {layer: rng.standard_normal((30, 50)) for layer in ("early", "late")}
        )
        view.name = name
        views.append(view)
    return Networks.from_views(views, CONCEPTS)


@pytest.mark.parametrize("true", ["one", "three"])
def test_a_network_unlike_the_others_is_recovered(networks, true):
    task = load_registry().task("rdm_correlation").load()()
    joined = join(synthetic_stimuli(CONCEPTS), target(8, noise=1.0))
    layer, wins, scores = recover(task, {}, networks, joined, true, seed=0)
    assert layer in ("early", "late")
    assert wins.shape == scores.shape == (PEOPLE, 3)
    at = list(networks.layers).index(true)
    assert (wins[:, at] == 1).all()
    assert (np.delete(scores, at, axis=1) < 0.3).all()


def test_split_halves_score_as_a_run_does():
    rng = np.random.default_rng(0)
    scores = rng.standard_normal((4, 30))
    scores[0] += 2  # the best layer in every half, so that other halves change nothing
    statistics = {str(i): mean_statistic(row) for i, row in enumerate(scores)}
    expected = select_layer(statistics, 30, 1, np.random.default_rng(1)).score
    assert split_half(statistics, 30, np.random.default_rng(2)) == pytest.approx(expected)
    worse = {"only": statistics["3"]}
    assert split_half(worse, 30, np.random.default_rng(2)) == pytest.approx(scores[3].mean())


def test_networks_that_share_a_layer_share_the_win():
    rng = np.random.default_rng(3)
    shared = rng.standard_normal((30, 50))
    views = []
    for name in ("one", "two"):
        view = ArrayView(synthetic_stimuli(CONCEPTS), {"only": shared})
        view.name = name
        views.append(view)
    joined = join(synthetic_stimuli(CONCEPTS), target(8, noise=1.0))
    task = load_registry().task("rdm_correlation").load()()
    _, wins, _ = recover(task, {}, Networks.from_views(views, CONCEPTS), joined, "one", seed=0)
    assert (wins == 0.5).all()
    found = Recovery(("one", "two"), ("only", "only"), np.full((2, 2), 0.5), np.zeros((2, 2)), PEOPLE)
    assert found.chance == found.recovered == 0.5
