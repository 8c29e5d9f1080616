"""Alignment beside RSA: debiased CKA, mutual nearest neighbours, Procrustes distance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np

from benchmark.calibration import World, standard_controls, vector_world
from benchmark.common.cost import Cost
from benchmark.common.errors import NotPossible
from benchmark.datasets.join import Join
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import RDMTarget, VectorTarget
from benchmark.inference import (
    SubjectKernels,
    mean_statistic,
    noise_ceiling,
    permutation_compare,
    permutations_for,
    rdm_pair_statistic,
    rdm_scoring_cost,
    u_centred,
)
from benchmark.measures import procrustes_distance
from benchmark.measures.alignment import narrowed, neighbour_shares
from benchmark.measures.rdm import unit_rows
from benchmark.representation.concepts import (
    UndefinedFeaturesError,
    concept_images,
    concept_means,
    joined_vectors,
    require_varied,
)
from benchmark.task import Control, LayerResult, Metric, ModelView, Parameter, Task, TaskResult

_FEWEST = 5
#: Number of permutations whose mean Procrustes distance is the chance level
_PROCRUSTES_PERMUTATIONS = 20


class Alignment(Task):
    """Agreement of the kernel and of the neighbours of a model's features with those of a target.

    Features are averaged over a concept's test images. Word vectors are used as they are. An RDM is used as
    the kernel whose squared distances it holds. Scores are averaged over subjects. The Procrustes distance
    needs coordinates. So for word vectors it stands beside the scores, and its chance level is the mean over
    permutations.
    """

    name: ClassVar[str] = "alignment"
    version: ClassVar[int] = 1
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric(
            name="cka",
            label="CKA (debiased)",
            range=(-1.0, 1.0),
            chance="0: expected of features that have nothing to do with the target",
            ceiling="each subject with the mean of the others (lower) and of all (upper), Nili et al. 2014",
        ),
        Metric(
            name="neighbours",
            label="Mutual neighbours",
            range=(0.0, 1.0),
            chance="k / (n - 1): k neighbours drawn at random",
        ),
    )
    target_kinds: ClassVar[tuple[str, ...]] = ("vectors", "rdm")
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "neighbours": Parameter(10, "how many nearest neighbours are compared, at least 1", least=1),
    }
    reference: ClassVar[str] = """@inproceedings{kornblith2019similarity,
  author = {Kornblith, Simon and Norouzi, Mohammad and Lee, Honglak and Hinton, Geoffrey},
  title = {Similarity of Neural Network Representations Revisited},
  booktitle = {International Conference on Machine Learning},
  year = {2019},
}
@inproceedings{huh2024platonic,
  author = {Huh, Minyoung and Cheung, Brian and Wang, Tongzhou and Isola, Phillip},
  title = {The Platonic Representation Hypothesis},
  booktitle = {International Conference on Machine Learning},
  year = {2024},
}"""

    def score(
        self,
        view: ModelView,
        joined: Join[VectorTarget] | Join[RDMTarget],  # type: ignore[override]  # the engine checks
        params: Mapping[str, Any],
        rng: np.random.Generator,
    ) -> TaskResult:
        """Score every layer.

        ``params``: ``neighbours``, the number of nearest neighbours that are compared (10).

        Raises
        ------
        NotPossible
            If there are too few concepts, a word vector is constant, or a concept has no test image.
        UsageError
            If a parameter is unknown, or ``neighbours`` is less than one.
        """
        k = self._neighbours(joined, params)
        n = len(joined.concepts)
        target = _Target.from_join(joined, k)
        images = concept_images(view.stimuli, joined.concepts)
        seed = int(rng.integers(2**63))  # one for all layers, so that a null does not depend on other layers
        layers: dict[str, LayerResult] = {}
        kernels: dict[str, np.ndarray] = {}
        for layer in view.layers:
            means = concept_means(view.features(layer), images)
            try:
                require_varied(means, joined.concepts, "cosine")
                kernel = _centred(_kernel(means), np.abs(means).max() ** 2)
                layers[layer] = _score_layer(means, kernel, target, k, seed)
                kernels[layer] = kernel
            except ValueError as error:
                layers[layer] = LayerResult(undefined=str(error))
        # The Pearson correlation over pairs of kernels without their additive part is the debiased CKA. All
        # layers together: the target is permuted once for all of them.
        if kernels:
            tests = permutation_compare(
                list(kernels.values()), target.kernels[None], permutations_for(n), seed, "pearson"
            )
            for layer, p in zip(kernels, tests.p[:, 0], strict=True):
                layers[layer] = replace(layers[layer], p=float(p))
        several = len(target.kernels) > 1
        return TaskResult(
            concepts=joined.concepts,
            layers=layers,
            chance={"cka": 0.0, "neighbours": k / (n - 1)},
            ceiling={"cka": _ceiling(target.kernels)} if several else {},
            counts={**joined.counts, "neighbours": k, "images": sum(map(len, images))},
        )

    def require(self, stimuli: Stimuli, joined: Join[Any], params: Mapping[str, Any]) -> None:
        """Raise NotPossible if pairs, test images or concepts are missing, or a vector is constant."""
        super().require(stimuli, joined, params)
        self._neighbours(joined, params)
        if not isinstance(joined.target, RDMTarget):
            joined_vectors(joined, _FEWEST)
        concept_images(stimuli, joined.concepts)

    def _neighbours(self, joined: Join[Any], params: Mapping[str, Any]) -> int:
        """The number of neighbours, less than that of the concepts."""
        k: int = self.read(params)["neighbours"]
        n, least = len(joined.concepts), max(_FEWEST, k + 2)
        if n < least:
            raise NotPossible(f"{n} concepts join: {k} neighbours need at least {least}")
        return k

    def cost(self, joined: Join[Any], layers: int, params: Mapping[str, Any]) -> Cost | None:
        """That of the sums over pairs, for the bootstrap, the choice of a layer and the permutations."""
        del params
        n = len(joined.concepts)
        subjects = len(joined.target.rdms) if isinstance(joined.target, RDMTarget) else 1
        return rdm_scoring_cost(n, subjects, layers, permutations_for(n))

    def calibrate(self, rng: np.random.Generator) -> list[Control]:
        """The standard controls. A noisy copy must have the value of the formula of Song et al. (2012)."""
        return standard_controls(self, vector_world, rng, definition=_by_formula)


@dataclass(frozen=True)
class _Target:
    """U-centred kernels (s, n, n), shares of neighbours (s, n, n), and vectors (n, d) or None."""

    kernels: np.ndarray
    neighbours: np.ndarray
    vectors: np.ndarray | None
    subjects: SubjectKernels

    @classmethod
    def from_join(cls, joined: Join[Any], k: int) -> _Target:
        if isinstance(joined.target, RDMTarget):
            rdms = joined.target.rdms
            kernels, similarities, vectors = -rdms / 2, [-rdm / np.abs(rdm).max() for rdm in rdms], None
            scale = float(np.abs(rdms).max())
        else:
            vectors = joined_vectors(joined, _FEWEST)
            kernels, similarities = _kernel(vectors)[None], [_cosines(vectors)]
            scale = float(np.abs(vectors).max()) ** 2
        try:
            centred = np.stack([_centred(kernel, scale) for kernel in kernels])
        except UndefinedFeaturesError as error:
            raise NotPossible(f"target {joined.target.name!r}: {error}") from error
        neighbours = np.stack([_shares(s, k) for s in similarities])
        return cls(centred, neighbours, vectors, SubjectKernels(centred))


def _score_layer(means: np.ndarray, kernel: np.ndarray, target: _Target, k: int, seed: int) -> LayerResult:
    """Everything but p. ``kernel`` is that of the means, without its additive part."""
    shared = np.einsum("ij,sij->si", _shares(_cosines(means), k), target.neighbours) / k
    statistics = {
        "cka": target.subjects.statistic(kernel),
        "neighbours": mean_statistic(shared.mean(axis=0)),
    }
    values = {} if target.vectors is None else _procrustes(means, target.vectors, seed)
    # The additive part is not computed anew: on halves of the concepts that changes the CKA by a thousandth.
    pairs = partial(rdm_pair_statistic, kernel, target.kernels)
    return LayerResult(statistics, values=values, pairs=pairs)


def _kernel(features: np.ndarray) -> np.ndarray:
    centred = features - features.mean(axis=0)
    kernel: np.ndarray = centred @ centred.T
    return kernel


def _centred(kernel: np.ndarray, scale: float) -> np.ndarray:
    """The kernel without its additive part, if anything but rounding is left of values of that ``scale``."""
    centred: np.ndarray = u_centred(kernel)
    if np.ptp(centred) <= 1e-12 * scale:
        raise UndefinedFeaturesError("the kernel is zero without its additive part: CKA undefined")
    return centred


def _cosines(features: np.ndarray) -> np.ndarray:
    unit = unit_rows(features, "features", centre=False)
    cosines: np.ndarray = unit @ unit.T
    return cosines


def _shares(similarity: np.ndarray, k: int) -> np.ndarray:
    return neighbour_shares(similarity, slice(0, len(similarity)), k)


def _procrustes(means: np.ndarray, vectors: np.ndarray, seed: int) -> dict[str, float]:
    features = narrowed(means - means.mean(axis=0))
    rng = np.random.default_rng(seed)
    permuted = [
        procrustes_distance(features[rng.permutation(len(features))], vectors)
        for _ in range(_PROCRUSTES_PERMUTATIONS)
    ]
    return {
        "procrustes": procrustes_distance(features, vectors),
        "procrustes_chance": float(np.mean(permuted)),
    }


def _ceiling(kernels: np.ndarray) -> tuple[float, float]:
    lower, upper = noise_ceiling(kernels, "pearson")
    return lower, upper


def _by_formula(world: World, features: np.ndarray) -> float:
    """Debiased CKA by the formula of Song et al. (2012), for the controls."""
    assert isinstance(world.target, VectorTarget)
    order = [world.target.ids.index(name) for name in sorted(world.target.ids)]
    k, m = (space @ space.T for space in (features, world.target.vectors[order]))

    def hsic(a: np.ndarray, b: np.ndarray) -> float:
        a, b, n = a - np.diag(np.diag(a)), b - np.diag(np.diag(b)), len(a)
        sums = a.sum() * b.sum() / ((n - 1) * (n - 2)) - 2 / (n - 2) * (a @ b).sum()
        return float(np.trace(a @ b) + sums)

    return hsic(k, m) / float(np.sqrt(hsic(k, k) * hsic(m, m)))
