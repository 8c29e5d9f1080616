"""word_similarity: from features and a list to the correlation; words of several concepts; and its faults."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import cosine
from scipy.stats import spearmanr

from benchmark.calibration import ArrayView, plain_score, synthetic_stimuli
from benchmark.common.errors import NotPossible, UsageError
from benchmark.datasets.join import join
from benchmark.datasets.types import WordPairTarget

WORDS = tuple(f"w{i:02d}" for i in range(20))


@pytest.fixture
def task(plugin):
    return plugin("word_similarity").WordSimilarity()


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def target(rng):
    pairs = rng.permutation(np.stack(np.triu_indices(20, 1), axis=1))[:80]
    return WordPairTarget("list", WORDS, "h", pairs=pairs, ratings=rng.random(80), repeated=3)


def score(task, stimuli, features, target, on=None):
    view = ArrayView(stimuli, {"layer": features})
    return task.score(view, join(stimuli, target, on), {}, np.random.default_rng(1))


def test_the_score_is_the_correlation_over_the_pairs_that_are_covered(task, target, rng):
    stimuli = synthetic_stimuli(WORDS[:15], test=2)
    features = rng.standard_normal((30, 8))
    result = score(task, stimuli, features, target)
    means = dict(
        zip(WORDS, features.astype(np.float32).reshape(15, 2, 8).mean(axis=1, dtype=float), strict=False)
    )
    pairs = [(WORDS[a], WORDS[b], r) for (a, b), r in zip(target.pairs, target.ratings, strict=True)]
    covered = [(a, b, r) for a, b, r in pairs if a in means and b in means]
    expected = spearmanr(
        [-cosine(means[a], means[b]) for a, b, _ in covered], [r for *_, r in covered]
    ).statistic
    assert plain_score(result, "layer", "spearman") == pytest.approx(expected, abs=1e-6)
    assert result.counts["pairs"] == len(covered) == len(result.arrays["pairs"])
    assert result.counts["pairs_listed"] == 80
    assert result.counts["pairs_repeated"] == 3
    assert result.counts["words"] == len(result.concepts) == len({w for a, b, _ in covered for w in (a, b)})
    assert result.chance == {"spearman": 0.0}


def test_a_word_of_several_concepts_is_their_mean(task, target, rng):
    features = rng.standard_normal((21, 8))
    names = {f"{word}-1": (word,) for word in WORDS} | {"w00-2": ("w00",)}
    stimuli = replace(synthetic_stimuli(tuple(names)), keys={"name": names})
    result = score(task, stimuli, features, target, "name")
    assert result.counts["words_of_several_concepts"] == 1
    assert result.counts["pairs"] == 80
    together = features[:20].copy()
    together[0] = features[[0, 20]].mean(axis=0)
    plain = score(task, synthetic_stimuli(WORDS), together, target)
    found = [plain_score(r, "layer", "spearman") for r in (result, plain)]
    assert found[0] == pytest.approx(found[1], abs=1e-6)
    assert result.concepts == plain.concepts


def test_too_few_pairs_are_not_possible(task, target, rng):
    with pytest.raises(NotPossible, match=r"of 80 pairs of 'list' .*\(8 of 20 words\); at least 30 pairs"):
        score(task, synthetic_stimuli(WORDS[:8]), rng.standard_normal((8, 4)), target)


def test_too_few_pairs_are_found_before_features_are_extracted(task, target):
    stimuli = synthetic_stimuli(WORDS[:8])
    with pytest.raises(NotPossible, match="at least 30 pairs"):
        task.require(stimuli, join(stimuli, target), {})
    task.require(synthetic_stimuli(WORDS), join(synthetic_stimuli(WORDS), target), {})


def test_a_list_without_overlap_is_not_possible(task, target, rng):
    with pytest.raises(NotPossible, match="only 0 concepts of 'synthetic' join target 'list'"):
        score(task, synthetic_stimuli(("a", "b", "c")), rng.standard_normal((3, 4)), target)


def test_undefined_layers_and_ratings_say_why(task, target):
    stimuli = synthetic_stimuli(WORDS)
    result = score(task, stimuli, np.ones((20, 4)), target)
    assert "constant features" in result.layers["layer"].undefined
    with pytest.raises(NotPossible, match="all 80 covered pairs of 'list' have the same rating"):
        score(task, stimuli, np.eye(20), replace(target, ratings=np.ones(80)))
    with pytest.raises(UsageError, match="unknown parameter 'metric'"):
        task.score(ArrayView(stimuli, {}), join(stimuli, target), {"metric": "cosine"}, None)
