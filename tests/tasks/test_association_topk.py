from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from benchmark.calibration import ArrayView, plain_score, synthetic_stimuli
from benchmark.common.errors import NotPossible, UsageError
from benchmark.datasets.join import join
from benchmark.datasets.norms import AssociationTarget
from benchmark.datasets.stimuli import Stimuli
from benchmark.model import Associations

K, V, PEOPLE = 30, 50, 80
CONCEPTS = tuple(f"c{i:02d}" for i in range(K))
HELD = CONCEPTS[20:]
WORDS = tuple(f"w{j:02d}" for j in range(V))
METRICS = (
    "precision_at_10",
    "precision_at_5",
    "recall_at_10",
    "hit_at_1",
    "ndcg_at_10",
    "spearman",
    "reciprocal_rank",
    "retrieval_top1",
    "retrieval_top5",
)


@pytest.fixture
def task(plugin):
    return plugin("association_topk").AssociationTopK()


@pytest.fixture
def rng():
    return np.random.default_rng(2)


@pytest.fixture
def counts(rng):
    """Six kinds of concept; what people say depends on the kind and on the concept."""
    kinds = rng.dirichlet(np.full(V, 0.1), size=6)
    own = rng.dirichlet(np.full(V, 0.1), size=K)
    return np.stack([rng.multinomial(PEOPLE, 0.6 * kinds[i % 6] + 0.4 * own[i]) for i in range(K)])


def target_of(counts, words=WORDS):
    return AssociationTarget(
        "norms",
        CONCEPTS,
        "h",
        columns=words,
        counts=sparse.csr_array(counts),
        respondents=np.asarray(counts.sum(axis=1), dtype=float),
    )


def score(task, view, target, split, seed=1):
    return task.score(view, join(view.stimuli, target), {"split": split}, np.random.default_rng(seed))


def split_stimuli(held=HELD):
    return synthetic_stimuli(CONCEPTS, test=2, train=3, held_out=held)


def signal(counts, rng, noise, images):
    """A random linear map of the strengths, with noise in every image."""
    clean = counts @ rng.standard_normal((V, 60))
    features = np.repeat(clean, images, axis=0)
    return features + noise * clean.std() * rng.standard_normal(features.shape)


def test_a_perfect_head_scores_what_is_possible(task, counts, rng):
    stimuli = split_stimuli()
    head = Associations(WORDS, np.repeat(counts, 5, axis=0).astype(np.float32))
    view = ArrayView(stimuli, {"layer": rng.standard_normal((5 * K, 10))}, head=head)
    for split, scored in (("images", CONCEPTS[:20]), ("classes", HELD)):
        result = score(task, view, target_of(counts), split)
        assert result.headline == "associations"
        assert result.concepts == scored
        for metric in ("hit_at_1", "ndcg_at_10", "reciprocal_rank", "retrieval_top1", "spearman"):
            assert plain_score(result, "associations", metric) == pytest.approx(1.0)
        assert result.layers["associations"].values["median_rank_of_strongest"] == 1.0
        assert result.layers["associations"].p < 0.01


@pytest.mark.parametrize(("split", "held"), [("images", HELD), ("classes", HELD), ("classes", ())])
def test_every_metric_has_its_popularity_and_its_ceiling(task, counts, rng, split, held):
    view = ArrayView(split_stimuli(held), {"layer": signal(counts, rng, 0.3, 5)})
    result = score(task, view, target_of(counts), split)
    assert set(result.chance) == set(result.ceiling) == set(result.layers["layer"].statistics) == set(METRICS)
    assert tuple(metric.name for metric in task.metrics) == METRICS
    for metric in METRICS:
        lower, upper = result.ceiling[metric]
        assert result.chance[metric] < plain_score(result, "layer", metric)
        assert result.chance[metric] < upper
        assert lower <= upper
    assert result.chance["retrieval_top5"] == pytest.approx(5 / K)


def test_popularity_is_the_mean_profile_of_the_training_classes(task, counts, rng):
    """Constant predictions of the head that are the training classes' mean score exactly the chance level."""
    strengths = counts / counts.sum(axis=1, keepdims=True)
    popular = strengths[:20].mean(axis=0)
    head = Associations(WORDS, np.tile(popular, (5 * K, 1)))
    view = ArrayView(split_stimuli(), {"layer": rng.standard_normal((5 * K, 10))}, head=head)
    result = score(task, view, target_of(counts), "classes")
    for metric in METRICS[:-2]:
        assert plain_score(result, "associations", metric) == pytest.approx(result.chance[metric])
    assert result.layers["associations"].p > 0.5


def test_noise_gives_popularity_and_no_more(task, counts, rng):
    view = ArrayView(split_stimuli(()), {"noise": rng.standard_normal((5 * K, 40))})
    result = score(task, view, target_of(counts), "classes")
    assert plain_score(result, "noise", "ndcg_at_10") == pytest.approx(result.chance["ndcg_at_10"], abs=0.1)
    assert result.layers["noise"].p > 0.01


@pytest.mark.parametrize("split", ["images", "classes"])
def test_held_out_targets_do_not_reach_the_readout(task, counts, rng, split, monkeypatch):
    """What people say about held-out classes may change how they are scored, never what is predicted."""
    view = ArrayView(split_stimuli(), {"layer": signal(counts, rng, 0.5, 5)})
    poisoned = counts.copy()
    poisoned[20:] = rng.integers(1, 1000, (K - 20, V))
    counts[0] += 1  # every word has some strength in both, so the vocabulary is the same
    poisoned[0] = counts[0]
    module = __import__("sys").modules[type(task).__module__]
    seen = []
    evaluate = module._evaluate

    def spy(predicted, truth, permutations):
        seen.append(predicted.copy())
        return evaluate(predicted, truth, permutations)

    monkeypatch.setattr(module, "_evaluate", spy)
    for given in (counts, poisoned):
        score(task, view, target_of(given), split)
    np.testing.assert_allclose(seen[0], seen[1], atol=1e-12)


def test_cross_validation_never_fits_on_the_class_it_scores(task, counts, rng, monkeypatch):
    """Poisoning one class changes the predictions of others, and not its own."""
    stimuli = synthetic_stimuli(CONCEPTS)
    view = ArrayView(stimuli, {"layer": signal(counts, rng, 0.5, 1)})
    counts[0] += 1
    poisoned = counts.copy()
    poisoned[7] = rng.integers(1, 1000, V)
    module = __import__("sys").modules[type(task).__module__]
    seen = []
    evaluate = module._evaluate

    def spy(predicted, truth, permutations):
        seen.append(predicted.copy())
        return evaluate(predicted, truth, permutations)

    monkeypatch.setattr(module, "_evaluate", spy)
    for given in (counts, poisoned):
        result = score(task, view, target_of(given), "classes")
    assert result.counts["folds"] == 10
    assert result.concepts == CONCEPTS
    difference = np.abs(seen[0] - seen[1]).max(axis=1)
    assert difference[7] < 1e-12
    assert (difference > 1e-6).sum() >= K - 3  # all but the fold that class 7 is in


def test_test_images_are_not_fitted_and_training_images_not_scored(task, counts, rng):
    stimuli = split_stimuli()
    features = signal(counts, rng, 0.3, 5)
    poisoned = features.copy()
    held_train = np.array(
        [s == "train" and c in HELD for s, c in zip(stimuli.splits, stimuli.concepts, strict=True)]
    )
    poisoned[held_train] = 1e6
    scores = [
        plain_score(
            score(task, ArrayView(stimuli, {"layer": f}), target_of(counts), "classes"), "layer", "ndcg_at_10"
        )
        for f in (features, poisoned)
    ]
    assert scores[0] == scores[1]


def test_order_of_the_stimuli_does_not_matter(task, counts, rng):
    stimuli = split_stimuli()
    features = signal(counts, rng, 0.3, 5)
    order = rng.permutation(len(stimuli))
    shuffled = Stimuli(
        "shuffled",
        tuple(stimuli.ids[i] for i in order),
        tuple(stimuli.concepts[i] for i in order),
        "m",
        splits=tuple(stimuli.splits[i] for i in order),
        held_out=stimuli.held_out,
    )
    for split in ("images", "classes"):
        results = [
            score(task, ArrayView(s, {"layer": f}), target_of(counts), split)
            for s, f in ((stimuli, features), (shuffled, features[order]))
        ]
        for metric in METRICS:
            scores = [plain_score(result, "layer", metric) for result in results]
            assert scores[0] == pytest.approx(scores[1], abs=1e-9)


def test_order_of_the_responses_does_not_matter(task, counts, rng):
    view = ArrayView(split_stimuli(), {"layer": signal(counts, rng, 0.5, 5)})
    order = rng.permutation(V)
    results = [
        score(task, view, target, "classes")
        for target in (
            target_of(counts),
            target_of(counts[:, order], tuple(WORDS[j] for j in order)),
        )
    ]
    for metric in METRICS:
        scores = [plain_score(result, "layer", metric) for result in results]
        assert scores[0] == pytest.approx(scores[1], abs=1e-9)


def test_the_vocabulary_is_the_strongest_words_ties_by_their_text(plugin, counts, monkeypatch):
    module = plugin("association_topk")
    monkeypatch.setattr(module, "_VOCABULARY", 3)
    table = np.zeros((K, 5), dtype=int)
    table[:, 0] = 2  # strongest
    table[0, 1] = table[0, 2] = table[0, 3] = 1  # tied for the two places left
    words, strengths = module._strengths(target_of(table, ("z", "d", "b", "c", "never")))
    assert words == ("z", "b", "c")
    assert strengths.shape == (K, 3)
    assert strengths[0].tolist() == pytest.approx([0.4, 0.2, 0.2])


def test_a_head_is_mapped_onto_the_targets_words(task, counts, rng):
    """Another order, words of its own, and words it does not have."""
    order = rng.permutation(V - 5)
    words = (*(WORDS[j] for j in order), "unheard-of")
    strengths = np.column_stack([counts[:, order], np.full(K, 1000)])
    head = Associations(words, np.repeat(strengths, 5, axis=0).astype(float) * rng.uniform(1, 9, (5 * K, 1)))
    view = ArrayView(split_stimuli(), {"layer": rng.standard_normal((5 * K, 4))}, head=head)
    result = score(task, view, target_of(counts), "images")
    assert plain_score(result, "associations", "retrieval_top5") > 0.9
    absent = sum(counts[:, V - 5 :].sum(axis=0) > 0)
    assert any(note.startswith(f"{absent} of") for note in result.notes)


def test_a_head_of_other_words_is_undefined(task, counts, rng):
    head = Associations(("nothing", "alike"), rng.uniform(size=(5 * K, 2)))
    view = ArrayView(split_stimuli(), {"layer": rng.standard_normal((5 * K, 4))}, head=head)
    result = score(task, view, target_of(counts), "images")
    assert "none of the target's responses" in result.layers["associations"].undefined


def test_a_head_without_held_out_classes_is_scored_on_all_and_says_so(task, counts, rng):
    head = Associations(WORDS, counts.astype(float))
    view = ArrayView(synthetic_stimuli(CONCEPTS), {"layer": rng.standard_normal((K, 4))}, head=head)
    result = score(task, view, target_of(counts), "classes")
    assert result.concepts == CONCEPTS
    assert any("scored on all classes" in note for note in result.notes)
    assert plain_score(result, "associations", "hit_at_1") == 1.0


def test_constant_features_are_undefined(task, counts, rng):
    layers = {"flat": np.full((5 * K, 6), 0.3), "layer": signal(counts, rng, 0.3, 5)}
    result = score(task, ArrayView(split_stimuli(), layers), target_of(counts), "images")
    assert "constant" in result.layers["flat"].undefined
    assert result.layers["layer"].undefined is None


def test_new_images_need_training_images(task, counts, rng):
    view = ArrayView(synthetic_stimuli(CONCEPTS), {"layer": rng.standard_normal((K, 4))})
    with pytest.raises(NotPossible, match="split: classes"):
        score(task, view, target_of(counts), "images")
    with pytest.raises(UsageError, match="images, classes"):
        score(task, view, target_of(counts), "imagse")
