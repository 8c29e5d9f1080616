"""category_clustering: from features and categories to the index; people's own; and its faults."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from sklearn.metrics import roc_auc_score

from benchmark.calibration import ArrayView, plain_score, synthetic_stimuli
from benchmark.common.errors import NotPossible, UsageError
from benchmark.datasets.join import join
from benchmark.datasets.types import RDMTarget
from benchmark.runner.summary import summarise

K = 12
CONCEPTS = tuple(f"c{i:02d}" for i in range(K))
CATEGORIES = ("bird", "tool", None) * 4


@pytest.fixture
def task(plugin):
    return plugin("category_clustering").CategoryClustering()


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def target(rng):
    rdms = np.stack([squareform(pdist(rng.standard_normal((K, 8)))) for _ in range(3)])
    rdms[1, 0, 3] = rdms[1, 3, 0] = np.nan
    return RDMTarget("people", CONCEPTS, "h", rdms=rdms, subjects=tuple("abc"), categories=CATEGORIES)


def score(task, layers, target, images=1, **params):
    stimuli = synthetic_stimuli(CONCEPTS, test=images)
    return task.score(ArrayView(stimuli, layers), join(stimuli, target), params, np.random.default_rng(1))


def area(rdm):
    """The index, by scikit-learn, over the pairs of concepts that have a category."""
    known = [i for i, name in enumerate(CATEGORIES) if name]
    pairs = [(i, j) for i in known for j in known if i < j and not np.isnan(rdm[i, j])]
    return roc_auc_score([CATEGORIES[i] != CATEGORIES[j] for i, j in pairs], [rdm[p] for p in pairs])


def test_the_score_is_the_area_of_the_mean_features_over_images(task, target, rng):
    features = rng.standard_normal((2 * K, 20)).astype(np.float32)
    result = score(task, {"layer": features}, target, images=2)
    rdm = squareform(pdist(features.reshape(K, 2, 20).mean(axis=1, dtype=float), "correlation"))
    assert plain_score(result, "layer", "auc") == pytest.approx(area(rdm), abs=1e-12)
    assert result.concepts == tuple(c for c, name in zip(CONCEPTS, CATEGORIES, strict=True) if name)
    values = result.layers["layer"].values
    assert values["difference"] == pytest.approx(values["between"] - values["within"])
    assert result.counts == {
        **join(synthetic_stimuli(CONCEPTS, test=2), target).counts,
        "categories": 2,
        "without_category": 4,
        "subjects": 3,
        "images": 16,
    }
    assert result.arrays["by_category/layer"].shape == (2,)
    assert result.arrays["concepts_of_category"].tolist() == [4, 4]


def test_concepts_keep_the_names_of_the_stimuli(task, target, rng):
    """Where they join the target on a key, and not on their own name."""
    stimuli = synthetic_stimuli(CONCEPTS)
    own = {f"n{i}": (concept,) for i, concept in enumerate(CONCEPTS)}
    stimuli = replace(stimuli, concepts=tuple(own), keys={"word": own})
    seen = ArrayView(stimuli, {"layer": rng.standard_normal((K, 20))})
    result = task.score(seen, join(stimuli, target, "word"), {}, np.random.default_rng(1))
    assert result.concepts == tuple(f"n{i}" for i, name in enumerate(CATEGORIES) if name)


def test_people_are_scored_as_a_model_is(task, target, rng):
    result = score(task, {"layer": rng.standard_normal((K, 20))}, target)
    lower, upper = result.ceiling["auc"]
    assert lower == pytest.approx(np.mean([area(rdm) for rdm in target.rdms]), abs=1e-12)
    assert upper == pytest.approx(area(np.nanmean(target.rdms, axis=0)), abs=1e-12)
    assert result.chance == {"auc": 0.5}


def test_clusters_are_found_and_a_layer_without_features_is_told(task, target, rng):
    centres = {name: rng.standard_normal(30) for name in set(CATEGORIES)}
    clusters = np.array([centres[name] for name in CATEGORIES]) + 0.1 * rng.standard_normal((K, 30))
    result = score(task, {"flat": np.ones((K, 30)), "clusters": clusters}, target)
    assert "constant features" in result.layers["flat"].undefined
    assert result.layers["clusters"].p < 0.05
    assert result.arrays["by_category/clusters"].tolist() == [1, 1]
    headline = summarise(result, task.metrics, 0).headline
    assert headline.score == 1
    assert 0 < headline.ci_low < headline.ci_high == 1


@pytest.mark.parametrize(
    "categories", [None, (None,) * K, ("bird",) * K, tuple(f"kind {i}" for i in range(K))]
)
def test_without_two_kinds_of_pairs_it_is_not_possible(task, target, rng, categories):
    bare = RDMTarget(
        "people", CONCEPTS, "h", rdms=target.rdms, subjects=target.subjects, categories=categories
    )
    with pytest.raises(NotPossible, match="clusters need two categories, one of them with two concepts"):
        score(task, {"layer": rng.standard_normal((K, 9))}, bare)


def test_a_wrong_recipe_is_refused(task, target, rng):
    with pytest.raises(UsageError, match="metric is 'cosin'"):
        score(task, {"layer": rng.standard_normal((K, 9))}, target, metric="cosin")


@pytest.mark.slow
def test_what_two_models_need_to_be_compared_is_stored(bench, tmp_path):
    cell = bench(
        *("run", "-m", "pixels", "-t", "people_categories", "--format", "json"),
        *("--output", tmp_path / "results"),
    ).cells[0]
    assert cell["status"] == "scored", cell["reason"]
    assert 0.5 < cell["score"] < cell["ceiling_low"] < cell["ceiling_high"]
    file = Path(cell["result_file"])
    changes = np.array(json.loads(file.read_text())["perturbed"], dtype=np.float64)
    assert np.isfinite(changes).all()
    assert changes.any(axis=1).all()
    with np.load(next(file.parent.glob("*.npz"))) as arrays:
        assert len(arrays["categories"]) == 8
