"""Word similarity: whether the concepts of two words are as alike as people say that the words are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from benchmark.calibration import World, exact_control, plain_score, standard_controls, word_pair_world
from benchmark.calibration.definitions import word_similarity_by_definition
from benchmark.common.errors import NotPossible
from benchmark.datasets.join import Join, join
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import WordPairTarget
from benchmark.inference import (
    word_similarity_pair_statistic,
    word_similarity_permutation,
    word_similarity_statistic,
)
from benchmark.measures.compare import is_constant
from benchmark.representation.concepts import (
    UndefinedFeaturesError,
    concept_images,
    concept_means,
    feature_rdm,
)
from benchmark.task import Control, LayerResult, Metric, ModelView, Task, TaskResult

_SPEARMAN = "spearman"
_PERMUTATIONS = 1000
#: With fewer pairs than this a correlation says next to nothing: its 95 % interval is wider than .7
LEAST_PAIRS = 30


class WordSimilarity(Task):
    """Spearman correlation of people's ratings of word pairs with the cosines of a model's concepts.

    The features of a word are the mean over the test images of its concept. A word that names several
    concepts ("bat") is the mean over these concepts: the people who rated it saw the word alone. Only pairs
    of which both words have a concept are compared. (A binding whose ``associations`` rule is centred takes
    away the mean over the concepts that join by a word of their own, also those whose word stands in no
    covered pair.) Words are the units of the interval and of the
    permutations, since the pairs of one word are not independent.
    """

    name: ClassVar[str] = "word_similarity"
    version: ClassVar[int] = 1
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric(
            _SPEARMAN,
            "word similarity (Spearman)",
            (-1.0, 1.0),
            "0: similarities that have nothing to do with the ratings",
        ),
    )
    target_kinds: ClassVar[tuple[str, ...]] = (WordPairTarget.kind,)
    unit: ClassVar[str] = "words"
    reference: ClassVar[str] = """@inproceedings{derby2020encoding,
  author = {Derby, Steven and Miller, Paul and Devereux, Barry},
  title = {Encoding Lexico-Semantic Knowledge using Ensembles of Feature Maps from Deep Convolutional Neural
           Networks},
  booktitle = {Proceedings of the 28th International Conference on Computational Linguistics},
  year = {2020},
}
@article{bruni2014multimodal,
  author = {Bruni, Elia and Tran, Nam Khanh and Baroni, Marco},
  title = {Multimodal Distributional Semantics},
  journal = {Journal of Artificial Intelligence Research},
  year = {2014},
  volume = {49},
  pages = {1--47},
}
@article{hill2015simlex,
  author = {Hill, Felix and Reichart, Roi and Korhonen, Anna},
  title = {{SimLex-999}: Evaluating Semantic Models with (Genuine) Similarity Estimation},
  journal = {Computational Linguistics},
  year = {2015},
  volume = {41},
  number = {4},
  pages = {665--695},
}"""

    def score(
        self,
        view: ModelView,
        joined: Join[WordPairTarget],  # type: ignore[override]  # the engine checks target_kinds
        params: Mapping[str, Any],
        rng: np.random.Generator,
    ) -> TaskResult:
        """Score every layer. There are no ``params``.

        Raises
        ------
        NotPossible
            If fewer than 30 pairs have both words among the concepts, all their ratings are equal, or a
            concept has no test image.
        UsageError
            If a parameter is given.
        """
        self.read(params)
        concepts, target = _covered(view.stimuli, joined)
        several = sum(len(names) > 1 for names in concepts)
        images = concept_images(view.stimuli, _known(concepts))
        edges = np.cumsum([0, *map(len, concepts)])
        groups = [np.arange(low, high) for low, high in pairwise(edges)]
        # One seed for all layers, so that a layer's null does not depend on other layers.
        seed = int(rng.integers(2**63))
        layers: dict[str, LayerResult] = {}
        arrays: dict[str, np.ndarray] = {}
        for layer in view.layers:
            rows = concept_means(concept_means(view.features(layer), images), groups)
            try:
                similarity = 1 - feature_rdm(rows, target.ids, "cosine")
            except UndefinedFeaturesError as error:
                layers[layer] = LayerResult(undefined=str(error))
                continue
            compared = (similarity, target.pairs, target.ratings)
            of_pairs = similarity[target.pairs[:, 0], target.pairs[:, 1]]
            if is_constant(of_pairs):
                layers[layer] = LayerResult(
                    undefined="the same similarity for all pairs: correlation undefined"
                )
                continue
            layers[layer] = LayerResult(
                {_SPEARMAN: word_similarity_statistic(*compared)},
                p=word_similarity_permutation(*compared, _PERMUTATIONS, np.random.default_rng(seed)).p,
                pairs=partial(word_similarity_pair_statistic, *compared),
            )
            arrays[f"similarity/{layer}"] = of_pairs
        return TaskResult(
            concepts=target.ids,
            layers=layers,
            chance={_SPEARMAN: 0.0},
            counts={
                "pairs": len(target.pairs),
                "pairs_listed": len(joined.whole.pairs),
                "pairs_repeated": joined.whole.repeated,
                "words": len(target.ids),
                "words_of_several_concepts": several,
                "ambiguous": 0,
                "images": sum(map(len, images)),
            },
            arrays={**arrays, "pairs": target.pairs},
        )

    def require(self, stimuli: Stimuli, joined: Join[Any], params: Mapping[str, Any]) -> None:
        """Raise NotPossible unless enough pairs are covered, with test images and different ratings."""
        super().require(stimuli, joined, params)
        self.read(params)
        concept_images(stimuli, _known(_covered(stimuli, joined)[0]))

    def calibrate(self, rng: np.random.Generator) -> list[Control]:
        """The standard controls, and ratings turned upside down."""
        return [
            *standard_controls(self, word_pair_world, rng, definition=word_similarity_by_definition),
            self._reversed_control(rng),
        ]

    def _reversed_control(self, rng: np.random.Generator) -> Control:
        world: World = word_pair_world(rng)
        target = world.target
        assert isinstance(target, WordPairTarget)
        turned = WordPairTarget(
            target.name, target.ids, target.hash, pairs=target.pairs[:, ::-1], ratings=-target.ratings
        )
        result = self.score(world.view({"copy": world.copy(rng)}), join(world.stimuli, turned), {}, rng)
        return exact_control("ratings upside down", -1.0, plain_score(result, "copy", _SPEARMAN))


def _known(concepts: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The concepts of all words, one after the other."""
    return tuple(name for names in concepts for name in names)


def _covered(stimuli: Stimuli, joined: Join[WordPairTarget]) -> tuple[list[tuple[str, ...]], WordPairTarget]:
    """The concepts of each word that stands in a covered pair, and the target with these words."""
    whole = joined.whole
    listed = set(whole.ids)
    concepts: dict[str, tuple[str, ...]] = {}
    for concept in stimuli.concept_ids:
        word = next((c for c in stimuli.candidates(concept, joined.on) if c in listed), None)
        if word is not None:
            concepts[word] = (*concepts.get(word, ()), concept)
    known = np.array([word in concepts for word in whole.ids])
    covered = whole.pairs[known[whole.pairs].all(axis=1)]
    if len(covered) < LEAST_PAIRS:
        raise NotPossible(
            f"{len(covered)} of {len(whole.pairs)} pairs of {whole.name!r} have both words among the "
            f"concepts of {stimuli.name!r} ({len(concepts)} of {len(listed)} words); "
            f"at least {LEAST_PAIRS} pairs are needed"
        )
    target = whole.select([whole.ids[row] for row in np.unique(covered)])
    if is_constant(target.ratings):
        raise NotPossible(f"all {len(covered)} covered pairs of {whole.name!r} have the same rating")
    return [concepts[word] for word in target.ids], target
