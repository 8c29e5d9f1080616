from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import pdist, squareform

from benchmark.calibration import ArrayView, plain_score, synthetic_stimuli
from benchmark.common.errors import NotPossible, UsageError
from benchmark.datasets.join import join
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import RDMTarget

K, IMAGES = 16, 3
CONCEPTS = tuple(f"c{i:02d}" for i in range(K))


@pytest.fixture
def task(plugin):
    return plugin("rdm_correlation").RDMCorrelation()


@pytest.fixture
def target(rng):
    rdms = np.stack([squareform(pdist(rng.standard_normal((K, 8)))) for _ in range(4)])
    return RDMTarget("people", CONCEPTS, "h", rdms=rdms, subjects=tuple("abcd"))


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def features(rng):
    return rng.standard_normal((K * IMAGES, 20))


def score(task, view, target, **params):
    return task.score(view, join(view.stimuli, target), params, np.random.default_rng(1))


@pytest.mark.parametrize("method", ["spearman", "pearson"])
def test_is_the_mean_correlation_over_subjects(task, target, features, method):
    view = ArrayView(synthetic_stimuli(CONCEPTS, test=IMAGES), {"layer": features})
    means = features.astype(np.float32).reshape(K, IMAGES, -1).mean(axis=1)
    correlate = stats.spearmanr if method == "spearman" else stats.pearsonr
    expected = np.mean([correlate(pdist(means, "correlation"), squareform(r))[0] for r in target.rdms])
    result = score(task, view, target)
    assert plain_score(result, "layer", method) == pytest.approx(expected, abs=1e-5)
    assert result.ceiling[method][0] <= result.ceiling[method][1]
    assert result.counts["subjects"] == 4


def test_the_ceiling_of_each_subject_is_told_where_they_are_few(task, target, features):
    view = ArrayView(synthetic_stimuli(CONCEPTS, test=IMAGES), {"layer": features})
    result = score(task, view, target)
    pairs = np.array([stats.rankdata(squareform(r)) for r in target.rdms])
    alone = [stats.spearmanr(own, np.delete(pairs, i, 0).mean(axis=0))[0] for i, own in enumerate(pairs)]
    for method in ("spearman", "pearson"):
        by_subject = result.arrays[f"ceiling_by_subject/{method}"]
        np.testing.assert_allclose(by_subject.mean(axis=0), result.ceiling[method])
    np.testing.assert_allclose(result.arrays["ceiling_by_subject/spearman"][:, 0], alone)
    assert f"a {alone[0]:.3f}, b {alone[1]:.3f}" in result.notes[-1]
    many = RDMTarget("many", CONCEPTS, "h", rdms=target.rdms.repeat(2, axis=0), subjects=tuple("abcdefgh"))
    assert score(task, view, many).notes == []


def test_metric_of_the_features_is_a_parameter(task, target, features):
    view = ArrayView(synthetic_stimuli(CONCEPTS, test=IMAGES), {"layer": features})
    means = features.astype(np.float32).reshape(K, IMAGES, -1).mean(axis=1)
    expected = np.mean([stats.spearmanr(pdist(means), squareform(r))[0] for r in target.rdms])
    result = score(task, view, target, metric="euclidean")
    assert plain_score(result, "layer", "spearman") == pytest.approx(expected, abs=1e-5)
    with pytest.raises(UsageError, match="correlation"):
        score(task, view, target, metric="corelation")


def test_order_of_the_stimuli_does_not_matter(task, target, features, rng):
    stimuli = synthetic_stimuli(CONCEPTS, test=IMAGES)
    order = rng.permutation(len(stimuli))
    shuffled = Stimuli(
        "shuffled", tuple(stimuli.ids[i] for i in order), tuple(stimuli.concepts[i] for i in order), "m"
    )
    scores = [
        plain_score(score(task, ArrayView(s, {"layer": f}), target), "layer", "spearman")
        for s, f in ((stimuli, features), (shuffled, features[order]))
    ]
    assert scores[0] == pytest.approx(scores[1], abs=1e-9)


def test_training_images_are_not_scored(task, target, features, rng):
    stimuli = synthetic_stimuli(CONCEPTS, test=1, train=IMAGES - 1)
    poisoned = features.copy()
    train = np.array([split == "train" for split in stimuli.splits])
    poisoned[train] = 1e6 * rng.standard_normal(poisoned[train].shape)
    scores = [
        plain_score(score(task, ArrayView(stimuli, {"layer": f}), target), "layer", "spearman")
        for f in (features, poisoned)
    ]
    assert scores[0] == scores[1]


def test_a_concept_without_a_test_image_is_refused_by_name(task, target, features):
    stimuli = synthetic_stimuli(CONCEPTS, test=1, train=IMAGES - 1)
    splits = ("train",) * IMAGES + stimuli.splits[IMAGES:]
    broken = Stimuli("broken", stimuli.ids, stimuli.concepts, "m", splits=splits)
    with pytest.raises(NotPossible, match="c00"):
        score(task, ArrayView(broken, {"layer": features}), target)


@pytest.mark.parametrize(
    "make",
    [
        lambda x: np.full_like(x, 0.1),
        lambda x: np.repeat(x[:, :1], x.shape[1], axis=1),
        lambda x: np.outer(np.arange(1, len(x) + 1), x[0]),
        lambda x: np.zeros_like(x),
        lambda x: np.where(np.arange(len(x))[:, None] < IMAGES, 0.3, x),
    ],
    ids=["one value", "constant rows", "one pattern scaled", "zero", "one concept constant"],
)
def test_constant_features_are_undefined_and_other_layers_go_on(task, target, features, make):
    view = ArrayView(synthetic_stimuli(CONCEPTS, test=IMAGES), {"flat": make(features), "layer": features})
    result = score(task, view, target)
    assert "undefined" in result.layers["flat"].undefined or "no score" in result.layers["flat"].undefined
    assert result.layers["flat"].statistics == {}
    assert result.layers["layer"].undefined is None


def test_one_subject_has_no_ceiling_and_says_so(task, target, features):
    one = RDMTarget("one", CONCEPTS, "h", rdms=target.rdms[:1], subjects=("a",))
    view = ArrayView(synthetic_stimuli(CONCEPTS, test=IMAGES), {"layer": features})
    result = score(task, view, one)
    assert result.ceiling == {}
    assert any("noise ceiling" in note for note in result.notes)


def test_p_is_small_for_a_copy_and_does_not_depend_on_the_layers_asked_for(task, rng):
    space = rng.standard_normal((K, 20))
    people = RDMTarget(
        "people", CONCEPTS, "h", rdms=squareform(pdist(space, "correlation"))[None], subjects=("a",)
    )
    noise = rng.standard_normal((K, 20))
    stimuli = synthetic_stimuli(CONCEPTS)
    both = score(task, ArrayView(stimuli, {"copy": space, "noise": noise}), people)
    alone = score(task, ArrayView(stimuli, {"noise": noise}), people)
    assert both.layers["copy"].p == pytest.approx(1 / 1001)
    assert both.layers["noise"].p == alone.layers["noise"].p > 0.01


def test_the_rdm_is_kept(task, target, features):
    view = ArrayView(synthetic_stimuli(CONCEPTS, test=IMAGES), {"layer": features})
    kept = score(task, view, target).arrays["rdm/layer"]
    means = features.astype(np.float32).reshape(K, IMAGES, -1).mean(axis=1)
    assert kept.dtype == np.float32
    np.testing.assert_allclose(kept, pdist(means, "correlation"), atol=1e-6)


@pytest.mark.parametrize("standardise", ["centre", "zscore"])
def test_features_are_standardised_over_the_concepts_if_a_binding_says_so(
    task, target, features, standardise
):
    view = ArrayView(synthetic_stimuli(CONCEPTS, test=IMAGES), {"layer": features + 3.0})
    means = (features + 3.0).astype(np.float32).reshape(K, IMAGES, -1).mean(axis=1, dtype=np.float64)
    prepared = stats.zscore(means) if standardise == "zscore" else means - means.mean(axis=0)
    expected = [stats.spearmanr(pdist(prepared, "correlation"), squareform(r))[0] for r in target.rdms]
    result = score(task, view, target, standardise=standardise)
    assert plain_score(result, "layer", "spearman") == pytest.approx(np.mean(expected), abs=1e-5)
    with pytest.raises(UsageError, match="standardise is 'twice': expected one of none, centre, zscore"):
        score(task, view, target, standardise="twice")


def test_standard_errors_over_subjects_and_both_change_no_score(task, target, features):
    view = ArrayView(synthetic_stimuli(CONCEPTS, test=IMAGES), {"one": features, "two": features[:, :10]})
    plain = score(task, view, target)
    added = {
        "subjects": {"standard_error_subjects"},
        "both": {"standard_error_subjects", "standard_error_both"},
    }
    for population, names in added.items():
        result = score(task, view, target, population=population)
        for layer in ("one", "two"):
            assert plain.layers[layer].values == {}
            values = result.layers[layer].values
            assert set(values) == names
            assert min(values.values()) > 0
            assert values.get("standard_error_both", 1) >= values["standard_error_subjects"]
            assert result.layers[layer].p == plain.layers[layer].p
            for method in ("spearman", "pearson"):
                assert plain_score(result, layer, method) == plain_score(plain, layer, method)
        assert result.notes == plain.notes


def test_standard_error_over_four_subjects_is_that_of_their_scores(task, target, features):
    """Over new subjects it is the standard deviation of the subjects' correlations over the root of four."""
    view = ArrayView(synthetic_stimuli(CONCEPTS, test=IMAGES), {"layer": features})
    means = features.astype(np.float32).reshape(K, IMAGES, -1).mean(axis=1)
    model = pdist(means, "correlation")
    each = [stats.spearmanr(model, squareform(rdm))[0] for rdm in target.rdms]
    found = score(task, view, target, population="subjects").layers["layer"].values
    # 1,000 draws: the relative standard error of a standard deviation is about 1 / sqrt(2,000).
    assert found["standard_error_subjects"] == pytest.approx(stats.sem(each), rel=0.1)


def test_too_few_subjects_have_no_standard_error_and_a_note(task, target, features):
    view = ArrayView(synthetic_stimuli(CONCEPTS, test=IMAGES), {"layer": features})
    three = RDMTarget("people", CONCEPTS, "h", rdms=target.rdms[:3], subjects=tuple("abc"))
    result = score(task, view, three, population="both")
    assert result.layers["layer"].values == {}
    assert "population is both, with 3 subjects and 16 concepts" in result.notes[-1]
    with pytest.raises(UsageError, match="population"):
        score(task, view, target, population="people")
