"""property_mapping: from features and norms to hits; what it needs; and its faults."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from benchmark.calibration import ArrayView, frequency_world, plain_score, synthetic_stimuli
from benchmark.common.errors import NotPossible, UsageError
from benchmark.datasets.join import join
from benchmark.datasets.norms import PropertyTarget
from benchmark.representation import cosine_network as network


@pytest.fixture
def task(plugin):
    return plugin("property_mapping").PropertyMapping()


@pytest.fixture
def world():
    return frequency_world(np.random.default_rng(3), concepts=30)


def score(task, world, layers, **params):
    joined = join(world.stimuli, world.target)
    return task.score(world.view(layers), joined, {"repeats": 1, **params}, np.random.default_rng(1))


def test_a_linear_map_is_learned_and_noise_is_not(task, world):
    rng = np.random.default_rng(0)
    result = score(
        task, world, {"copy": world.copy(rng), "noise": world.noise(rng), "flat": 0 * world.signal}
    )
    assert plain_score(result, "copy", "ridge_hit_5") == 1
    assert plain_score(result, "copy", "ridge_map") > 0.9
    assert result.layers["copy"].p == pytest.approx(1 / 1001)
    assert plain_score(result, "noise", "ridge_hit_5") < 0.4
    assert result.layers["noise"].p > 0.05
    assert "constant features" in result.layers["flat"].undefined
    assert result.chance["knn_hit_5"] == result.chance["ridge_hit_5"] == pytest.approx(5 / 30)
    assert 0 < result.chance["ridge_map"] < 1
    assert "network_map" not in result.chance
    assert "popularity baseline: hit@1" in result.notes[0]
    assert result.counts["properties"] == 12
    exact = score(task, world, {"copy": world.copy(rng)}, normalise="none")  # lengths are no linear map
    assert plain_score(exact, "copy", "ridge_hit_1") == 1


def test_the_score_is_the_mean_over_repetitions(task, world):
    features = world.noisy(1.0, np.random.default_rng(0))
    several = score(task, world, {"layer": features}, repeats=3)
    assert several.counts["repeats"] == 3
    joined = join(world.stimuli, world.target)
    again = task.score(world.view({"layer": features}), joined, {"repeats": 3}, np.random.default_rng(1))
    for metric in ("ridge_hit_5", "knn_map"):
        assert plain_score(several, "layer", metric) == plain_score(again, "layer", metric)
    hits = [m for m in several.layers["layer"].statistics if m.startswith("ridge_hit")]
    values = [plain_score(several, "layer", m) for m in sorted(hits, key=lambda m: int(m.split("_")[-1]))]
    assert values == sorted(values)


def test_the_network_is_trained_for_the_named_layers_only(task, world, monkeypatch):
    monkeypatch.setattr(network, "HIDDEN", 64)
    rng = np.random.default_rng(0)
    layers = {"copy": world.copy(rng), "other": world.copy(rng)}
    result = score(task, world, layers, network=["copy"])
    assert plain_score(result, "copy", "network_hit_5") > 0.5
    assert "network_hit_5" not in result.layers["other"].statistics
    with pytest.raises(NotPossible, match=r"the model has none of the layers cpy .* did you mean copy"):
        score(task, world, layers, network=["cpy"])


def test_concepts_without_a_common_property_are_left_out_and_counted(task, world):
    target = world.target
    counts = target.counts.toarray()
    counts[4] = 0
    bare = PropertyTarget(
        target.name,
        target.ids,
        "h",
        columns=target.columns,
        counts=sparse.csr_array(counts),
        respondents=target.respondents,
        types=target.types,
    )
    view = world.view({"copy": world.copy(np.random.default_rng(0))})
    result = task.score(view, join(world.stimuli, bare), {"repeats": 1}, np.random.default_rng(1))
    assert result.counts["without_properties"] == 1
    assert target.ids[4] not in result.concepts


def test_too_few_training_concepts_are_not_possible(task, world):
    layers = {"copy": world.signal}
    with pytest.raises(NotPossible, match=r"30 concepts have properties: 10 folds leave 27 .* 28 are needed"):
        score(task, world, layers, neighbours=28)
    few = frequency_world(np.random.default_rng(3), concepts=8, properties=3)
    with pytest.raises(NotPossible, match="8 concepts have properties"):
        score(task, few, {"copy": few.signal}, concepts=1)


def test_concepts_without_images_are_not_possible(task, world):
    stimuli = synthetic_stimuli(world.target.ids, train=1, test=0)
    view = ArrayView(stimuli, {"layer": world.signal})
    with pytest.raises(NotPossible, match="no test image of 30 concepts"):
        task.score(view, join(stimuli, world.target), {}, np.random.default_rng(1))


@pytest.mark.parametrize(
    "params, says",
    [
        ({"neighbours": 0}, "neighbours is 0: expected 1 or more"),
        ({"repeats": 0}, "repeats is 0: expected 1 or more"),
        ({"normalise": "l1"}, "normalise is 'l1'"),
        ({"network": "copy"}, "parameter 'network' must be list"),
        ({"steps": []}, r"parameter 'steps' is \[\]: expected numbers of at least 1"),
        ({"steps": [0, 25]}, "parameter 'steps' is .0, 25.: expected numbers of at least 1"),
    ],
)
def test_wrong_parameters_are_refused(task, world, params, says):
    with pytest.raises(UsageError, match=says):
        score(task, world, {"copy": world.signal}, **params)


def test_cuts_that_leave_nothing_are_not_possible(task, world):
    with pytest.raises(NotPossible, match="no property has production frequency 99"):
        score(task, world, {"copy": world.signal}, frequency=99)
