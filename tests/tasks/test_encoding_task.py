"""encoding: from responses image by image to a score; the ceiling; the leak of concepts; and its faults."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import RidgeCV

from benchmark.calibration import ArrayView, plain_score, synthetic_stimuli
from benchmark.common.errors import NotPossible, UsageError
from benchmark.datasets import ResponseTarget
from benchmark.datasets.join import join
from benchmark.measures.ridge import SHARES, HeldOutRidge
from benchmark.runner.summary import summarise

K, IMAGES, C = 30, 2, 6
CONCEPTS = tuple(f"c{i:02d}" for i in range(K))


@pytest.fixture
def task(plugin):
    return plugin("encoding").Encoding()


@pytest.fixture
def stimuli():
    return synthetic_stimuli(CONCEPTS, test=IMAGES)


@pytest.fixture
def features():
    return np.random.default_rng(0).standard_normal((K * IMAGES, 5)).astype(np.float32)


@pytest.fixture
def target(stimuli, features):
    """Responses to each image, in another order than that of the stimuli."""
    rng = np.random.default_rng(1)
    signal = features @ rng.standard_normal((5, C))
    signal /= signal.std(axis=0)
    repeats = signal[:, :, None] + 1.5 * rng.standard_normal((K * IMAGES, C, 5))
    repeats[::3, :, 3:] = np.nan
    order = rng.permutation(K * IMAGES)
    return ResponseTarget(
        "neurons",
        tuple(stimuli.ids[i] for i in order),
        "h",
        repeats=repeats[order],
        channels=tuple("abcdef"),
    )


def score(task, stimuli, layers, target, **params):
    return task.score(ArrayView(stimuli, layers), join(stimuli, target), params, np.random.default_rng(1))


def test_the_score_is_that_of_scikit_learn_on_the_same_folds(task, stimuli, features, target, monkeypatch):
    """Images of one concept stand in one fold; where each is a concept the penalty is RidgeCV's too."""
    flat = replace(stimuli, concepts=stimuli.ids)
    folds = np.random.default_rng(7).permutation(K * IMAGES) % 5
    monkeypatch.setitem(task.score.__globals__, "dealt_folds", lambda *_: folds)
    result = score(task, flat, {"layer": features}, target)
    x = features.astype(float)
    y = np.nanmean(target.repeats, axis=2)[[target.ids.index(name) for name in stimuli.ids]]
    correlations = []
    for fold in range(5):
        train, test = folds != fold, folds == fold
        total = ((x[train] - x[train].mean(axis=0)) ** 2).sum()
        ridge = RidgeCV(total * SHARES, alpha_per_target=True).fit(x[train], y[train])
        pairs = zip(ridge.predict(x[test]).T, y[test].T, strict=True)
        correlations.append([np.corrcoef(p, q)[0, 1] for p, q in pairs])
    found = np.mean(correlations, axis=0)
    np.testing.assert_allclose(result.arrays["correlations/layer"], found, atol=1e-6)
    assert plain_score(result, "layer", "correlation") == pytest.approx(np.median(found), abs=1e-6)


def test_no_concept_is_in_training_and_test(task, stimuli, features, target, monkeypatch):
    seen = []

    class Noted(HeldOutRidge):
        def __init__(self, x, folds, groups):
            seen.append((folds, groups))
            super().__init__(x, folds, groups)

    monkeypatch.setitem(task.score.__globals__, "HeldOutRidge", Noted)
    score(task, stimuli, {"layer": features}, target)
    score(task, stimuli, {"layer": features}, target, across="stimuli")
    (folds, groups), (by_stimulus, none) = seen
    concepts = np.array([CONCEPTS.index(concept) for concept in stimuli.concepts])
    assert all(len(set(folds[concepts == c])) == 1 for c in range(K))
    assert groups.tolist() == concepts.tolist()
    assert any(len(set(by_stimulus[concepts == c])) > 1 for c in range(K))
    assert none is None


def test_divided_by_the_ceiling_and_beside_it(task, stimuli, features, target):
    result = score(task, stimuli, {"layer": features}, target)
    raw, normalised = (plain_score(result, "layer", name) for name in ("correlation", "normalised"))
    ceiling = np.sqrt(result.arrays["reliability"])
    assert result.ceiling["correlation"] == (pytest.approx(np.median(ceiling)),) * 2
    assert normalised == pytest.approx(np.median(result.arrays["correlations/layer"] / ceiling))
    assert 0.5 < raw < normalised
    assert result.counts["images"] == K * IMAGES
    assert result.counts["channels"] == C
    assert 0 < result.layers["layer"].p < 1e-6
    values = result.layers["layer"].values
    assert values["low_over_channels"] < raw < values["high_over_channels"]


def test_a_score_above_the_ceiling_is_not_clamped(task, stimuli, features, target):
    """Two repeats whose noise cancels: their mean is predicted better than they agree."""
    signal = features @ np.random.default_rng(3).standard_normal((5, C))
    noise = 0.5 * signal.std(axis=0) * np.random.default_rng(4).standard_normal(signal.shape)
    repeats = np.stack([signal + noise, signal - noise], axis=2)
    cancelling = replace(target, ids=stimuli.ids, repeats=repeats)
    result = score(task, stimuli, {"layer": features}, cancelling)
    assert plain_score(result, "layer", "normalised") > 1.05


def test_one_repeat_has_no_ceiling_and_says_so(task, stimuli, features, target):
    one = replace(target, repeats=target.repeats[:, :, :1])
    result = score(task, stimuli, {"layer": features}, one)
    assert result.ceiling == {}
    assert list(result.layers["layer"].statistics) == ["correlation"]
    assert "one repeat" in result.notes[0]
    with pytest.raises(NotPossible, match="not known"):
        score(task, stimuli, {"layer": features}, one, least_reliability=0.5)


def test_channels_are_selected_by_a_stated_threshold(task, stimuli, features, target):
    noisy = target.repeats.copy()
    noisy[:, :2] = np.random.default_rng(2).standard_normal((K * IMAGES, 2, 5))
    result = score(task, stimuli, {"layer": features}, replace(target, repeats=noisy), least_reliability=0.5)
    assert result.counts["channels_left_out"] == 2
    assert result.arrays["kept"].tolist() == [False, False, True, True, True, True]
    assert "below 0.5 left out" in " ".join(result.notes)
    with pytest.raises(NotPossible, match="no channel has a reliability"):
        score(task, stimuli, {"layer": features}, target, least_reliability=0.999)


def test_responses_to_concepts_take_mean_features(task, stimuli, features):
    by_concept = features.reshape(K, IMAGES, 5).mean(axis=1, dtype=float)
    responses = by_concept @ np.random.default_rng(3).standard_normal((5, 3))
    target = ResponseTarget(
        "dimensions", CONCEPTS[::-1], "h", repeats=responses[::-1, :, None], channels=tuple("abc")
    )
    result = score(task, stimuli, {"layer": features}, target)
    assert plain_score(result, "layer", "correlation") == pytest.approx(1, abs=1e-6)
    assert result.counts["images"] == K * IMAGES


def test_training_images_are_not_scored(task, features, target):
    split = synthetic_stimuli(CONCEPTS, test=IMAGES, train=1)
    seen = replace(target, ids=split.ids[: len(target.ids)])
    x = np.random.default_rng(0).standard_normal((len(split), 5)).astype(np.float32)
    result = score(task, split, {"layer": x}, seen, folds=3)
    assert result.counts["images"] == sum("test" in name for name in seen.ids)


def test_responses_to_training_images_do_not_count_for_the_reliability(task):
    split = synthetic_stimuli(CONCEPTS, test=IMAGES, train=1)
    rng = np.random.default_rng(0)
    repeats = rng.standard_normal((len(split), 2, 1)) + 0.5 * rng.standard_normal((len(split), 2, 4))
    tested = np.array([part == "test" for part in split.splits])
    target = ResponseTarget("neurons", split.ids, "h", repeats=repeats, channels=tuple("ab"))
    layers = {"layer": rng.standard_normal((len(split), 5))}
    known = score(task, split, layers, target).ceiling
    repeats[~tested] = rng.standard_normal((np.sum(~tested), 2, 4))
    assert score(task, split, layers, replace(target, repeats=repeats)).ceiling == known


def test_a_concept_of_which_only_training_images_were_measured(task):
    split = synthetic_stimuli(CONCEPTS, test=IMAGES, train=1)
    kept = [name for name, c in zip(split.ids, split.concepts, strict=True) if c != "c00" or "train" in name]
    rng = np.random.default_rng(0)
    target = ResponseTarget(
        "n", tuple(kept), "h", repeats=rng.standard_normal((len(kept), 1, 1)), channels=("a",)
    )
    with pytest.raises(NotPossible, match=r"no response to a test image of 1 concepts \(c00\)"):
        score(task, split, {"layer": rng.standard_normal((len(split), 5))}, target)


def test_folds_over_stimuli_that_are_concepts_leak_nothing(task, stimuli, features, target):
    flat = replace(stimuli, concepts=stimuli.ids)
    notes = [
        " ".join(score(task, shown, {"layer": features}, target, across="stimuli").notes)
        for shown in (stimuli, flat)
    ]
    assert ["too high" in note for note in notes] == [True, False]


def test_reliability_that_is_not_known_is_said_to_be_so(task, stimuli, features, target):
    single = target.repeats.copy()
    single[:, :, 1:] = np.nan
    with pytest.raises(NotPossible, match="of none it is known"):
        score(task, stimuli, {"layer": features}, replace(target, repeats=single), least_reliability=0.5)


def test_the_engine_summarises_and_stores_it(task, stimuli, features, target):
    layers = {"flat": np.ones((60, 3), np.float32), "layer": features, "noise": features[::-1].copy()}
    result = score(task, stimuli, layers, target)
    assert "constant features" in result.layers["flat"].undefined
    summary = summarise(result, task.metrics, seed=0)
    assert summary.best_layer == "layer"
    assert summary.headline.ci_low < summary.headline.score < summary.headline.ci_high
    json.dumps([layer.model_dump() for layer in summary.layers])
    assert np.isfinite(summary.perturbed).all()


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"folds": 1}, UsageError, "at least 2"),
        ({"folds": 11}, NotPossible, "give folds at most 5"),
        ({"across": "images"}, UsageError, "expected one of concepts, stimuli"),
        ({"least_reliability": "high"}, UsageError, "must be float"),
    ],
)
def test_says_what_is_wrong(task, stimuli, features, target, params, error, message):
    with pytest.raises(error, match=message):
        score(task, stimuli, {"layer": features}, target, **params)


def test_fewer_stimuli_than_folds(task, features, target, stimuli):
    few = target.select(target.ids[:4])
    with pytest.raises(NotPossible, match="too few for 5 folds of 6 or more: at least 12 are needed"):
        score(task, stimuli, {"layer": features}, few)


@pytest.mark.slow
def test_many_channels_fit_in_memory(task, stimuli, features):
    """100,000 channels: blocks keep what is held at once far below the responses with all weights."""
    import tracemalloc

    n = 100_000
    signal = features @ np.random.default_rng(0).standard_normal((5, n)).astype(np.float32)
    target = ResponseTarget(
        "voxels",
        stimuli.ids,
        "h",
        repeats=signal[:, :, None].astype(float),
        channels=tuple(map(str, range(n))),
    )
    tracemalloc.start()
    result = score(task, stimuli, {"layer": features}, target)
    statistic = result.layers["layer"].statistics["correlation"]
    weights = np.random.default_rng(0).multinomial(K, np.full(K, 1 / K), size=40).astype(float)
    assert np.isfinite(statistic(weights)).all()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 2**30


def test_partial_least_squares_is_that_of_scikit_learn(task, stimuli, features, target, monkeypatch):
    flat = replace(stimuli, concepts=stimuli.ids)
    folds = np.arange(K * IMAGES) % 5
    monkeypatch.setitem(task.score.__globals__, "dealt_folds", lambda *_: folds)
    result = score(task, flat, {"layer": features}, target, pls=3)
    y = np.nanmean(target.repeats, axis=2)[[target.ids.index(name) for name in stimuli.ids]]
    correlations = []
    for fold in range(5):
        train, test = folds != fold, folds == fold
        pls = PLSRegression(3, scale=False, tol=1e-26, max_iter=100_000).fit(features[train], y[train])
        pairs = zip(pls.predict(features[test]).T, y[test].T, strict=True)
        correlations.append([np.corrcoef(p, q)[0, 1] for p, q in pairs])
    np.testing.assert_allclose(result.arrays["correlations/layer"], np.mean(correlations, axis=0), atol=1e-6)
    assert "penalties/layer" not in result.arrays
    assert result.layers["layer"].p < 1e-4


def test_too_many_components_are_said_layer_by_layer(task, stimuli, features, target):
    result = score(task, stimuli, {"layer": features}, target, pls=500)
    assert "components is 500, for 48 training rows" in result.layers["layer"].undefined
