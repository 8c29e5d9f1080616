"""veRSA: the RDM of predicted responses beside that of the measured ones, on held-out concepts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from benchmark.calibration import (
    response_world,
    standard_controls,
)
from benchmark.calibration.definitions import versa_correlation
from benchmark.datasets.join import Join
from benchmark.datasets.responses import ResponseTarget
from benchmark.datasets.stimuli import Stimuli
from benchmark.inference import (
    FittedScores,
    FoldedRDMs,
    fitted_scores,
)
from benchmark.measures import (
    HeldOutRidge,
    compare_rdms,
    rdm,
)
from benchmark.representation.concepts import (
    concept_means,
    feature_rdm,
)
from benchmark.representation.rows import ResponseRows, dealt_folds
from benchmark.task import Control, LayerResult, Metric, ModelView, Parameter, Task, TaskResult

_SPEARMAN, _PEARSON, _GAIN = "spearman", "pearson", "gain"
#: Permutations, each of which is fitted again
_PERMUTATIONS = 20
#: Worlds of a control, fewer than elsewhere: each layer is fitted a hundred times
_REPLICATES = 8


def _metrics(ceiling: str) -> tuple[Metric, ...]:
    return (
        *(
            Metric(
                method,
                f"fitted RDM {method.capitalize()}, test stimuli",
                (-1.0, 1.0),
                "0: a target with its stimuli permuted",
                ceiling,
            )
            for method in (_SPEARMAN, _PEARSON)
        ),
        Metric(_GAIN, "gain in Spearman over the RDM without a fit", (-2.0, 2.0), "0: the fit adds nothing"),
    )


class VeRSA(Task):
    """veRSA: the RDM of predicted responses beside that of the measured ones, on held-out concepts.

    Channels are predicted as in ``encoding``. Predicted and measured responses are averaged over a concept's
    images; each channel is scaled by the mean and the standard deviation of what was measured. The RDM is
    1 - correlation over channels, of the test concepts of one fold.
    """

    name: ClassVar[str] = "versa"
    version: ClassVar[int] = 1
    metrics: ClassVar[tuple[Metric, ...]] = _metrics(
        "the square root of the reliability of the measured RDM, from halves of the repeats"
    )
    target_kinds: ClassVar[tuple[str, ...]] = ("responses",)
    simulations: ClassVar[int] = 5
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "folds": Parameter(5, "number of folds over concepts"),
    }
    reference: ClassVar[str] = """@article{conwell2024large,
  author = {Conwell, Colin and Prince, Jacob S. and Kay, Kendrick N. and Alvarez, George A.
            and Konkle, Talia},
  title = {A large-scale examination of inductive biases shaping high-level visual representation in brains
           and machines},
  journal = {Nature Communications},
  year = {2024},
  volume = {15},
  pages = {9383},
}"""

    def score(
        self,
        view: ModelView,
        joined: Join[ResponseTarget],  # type: ignore[override]  # the engine checks target_kinds
        params: Mapping[str, Any],
        rng: np.random.Generator,
    ) -> TaskResult:
        """Score every layer.

        ``params``: those of :attr:`parameters`.

        Raises
        ------
        NotPossible
            If there are too few concepts for the folds, or a concept has no (measured) test image.
        UsageError
            If a parameter is unknown or not valid.
        """
        recipe = self.read(params)
        rows = ResponseRows.of(view.stimuli, joined)
        fold_seed, seed = (int(drawn) for drawn in rng.integers(2**63, size=2))
        folds = dealt_folds(rows.concepts, recipe["folds"], fold_seed, self.name)
        responses = joined.target.responses[rows.of_target]
        spread = responses.std(axis=0)
        measured = (responses - responses.mean(axis=0)) / np.where(spread > 0, spread, 1)
        layers: dict[str, LayerResult] = {}
        for layer in view.layers:
            try:
                features = rows.features(view.features(layer))
                fitted = _Predicted(HeldOutRidge(features, folds, rows.concepts), measured, folds, rows)
                plain = feature_rdm(concept_means(features, fitted.members), joined.concepts)
                scores = fitted_scores(
                    fitted.folded(measured), plain, fitted.target[None], fitted.permuted, _PERMUTATIONS, seed
                )
            except ValueError as error:
                layers[layer] = LayerResult(undefined=str(error))
                continue
            layers[layer] = _layer(scores)
        ceiling = _halves_ceiling(joined.target.repeats[rows.of_target], _members(rows))
        return TaskResult(
            concepts=joined.concepts,
            layers=layers,
            chance=dict.fromkeys((_SPEARMAN, _PEARSON, _GAIN), 0.0),
            ceiling=ceiling,
            counts={**joined.counts, "channels": len(joined.target.channels), "images": len(rows.concepts)},
            notes=[] if ceiling else ["a stimulus has one repeat: there is no noise ceiling"],
        )

    def require(self, stimuli: Stimuli, joined: Join[Any], params: Mapping[str, Any]) -> None:
        """Raise NotPossible if there are too few concepts, or one has no (measured) test image."""
        super().require(stimuli, joined, params)
        rows = ResponseRows.of(stimuli, joined)
        dealt_folds(rows.concepts, self.read(params)["folds"], 0, self.name)

    def calibrate(self, rng: np.random.Generator) -> list[Control]:
        """The standard controls; a noisy copy is compared with scikit-learn's ridge, in folds of its own."""
        return standard_controls(
            self, response_world, rng, definition=versa_correlation, replicates=_REPLICATES
        )


class _Predicted:
    """Predictions of responses, and the RDMs of their means over the images of each concept."""

    def __init__(
        self, ridge: HeldOutRidge, measured: np.ndarray, folds: np.ndarray, rows: ResponseRows
    ) -> None:
        self._ridge, self._measured = ridge, measured
        self.members = _members(rows)
        of_concept = np.array([folds[own[0]] for own in self.members])
        self._folds = tuple(np.flatnonzero(of_concept == fold) for fold in np.unique(of_concept))
        self.target = rdm(concept_means(measured, self.members))

    def folded(self, measured: np.ndarray) -> FoldedRDMs:
        """The RDMs of predictions of ``measured`` (n, c)."""
        return self._rdms(self._ridge.predict(measured)[0])

    def permuted(self, orders: np.ndarray) -> list[FoldedRDMs]:
        """The RDMs of predictions of the responses in each order of the concepts.

        Images are laid end to end. Where concepts have different numbers of them, a few images of one
        concept stand in for another's; both are permuted alike, so the null keeps its spread.
        """
        found = []
        for order in orders:
            own = np.concatenate(self.members)
            given = np.concatenate([self.members[concept] for concept in order])
            responses = np.empty_like(self._measured)
            responses[own] = self._measured[given]
            found.append(self.folded(responses))
        return found

    def _rdms(self, predicted: np.ndarray) -> FoldedRDMs:
        means = concept_means(predicted, self.members)
        return FoldedRDMs(self._folds, tuple(_correlation_rdm(means[fold]) for fold in self._folds))


def _correlation_rdm(rows: np.ndarray) -> np.ndarray:
    """1 - correlation; all equal, so that nothing is predicted, where a row does not vary."""
    try:
        return rdm(rows)
    except ValueError:
        return np.ones((len(rows), len(rows))) - np.eye(len(rows))


def _layer(scores: FittedScores) -> LayerResult:
    return LayerResult(
        {_SPEARMAN: scores.spearman, _PEARSON: scores.pearson, _GAIN: scores.gain},
        p=scores.p,
        values={"unweighted": scores.unweighted, "null_mean": scores.null_mean},
        pairs=scores.pairs,
    )


def _members(rows: ResponseRows) -> tuple[np.ndarray, ...]:
    """The rows of each concept."""
    count = int(rows.concepts.max()) + 1
    return tuple(np.flatnonzero(rows.concepts == concept) for concept in range(count))


def _halves_ceiling(repeats: np.ndarray, members: Sequence[np.ndarray]) -> dict[str, tuple[float, float]]:
    """The greatest correlation with the RDM of all repeats, from that of two halves (Spearman-Brown).

    Repeats (n, c, r) of the rows that are scored are dealt into halves in their order. Each half is
    averaged over the images of a concept, as the scored RDM is.
    """
    there = ~np.isnan(repeats)
    if there.sum(axis=2).min() < 2:
        return {}
    place = np.cumsum(there, axis=2) - 1
    halves = []
    for half in (0, 1):
        means = np.nanmean(np.where(place % 2 == half, repeats, np.nan), axis=2)
        spread = means.std(axis=0)
        scaled = (means - means.mean(axis=0)) / np.where(spread > 0, spread, 1)
        halves.append(_correlation_rdm(concept_means(scaled, members)))
    first, second = halves
    found = {}
    for method in (_SPEARMAN, _PEARSON):
        r = float(compare_rdms(first, second, method))
        bound = float(np.sqrt(2 * r / (1 + r))) if r > 0 else 0.0
        found[method] = (bound, bound)
    return found
