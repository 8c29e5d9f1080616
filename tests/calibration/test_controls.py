"""Controls: right tasks pass, broken ones fail, whatever they say of themselves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from benchmark.calibration import check_task, rdm_world, standard_controls
from benchmark.calibration.definitions import (
    informed_matching,
    spearman_of_noisy_rdms,
    two_vs_two_accuracy,
)
from benchmark.calibration.report import CalibrationReport
from benchmark.calibration.worlds import association_world, mistaken_world, vector_world
from benchmark.inference import mean_statistic, rdm_statistic
from benchmark.measures import rdm
from benchmark.representation.concepts import concept_images, concept_means
from benchmark.task import Control, LayerResult, Metric, Task, TaskResult

WORLDS = (rdm_world, vector_world, mistaken_world, association_world)


class Correlation(Task):
    """A right task: Spearman RDM correlation, nothing else."""

    name = "correlation"
    version = 1
    metrics = (Metric("spearman", "Spearman", (-1.0, 1.0), "0"),)
    target_kinds = ("rdm",)
    reference = "@misc{x}"

    def score(self, view, joined, params, rng):
        images = concept_images(view.stimuli, joined.concepts)
        layers = {}
        for layer in view.layers:
            made = rdm(concept_means(view.features(layer), images))
            layers[layer] = LayerResult({"spearman": self.statistic(made, joined)})
        return TaskResult(joined.concepts, layers, {"spearman": 0.0})

    def statistic(self, made, joined):
        return rdm_statistic(made, joined.target.rdms, "spearman")

    def calibrate(self, rng):
        return standard_controls(self, rdm_world, rng, expected=spearman_of_noisy_rdms)


class Inverted(Correlation):
    """Similarity where there should be dissimilarity."""

    def statistic(self, made, joined):
        right = super().statistic(made, joined)
        return lambda weights: -right(weights)


class LeaksOrder(Correlation):
    """Concept i of the one is concept i of the other: that much is always right."""

    def statistic(self, made, joined):
        right = super().statistic(made, joined)
        known = mean_statistic(np.full(len(joined.concepts), 0.05))
        return lambda weights: 0.95 * right(weights) + known(weights)


class Halved(Correlation):
    """Right but for the scale: a copy has one half."""

    def statistic(self, made, joined):
        right = super().statistic(made, joined)
        return lambda weights: right(weights) / 2


class IgnoresIds(Correlation):
    """Takes stimulus i for concept i / 2."""

    def score(self, view, joined, params, rng):
        features = {layer: view.features(layer) for layer in view.layers}
        made = {
            name: rdm(values.reshape(len(joined.concepts), 2, -1).mean(1))
            for name, values in features.items()
        }
        layers = {n: LayerResult({"spearman": self.statistic(m, joined)}) for n, m in made.items()}
        return TaskResult(joined.concepts, layers, {"spearman": 0.0})


class Claims(LeaksOrder):
    """Broken, and its own calibration says nothing."""

    def calibrate(self, rng):
        return []


class ClaimsInverted(Inverted):
    def calibrate(self, rng):
        return []


class Nearest(Correlation):
    """A right measure where less is better: distance of the two RDMs."""

    metrics = (Metric("distance", "distance", (0.0, 2.0), "1", higher_is_better=False),)

    def score(self, view, joined, params, rng):
        found = super().score(view, joined, params, rng)
        layers = {}
        for name, layer in found.layers.items():
            right = layer.statistics["spearman"]
            layers[name] = LayerResult({"distance": lambda weights, right=right: 1 - right(weights)})
        return TaskResult(found.concepts, layers, {"distance": 1.0})

    def calibrate(self, rng):
        expected = {"expected": lambda snr: 1 - spearman_of_noisy_rdms(snr)}
        return standard_controls(self, rdm_world, rng, **expected)


def failed(task: Task, seed: int = 0) -> set[str]:
    return {c.name.split(",")[0] for c in check_task(task, np.random.default_rng(seed)) if not c.passed}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("task", [Correlation(), Nearest()], ids=lambda task: type(task).__name__)
def test_a_right_task_passes(task, seed):
    assert failed(task, seed) == set()


def test_the_set_is_complete():
    controls = check_task(Correlation(), np.random.default_rng(0))
    assert [c.kind for c in controls] == ["copy", "noisy", "noisy", "noisy", "noisy", "noise", "permuted"]


def test_an_inverted_score_fails():
    assert failed(Inverted()) == {"isometric copy", "noisy copy", "more noise"}


def test_a_leak_of_the_order_fails():
    assert failed(LeaksOrder()) >= {"independent noise", "permuted labels"}


def test_a_wrong_scale_fails():
    assert failed(Halved()) == {"isometric copy", "noisy copy"}


def test_matching_by_row_number_fails():
    assert "isometric copy" in failed(IgnoresIds())


@pytest.mark.parametrize(
    "task, caught",
    [
        (Claims(), {"independent noise", "permuted labels"}),
        (ClaimsInverted(), {"isometric copy", "more noise"}),
    ],
    ids=["leak", "inverted"],
)
def test_a_task_is_not_calibrated_by_its_own_word(task, caught):
    assert failed(task) == caught


def test_a_score_that_is_undefined_fails():
    class Undefined(Correlation):
        def statistic(self, made, joined):
            return lambda weights: np.full(len(weights), np.nan)

    assert "isometric copy" in failed(Undefined())


def test_one_road_for_a_noisy_copy_must_be_given():
    with pytest.raises(ValueError, match="exactly one"):
        standard_controls(Correlation(), rdm_world, np.random.default_rng(0))


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.__name__)
def test_worlds_are_what_they_say(world):
    rng = np.random.default_rng(0)
    made = world(rng)
    assert made.rows.shape == (len(made.stimuli),)
    assert list(made.stimuli.ids) != sorted(made.stimuli.ids)
    noisy = made.noisy(0.25, rng) - made.signal
    assert noisy.var() / made.signal.var() == pytest.approx(4, rel=0.1)
    permuted = made.permuted(rng)
    assert sorted(map(tuple, permuted)) == sorted(map(tuple, made.signal))
    assert not np.array_equal(permuted, made.signal)


@pytest.mark.parametrize("snr", [4.0, 1.0, 0.25])
def test_closed_form_is_what_scipy_finds(snr):
    """Spearman of noisy RDMs, simulated with scipy alone."""
    rng = np.random.default_rng(1)
    upper = np.triu_indices(40, 1)
    found = []
    for _ in range(60):
        signal = rng.standard_normal((40, 200))
        noisy = signal + rng.standard_normal((40, 200)) / np.sqrt(snr)
        found.append(stats.spearmanr(np.corrcoef(signal)[upper], np.corrcoef(noisy)[upper]).statistic)
    error = np.std(found, ddof=1) / np.sqrt(len(found))
    assert abs(np.mean(found) - spearman_of_noisy_rdms(snr)) < 4 * error


def test_definitions_of_a_perfect_model():
    rng = np.random.default_rng(0)
    vectors, rdms = vector_world(rng), rdm_world(rng, concepts=12, twins=0.1)
    assert two_vs_two_accuracy(vectors, vectors.signal) == 1
    assert informed_matching(rdms, rdms.signal) == 1
    swapped = rdms.signal[[1, 0, *range(2, 12)]]
    assert informed_matching(rdms, swapped) == pytest.approx(10 / 12)


class OwnKind(Correlation):
    """A task for a kind of target that the engine has no world for; its calibrate controls nothing."""

    target_kinds = ("gaze",)

    def calibrate(self, rng):
        return [Control("one is one", "1", 1.0, passed=True)]


class OwnKindWithControls(OwnKind):
    def calibrate(self, rng):
        return Correlation.calibrate(self, rng)


class OwnKindInPart(OwnKind):
    def calibrate(self, rng):
        return [c for c in Correlation.calibrate(self, rng) if c.kind != "permuted"]


class OwnKindWithNone(OwnKind):
    def calibrate(self, rng):
        return []


@pytest.mark.parametrize(
    ("task", "says"),
    [
        (OwnKind(), "nothing is calibrated: calibrate() has no control of kind copy, noisy, noise, permuted"),
        (OwnKindWithNone(), "nothing is calibrated"),
        (OwnKindInPart(), "not calibrated: calibrate() has no control of kind permuted"),
    ],
)
def test_a_target_of_an_own_kind_without_controls_is_not_calibrated(task, says):
    controls = check_task(task, np.random.default_rng(0))
    assert controls[-1].name.startswith(says)
    assert "targets of kind gaze" in controls[-1].name
    assert not controls[-1].passed
    assert not CalibrationReport("mine", controls={"own": controls}).passed


def test_a_target_of_an_own_kind_with_controls_is_calibrated():
    controls = check_task(OwnKindWithControls(), np.random.default_rng(0))
    assert all(control.passed for control in controls)
    assert CalibrationReport("mine", controls={"own": controls}).passed


def test_a_task_without_controls_has_not_passed():
    assert not CalibrationReport("mine", controls={"own": []}).passed
