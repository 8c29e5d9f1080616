"""2 vs 2: tell two concepts apart by their similarities to all other concepts in a word space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import numpy as np

from benchmark.calibration import standard_controls, vector_world
from benchmark.calibration.definitions import two_vs_two_accuracy
from benchmark.datasets.join import Join
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import VectorTarget
from benchmark.inference import PairStatistic, pair_statistic
from benchmark.measures import PermutationTest, two_vs_two, two_vs_two_permutation, weighted_two_vs_two
from benchmark.representation.concepts import (
    concept_images,
    concept_means,
    image_groups,
    joined_vectors,
    require_varied,
)
from benchmark.task import Control, LayerResult, Metric, ModelView, Parameter, Task, TaskResult

#: With fewer concepts, a correlation over the k - 2 remaining concepts has fewer than three values
_FEWEST = 5
#: With more concepts than this, weighting pairs takes gigabytes, and models are not compared
_LARGE = 3000
#: Controls: signal-to-noise ratios at which the accuracy is between one half and one
_SNRS = (0.5, 0.125, 0.03125)

#: For each group the rows of each concept's images
Groups = Sequence[Sequence[np.ndarray]]


class TwoVsTwo(Task):
    """2 vs 2 accuracy over all pairs of concepts.

    A pair passes if the two true assignments of features to words correlate more than the two crossed
    assignments, over the similarities to all other concepts. An exact tie counts one half, and ties are
    counted. The score is the mean over groups of images. By default group i holds image i of every concept
    (in the order of the stimulus ids), and there are as many groups as the concept with fewest test images
    allows. If ``groups`` are given, all test images of a concept are dealt into them, and the features of a
    concept in a group are their mean. Beside the score stand the mean correlation of the true and of the
    crossed assignments, and their difference. They still tell models apart that pass every pair.
    """

    name: ClassVar[str] = "two_vs_two"
    version: ClassVar[int] = 2
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("accuracy", "2 vs 2 accuracy", (0.0, 1.0), "one half: either assignment is as likely"),
    )
    target_kinds: ClassVar[tuple[str, ...]] = ("vectors",)
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "permutations": Parameter(1000, "how many permutations the p-value is from, at least 1", least=1),
        "groups": Parameter(
            0,
            "into how many groups all images of each concept are dealt; 0: one image a group, in the order "
            "of the ids, as many groups as every concept has images",
            least=0,
        ),
        "group_seed": Parameter(
            0, "seed that decides which image goes into which group, at least 0", least=0
        ),
    }
    reference: ClassVar[str] = """@inproceedings{dharmaretnam2018emergence,
  author = {Dharmaretnam, Dhanush and Fyshe, Alona},
  title = {The Emergence of Semantics in Neural Network Representations of Visual Information},
  booktitle = {Proceedings of NAACL-HLT},
  year = {2018},
}"""

    def score(
        self,
        view: ModelView,
        joined: Join[VectorTarget],  # type: ignore[override]  # the engine checks target_kinds
        params: Mapping[str, Any],
        rng: np.random.Generator,
    ) -> TaskResult:
        """Score every layer.

        ``params``: ``permutations``, the number of permutations of the p-value (1,000); ``groups`` and
        ``group_seed`` (:func:`benchmark.representation.concepts.image_groups`).

        Raises
        ------
        NotPossible
            If fewer than five concepts join, a word vector is constant, or a concept has no test image, or
            fewer than there are groups.
        UsageError
            If a parameter is unknown or out of range.
        """
        chosen = self.read(params)
        permutations = chosen["permutations"]
        words = joined_vectors(joined, _FEWEST)
        groups = _groups(view.stimuli, joined.concepts, chosen["groups"], chosen["group_seed"])
        seed = int(rng.integers(2**63))
        layers: dict[str, LayerResult] = {}
        arrays: dict[str, np.ndarray] = {}
        for layer in view.layers:
            result, per_concept = _score_layer(
                words, view.features(layer), groups, joined.concepts, permutations, seed
            )
            layers[layer] = replace(result, pairs=partial(_score_of_pairs, words, view, layer, groups))
            if per_concept is not None:
                arrays[f"per_concept/{layer}"] = per_concept
        k = len(joined.concepts)
        return TaskResult(
            concepts=joined.concepts,
            layers=layers,
            chance={"accuracy": 0.5},
            counts={**joined.counts, "groups": len(groups), "pairs": k * (k - 1) // 2},
            arrays=arrays,
        )

    def require(self, stimuli: Stimuli, joined: Join[Any], params: Mapping[str, Any]) -> None:
        """Raise NotPossible if too few concepts or images are there, or a word vector is constant."""
        super().require(stimuli, joined, params)
        chosen = self.read(params)
        joined_vectors(joined, _FEWEST)
        _groups(stimuli, joined.concepts, chosen["groups"], chosen["group_seed"])

    def calibrate(self, rng: np.random.Generator) -> list[Control]:
        """The standard controls. A noisy copy must have the accuracy of the definition, pair by pair."""
        return standard_controls(self, vector_world, rng, definition=two_vs_two_accuracy, snrs=_SNRS)


def _groups(stimuli: Stimuli, concepts: Sequence[str], groups: int, seed: int) -> Groups:
    """The images of each concept in each group."""
    if groups != 0:
        return image_groups(stimuli, concepts, groups, seed)
    images = concept_images(stimuli, concepts)
    return [tuple(rows[i : i + 1] for rows in images) for i in range(min(map(len, images)))]


def _score_of_pairs(words: np.ndarray, view: ModelView, layer: str, groups: Groups) -> PairStatistic:
    """The mean accuracy over groups as a function of the weights of pairs. NaN for too many concepts."""
    if len(words) > _LARGE:
        return lambda weights: float("nan")  # noqa: ARG005 - no weight gives a score
    features = view.features(layer)
    return weighted_two_vs_two(words, np.stack([concept_means(features, group) for group in groups]))


def _score_layer(
    words: np.ndarray,
    features: np.ndarray,
    groups: Groups,
    concepts: Sequence[str],
    permutations: int,
    seed: int,
) -> tuple[LayerResult, np.ndarray | None]:
    """Result of one layer, and its accuracy per concept (k,)."""
    k = len(words)
    passes = np.zeros((k, k))
    per_concept = np.zeros(k)
    null = np.zeros(permutations)
    ties, matched, difference = 0, 0.0, 0.0
    for images in groups:
        group = concept_means(features, images)
        try:
            require_varied(group, concepts)
            result_of_group = two_vs_two(words, group, margins=True)
        except ValueError as error:
            return LayerResult(undefined=str(error)), None
        passes += result_of_group.outcomes
        per_concept += result_of_group.per_concept
        ties += result_of_group.ties
        assert result_of_group.matched is not None
        assert result_of_group.margins is not None
        matched += float(np.nanmean(result_of_group.matched)) / len(groups)
        difference += float(np.nanmean(result_of_group.margins)) / 2 / len(groups)
        # Every group has the same permutations, so that the null is that of the mean over groups.
        null += two_vs_two_permutation(words, group, permutations, np.random.default_rng(seed)).null
    passes /= len(groups)
    test = PermutationTest.of(passes[np.triu_indices(k, 1)].mean(), null / len(groups))
    values = {
        "ties": float(ties),
        "matched": matched,
        "mismatched": matched - difference,
        "difference": difference,
    }
    result = LayerResult({"accuracy": pair_statistic(passes)}, p=test.p, values=values)
    return result, (per_concept / len(groups)).astype(np.float32)
