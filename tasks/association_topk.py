"""Association top-k: agreement of the strongest predicted associates with the words that people give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from benchmark.calibration import ArrayView, association_world, exact_control, plain_score, standard_controls
from benchmark.calibration.definitions import class_retrieval
from benchmark.common.errors import NotPossible
from benchmark.datasets.join import Join, join
from benchmark.datasets.names import nfc
from benchmark.datasets.norms import AssociationTarget
from benchmark.datasets.stimuli import Stimuli
from benchmark.inference import mean_statistic
from benchmark.measures import ranking
from benchmark.measures.ranking import Ranking
from benchmark.model import Associations
from benchmark.representation.concepts import concept_means
from benchmark.representation.readout import ClassReadouts, Fold, class_folds
from benchmark.task import Control, LayerResult, Metric, ModelView, Parameter, Task, TaskResult

HEAD = "associations"
_VOCABULARY = 5000
#: Random halvings of the respondents for the ceiling
_HALVES = 4
#: Values of k for class retrieval
_RETRIEVED = (1, 5)
_PERMUTATIONS = 1000
#: A word is kept in profiles for a page if it is one of this many strongest of a class
_SHOWN = 20
#: Controls: signal-to-noise ratios at which class retrieval is between chance and certainty
_SNRS = (1.0, 0.1, 0.03)

_CEILING = "half of the respondents with the other half (lower) and with all of them (upper)"
_POPULARITY = "popularity baseline: the mean profile of the training classes, for every class"


def _metric(name: str, label: str, least: float = 0.0) -> Metric:
    return Metric(name, label, (least, 1.0), _POPULARITY, _CEILING)


def _retrieval(k: int) -> Metric:
    return Metric(f"retrieval_top{k}", f"class retrieval top {k}", (0.0, 1.0), f"{k} / classes", _CEILING)


@dataclass(frozen=True)
class _Truth:
    """The truth that predictions for the scored classes are compared with.

    Attributes
    ----------
    strengths : ndarray, shape (n, v)
        True strengths of the scored classes.
    profiles : ndarray, shape (k, v)
        True strengths of all joined classes, the candidates of class retrieval.
    rows : ndarray of int, shape (n,)
        Row of ``profiles`` of each scored class.
    ranks : Ranking
        Ranks of ``strengths``.
    relevant : mapping of int to ndarray of bool, shape (n, v)
        By k, the responses that are relevant for precision at k.
    """

    strengths: np.ndarray
    profiles: np.ndarray
    rows: np.ndarray
    ranks: Ranking
    relevant: Mapping[int, np.ndarray]

    @classmethod
    def from_profiles(cls, profiles: np.ndarray, rows: np.ndarray) -> _Truth:
        strengths = profiles[rows]
        relevant = {k: ranking.strongest(strengths, k) for k in (1, 5, 10)}
        return cls(strengths, profiles, rows, Ranking.of(strengths), relevant)


class AssociationTopK(Task):
    """Predicted association profile of each class against the strengths that people give.

    *Vocabulary*: the responses with the greatest total strength over the joined cues, at most 5,000. The
    strength of a response is its count divided by the number of respondents of its cue. Predictions are
    averaged over the test images of a class. For precision at k, the k strongest responses of the cue are
    *relevant*, with all that are tied with the k-th. For recall, every given response is relevant. Ties in a
    prediction are broken at random, in expectation.

    A layer takes part through a ridge readout. The readout is fitted on features of the training images only,
    and its penalty is chosen by leave-one-out within them. ``split: images`` scores new images of the classes
    that the readout was fitted on. ``split: classes`` scores other classes: those that the stimuli hold out,
    or, if they hold out none, each class in turn by 10-fold cross-validation. A model's own association head
    is the layer "associations" and the headline, and it is not fitted. Class retrieval is among all joined
    classes. The p-value is from a permutation of the classes. So it requires more than popularity gives.
    """

    name: ClassVar[str] = "association_topk"
    version: ClassVar[int] = 2
    metrics: ClassVar[tuple[Metric, ...]] = (
        _metric("precision_at_10", "precision@10"),
        _metric("precision_at_5", "precision@5"),
        _metric("recall_at_10", "recall@10"),
        _metric("hit_at_1", "hit@1"),
        _metric("ndcg_at_10", "nDCG@10"),
        _metric("spearman", "Spearman over the vocabulary", least=-1.0),
        _metric("reciprocal_rank", "reciprocal rank of the strongest associate"),
        *map(_retrieval, _RETRIEVED),
    )
    target_kinds: ClassVar[tuple[str, ...]] = ("associations",)
    #: A readout is fitted to the layer "output", and logits are what a linear map can read
    association_rule: ClassVar[str] = "logits"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "split": Parameter(
            "images",
            "images: new images of known classes are scored; classes: classes that are held out",
            choices=("images", "classes"),
        ),
    }
    reference: ClassVar[str] = """@article{dedeyne2019small,
  author = {De Deyne, Simon and Navarro, Danielle J. and Perfors, Amy and Brysbaert, Marc and Storms, Gert},
  title = {The ``Small World of Words'' {English} word association norms for over 12,000 cue words},
  journal = {Behavior Research Methods},
  year = {2019},
  volume = {51},
  pages = {987--1006},
}"""

    def score(
        self,
        view: ModelView,
        joined: Join[AssociationTarget],  # type: ignore[override]  # the engine checks target_kinds
        params: Mapping[str, Any],
        rng: np.random.Generator,
    ) -> TaskResult:
        """Score every layer, and the association head if there is one.

        ``params``: ``split``, "images" or "classes".

        Raises
        ------
        NotPossible
            If the stimuli have no images to fit on, or too few classes.
        UsageError
            If a parameter is unknown.
        """
        split = self.read(params)["split"]
        seeds = rng.integers(2**63, size=3)
        folds = class_folds(view.stimuli, joined.concepts, split, np.random.default_rng(seeds[0]))
        scored = np.sort(np.concatenate([fold.test for fold in folds]))
        words, strengths = _strengths(joined.target)
        gram = strengths @ strengths.T
        truth = _Truth.from_profiles(strengths, scored)
        orders = np.random.default_rng(seeds[1])
        permutations = np.stack([orders.permutation(len(scored)) for _ in range(_PERMUTATIONS)])

        readouts = ClassReadouts(view.stimuli, joined.concepts, folds, by_image=split == "images")
        layers: dict[str, LayerResult] = {}
        arrays: dict[str, np.ndarray] = {}
        best: tuple[float, str, np.ndarray] | None = None
        for layer in view.layers:
            try:
                coefficients, alpha = readouts.fit(view.features(layer), gram)
            except ValueError as error:
                layers[layer] = LayerResult(undefined=str(error))
                continue
            predicted = coefficients[scored] @ strengths
            layer_result, scores = _evaluate(predicted, truth, permutations)
            layers[layer] = LayerResult(
                layer_result.statistics, layer_result.p, {**layer_result.values, "alpha": alpha}
            )
            arrays[f"per_concept/{layer}"] = scores
            if best is None or np.mean(scores) > best[0]:
                best = (float(np.mean(scores)), layer, predicted)
        notes: list[str] = []
        head = view.associations()
        if head is not None:
            layers[HEAD], note, predicted = _score_head(
                head, readouts.test_images, scored, words, truth, permutations
            )
            notes += note
            if layers[HEAD].undefined is None:
                best = (np.inf, HEAD, predicted)
            if not view.stimuli.held_out and view.stimuli.splits is None:
                notes.append("the association head was scored on all classes: none is held out from it")
        concepts = tuple(joined.concepts[i] for i in scored)
        if best is not None:
            arrays |= _profiles_shown(best[1], best[2], truth.strengths, words)
            arrays["held_out"] = np.array([concept in view.stimuli.held_out for concept in concepts])
        return TaskResult(
            concepts=concepts,
            layers=layers,
            chance=_popularity(folds, strengths, truth),
            ceiling=_ceiling(joined.target, words, scored, np.random.default_rng(seeds[2])),
            headline=HEAD if head is not None else None,
            counts={
                **joined.counts,
                "classes_scored": len(scored),
                "classes_fitted": min(len(fold.train) for fold in folds),
                "folds": len(folds),
                "vocabulary": len(words),
            },
            arrays=arrays,
            notes=notes,
        )

    def require(self, stimuli: Stimuli, joined: Join[Any], params: Mapping[str, Any]) -> None:
        """Raise NotPossible unless people answered a joined cue, and a readout has classes and images."""
        super().require(stimuli, joined, params)
        split = self.read(params)["split"]
        folds = class_folds(stimuli, joined.concepts, split, np.random.default_rng(0))
        ClassReadouts(stimuli, joined.concepts, folds, by_image=split == "images")
        _strengths(joined.target)

    def calibrate(self, rng: np.random.Generator) -> list[Control]:
        """The standard controls by class retrieval, and two heads whose headline is known exactly.

        A noisy copy must have the retrieval of scikit-learn's ridge readout. The chance level of precision is
        popularity, and features without information do not reach it, because their readout is a little off.
        So precision is checked with a head that knows the strengths, and with one that knows only popularity.
        """
        controls = standard_controls(
            self,
            association_world,
            rng,
            definition=class_retrieval,
            metric="retrieval_top1",
            snrs=_SNRS,
            params={"split": "images"},
        )
        world = association_world(rng)
        assert isinstance(world.target, AssociationTarget)
        words, strengths = _strengths(world.target)
        shown = world.target.rows(world.stimuli.concepts)
        popular = np.broadcast_to(strengths.mean(axis=0), strengths.shape)
        metric = self.metrics[0]
        for name, known in (("the strengths", strengths), ("popularity", popular)):
            view = ArrayView(world.stimuli, {}, head=Associations(words, known[shown]))
            result = self.score(view, join(world.stimuli, world.target), {"split": "images"}, rng)
            expected = 1.0 if known is strengths else result.chance[metric.name]
            score = plain_score(result, HEAD, metric.name)
            controls.append(exact_control(f"head that knows {name}: {metric.label}", expected, score))
        return controls


def _strengths(target: AssociationTarget) -> tuple[tuple[str, ...], np.ndarray]:
    """The vocabulary, in the order of the target's columns, and the strengths (k, v) over it."""
    counts = sparse.csr_array(target.counts)
    people = np.maximum(np.asarray(target.respondents, dtype=np.float64), 1)
    strengths = sparse.csc_array(counts.multiply(1 / people[:, None]))
    total = np.asarray(strengths.sum(axis=0)).ravel()
    place = Ranking.of(total[None]).first[0]  # sums that differ by rounding are tied
    order = sorted(np.flatnonzero(total > 0), key=lambda j: (place[j], target.columns[j]))
    if not order:
        raise NotPossible(f"target {target.name!r}: no response was given to any joined cue")
    kept = np.sort(np.array(order[:_VOCABULARY]))
    return tuple(target.columns[j] for j in kept), strengths[:, kept].toarray()


def _measures(predicted: np.ndarray, ranks: Ranking, truth: _Truth) -> dict[str, np.ndarray]:
    """Every metric for every scored class, (n,) each, for a prediction (n, v) and its ranking."""
    strengths = truth.strengths
    nearest = [min(k, len(truth.profiles)) for k in _RETRIEVED]
    retrieved = ranking.retrieval_hits(predicted, truth.profiles, truth.rows, nearest)
    return {
        "precision_at_10": ranking.precision_at_k(ranks, truth.relevant[10], 10),
        "precision_at_5": ranking.precision_at_k(ranks, truth.relevant[5], 5),
        "recall_at_10": ranking.recall_at_k(ranks, strengths > 0, 10),
        "hit_at_1": ranking.precision_at_k(ranks, truth.relevant[1], 1),
        "ndcg_at_10": ranking.ndcg_at_k(ranks, strengths, 10),
        "spearman": ranking.spearman_rows(ranks, truth.ranks),
        "reciprocal_rank": ranking.reciprocal_rank_of_strongest(ranks, strengths),
        **{f"retrieval_top{k}": hits for k, hits in zip(_RETRIEVED, retrieved, strict=True)},
    }


def _evaluate(
    predicted: np.ndarray, truth: _Truth, permutations: np.ndarray
) -> tuple[LayerResult, np.ndarray]:
    """Result of one prediction (n, v), and its precision at 10 for each class."""
    ranks = Ranking.of(predicted)
    values = _measures(predicted, ranks, truth)
    top = ranks.in_top(10).astype(np.float32)
    crossed = top @ truth.relevant[10].T.astype(np.float32) / 10
    null = crossed[np.arange(len(crossed)), permutations].mean(axis=1)
    reached = np.count_nonzero(null >= np.diagonal(crossed).mean() - 1e-6)
    result = LayerResult(
        {name: mean_statistic(value) for name, value in values.items()},
        p=float((1 + reached) / (1 + len(permutations))),
        values={
            "median_rank_of_strongest": float(np.nanmedian(ranking.rank_of_strongest(ranks, truth.strengths)))
        },
    )
    return result, values["precision_at_10"].astype(np.float32)


def _score_head(
    head: Associations,
    images: Mapping[int, np.ndarray],
    scored: np.ndarray,
    words: tuple[str, ...],
    truth: _Truth,
    permutations: np.ndarray,
) -> tuple[LayerResult, list[str], np.ndarray]:
    """Result of the model's own associations, notes, and its strengths (n, v) over the vocabulary."""
    known = {nfc(word): j for j, word in enumerate(head.vocabulary)}
    columns = np.array([known.get(word, -1) for word in words])
    if not (columns >= 0).any():
        nothing = np.zeros_like(truth.strengths)
        return LayerResult(undefined="the association head has none of the target's responses"), [], nothing
    # Only ratios within a row have a meaning. So every image gets the same weight in the mean of its class.
    strengths = np.asarray(head.strengths, dtype=np.float64)
    total = np.abs(strengths).sum(axis=1, keepdims=True)
    strengths = strengths / np.where(total > 0, total, 1)
    means = concept_means(strengths, [images[i] for i in scored])
    predicted = np.where(columns >= 0, means[:, columns], means.min(axis=1, keepdims=True))
    result, _ = _evaluate(predicted, truth, permutations)
    absent = int((columns < 0).sum())
    note = [f"{absent} of {len(words)} responses are not in the head's vocabulary: least strength"]
    return result, note if absent else [], predicted


def _profiles_shown(
    layer: str, predicted: np.ndarray, strengths: np.ndarray, words: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Profiles of a layer and of people (n, w), for a page: over the words that lead one of them."""
    shown = min(_SHOWN, len(words))
    kept = (ranking.strongest(predicted, shown) | ranking.strongest(strengths, shown)).any(axis=0)
    return {
        "vocabulary": np.array(words)[kept],
        f"profiles/{layer}": predicted[:, kept].astype(np.float32),
        "profiles_people": strengths[:, kept].astype(np.float32),
    }


def _popularity(folds: list[Fold], strengths: np.ndarray, truth: _Truth) -> dict[str, float]:
    """Chance levels: every metric of the popularity baseline, and k / classes for class retrieval."""
    predicted = np.zeros_like(strengths)
    for fold in folds:
        predicted[fold.test] = strengths[fold.train].mean(axis=0)
    predicted = predicted[truth.rows]
    chance = _means(_measures(predicted, Ranking.of(predicted), truth))
    for k in _RETRIEVED:
        chance[f"retrieval_top{k}"] = min(k / len(strengths), 1.0)
    return chance


def _ceiling(
    target: AssociationTarget, words: tuple[str, ...], scored: np.ndarray, rng: np.random.Generator
) -> dict[str, tuple[float, float]]:
    """Each metric for half of the respondents, against the other half and against all; mean over halvings."""
    counts = sparse.csr_array(target.counts)
    counts.sum_duplicates()
    if np.any(counts.data != np.rint(counts.data)):
        return {}  # weighted counts are not people, so they cannot be split
    column = {word: j for j, word in enumerate(target.columns)}
    kept = np.array([column[word] for word in words])
    everyone = _Truth.from_profiles(_profiles(counts, kept), scored)
    lower: list[dict[str, float]] = []
    upper: list[dict[str, float]] = []
    for _ in range(_HALVES):
        half = counts.copy()
        half.data = np.concatenate(
            [
                _draw_half(counts.data[a:b], rng)
                for a, b in zip(counts.indptr, counts.indptr[1:], strict=False)
            ]
        )
        predicted = _profiles(half, kept)[scored]
        others = _Truth.from_profiles(_profiles(sparse.csr_array(counts - half), kept), scored)
        ranks = Ranking.of(predicted)
        lower.append(_means(_measures(predicted, ranks, others)))
        upper.append(_means(_measures(predicted, ranks, everyone)))
    # Recall can be greater against the other half, which also gave fewer responses than all respondents.
    bounds = {name: sorted((_mean_of(lower, name), _mean_of(upper, name))) for name in lower[0]}
    return {name: (low, high) for name, (low, high) in bounds.items()}


def _mean_of(splits: list[dict[str, float]], name: str) -> float:
    return float(np.mean([split[name] for split in splits]))


def _draw_half(counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Counts of a random half of the responses in ``counts``."""
    people = np.rint(counts).astype(np.int64)
    return rng.multivariate_hypergeometric(people, int(people.sum()) // 2, method="marginals")


def _profiles(counts: sparse.csr_array, kept: np.ndarray) -> np.ndarray:
    """Share of each kept response among all responses to its cue, (k, v)."""
    total = np.maximum(np.asarray(counts.sum(axis=1)).ravel(), 1)
    profiles: np.ndarray = sparse.csc_array(counts)[:, kept].toarray() / total[:, None]
    return profiles


def _means(values: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Mean of each metric over the classes for which it is defined."""
    return {
        name: float(np.nanmean(value)) if np.isfinite(value).any() else float("nan")
        for name, value in values.items()
    }
