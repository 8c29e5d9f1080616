"""RSA: correlation of a model's RDM with the RDM of each subject."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np

from benchmark.calibration import rdm_world, standard_controls
from benchmark.calibration.definitions import spearman_of_noisy_rdms
from benchmark.common.cost import Cost
from benchmark.datasets.join import Join
from benchmark.datasets.rdm_check import pairs_of
from benchmark.datasets.stimuli import Stimuli
from benchmark.datasets.types import RDMTarget
from benchmark.inference import (
    Population,
    SubjectCeilings,
    SubjectRDMs,
    dual_bootstrap,
    permutation_compare,
    permutations_for,
    rdm_pair_statistic,
    rdm_scoring_cost,
    subject_ceilings,
)
from benchmark.representation.concepts import (
    METRIC,
    STANDARDISATION,
    UndefinedFeaturesError,
    concept_images,
    concept_means,
    feature_rdm,
)
from benchmark.task import Control, LayerResult, Metric, ModelView, Parameter, Task, TaskResult

_METHODS = ("spearman", "pearson")
#: The RDMs of more concepts than this are not stored (0.5 MB each)
_STORED = 500
#: What ``population`` adds a standard error over
_STANDARD_ERRORS: Mapping[str, tuple[Population, ...]] = {
    "concepts": (),
    "subjects": ("subjects",),
    "both": ("subjects", "both"),
}
#: With fewer of either, no standard error is added
_FEWEST_SUBJECTS, _FEWEST_CONCEPTS = 4, 4
#: The ceilings of at most so many subjects are told one by one
_TOLD = 6


def _metric(method: str) -> Metric:
    return Metric(
        name=method,
        label=f"RDM {method.capitalize()}",
        range=(-1.0, 1.0),
        chance="0: no relation between the two geometries",
        ceiling="each subject with the mean of the others (lower) and of all (upper), Nili et al. 2014",
    )


class RDMCorrelation(Task):
    """Correlation of the upper triangles of two RDMs, averaged over subjects.

    Features are averaged over a concept's test images. Correlations are never clamped and never squared. Each
    subject is compared over the pairs that it has.
    """

    name: ClassVar[str] = "rdm_correlation"
    version: ClassVar[int] = 1
    metrics: ClassVar[tuple[Metric, ...]] = tuple(_metric(method) for method in _METHODS)
    target_kinds: ClassVar[tuple[str, ...]] = ("rdm",)
    missing_pairs: ClassVar[bool] = True
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "metric": METRIC,
        "standardise": STANDARDISATION,
        "population": Parameter(
            "concepts",
            "over what a layer's values get a standard error, beside the interval over concepts: concepts "
            "(none), subjects, both (one over subjects, one over subjects and concepts)",
            choices=tuple(_STANDARD_ERRORS),
        ),
    }
    reference: ClassVar[str] = """@article{nili2014toolbox,
  author = {Nili, Hamed and Wingfield, Cai and Walther, Alexander and Su, Li and Marslen-Wilson, William
            and Kriegeskorte, Nikolaus},
  title = {A Toolbox for Representational Similarity Analysis},
  journal = {PLoS Computational Biology},
  year = {2014},
  volume = {10},
  number = {4},
  pages = {e1003553},
}"""

    def score(
        self,
        view: ModelView,
        joined: Join[RDMTarget],  # type: ignore[override]  # the engine checks target_kinds
        params: Mapping[str, Any],
        rng: np.random.Generator,
    ) -> TaskResult:
        """Score every layer.

        ``params``: ``metric``, the dissimilarity of features ("correlation"), and ``standardise``, what is
        done to each feature over the concepts before ("none"); ``population``, over what a layer's values get
        a standard error ("concepts": none). It changes no score.

        Raises
        ------
        NotPossible
            If a concept has no test image.
        UsageError
            If a parameter is unknown or not valid.
        """
        recipe = self.read(params)
        population = recipe.pop("population")
        rdms = joined.target.rdms
        images = concept_images(view.stimuli, joined.concepts)
        # One seed for all layers, so that a layer's null does not depend on other layers.
        seed = int(rng.integers(2**63))
        large = len(joined.concepts) > _STORED
        layers: dict[str, LayerResult] = {}
        model_rdms: dict[str, np.ndarray] = {}
        for layer in view.layers:
            layers[layer] = LayerResult()  # in the order of the model
            try:
                means = concept_means(view.features(layer), images)
                model_rdms[layer] = feature_rdm(means, joined.concepts, **recipe)
            except UndefinedFeaturesError as error:
                layers[layer] = LayerResult(undefined=str(error))
        if model_rdms:
            tests = permutation_compare(
                list(model_rdms.values()),
                rdms[None],
                permutations_for(len(joined.concepts)),
                seed,
                _METHODS[0],
            )
            targets = {m: SubjectRDMs(rdms, m) for m in _METHODS}
        for i, (layer, model_rdm) in enumerate(model_rdms.items()):
            layers[layer] = LayerResult(
                {m: target.statistic(model_rdm) for m, target in targets.items()},
                p=float(tests.p[i, 0]),
                values=_standard_errors(model_rdm, rdms, population, seed),
                pairs=partial(rdm_pair_statistic, model_rdm, rdms, _METHODS[0]),
            )
        upper = np.triu_indices(len(joined.concepts), 1)
        arrays = (
            {}
            if large
            else {f"rdm/{layer}": found[upper].astype(np.float32) for layer, found in model_rdms.items()}
        )
        pairs = _Pairs(rdms)
        arrays |= pairs.arrays
        if not large:
            arrays |= _people(joined.target)
        of_subjects = {m: subject_ceilings(rdms, m) for m in _METHODS} if len(rdms) > 1 else {}
        bounds = {m: found.mean() for m, found in of_subjects.items()}
        ceiling = {m: (bound.lower, bound.upper) for m, bound in bounds.items()}
        arrays |= _by_subject(joined.target.subjects, of_subjects)
        return TaskResult(
            concepts=joined.concepts,
            layers=layers,
            chance=dict.fromkeys(_METHODS, 0.0),
            ceiling=ceiling,
            counts={**joined.counts, "subjects": len(rdms), "images": sum(map(len, images)), **pairs.counts},
            arrays=arrays,
            notes=[
                *pairs.notes,
                *([] if ceiling else ["one subject: there is no noise ceiling"]),
                *_told_by_subject(joined.target.subjects, of_subjects),
                *_too_few(rdms, population),
            ],
        )

    def cost(self, joined: Join[Any], layers: int, params: Mapping[str, Any]) -> Cost | None:
        """That of the sums over pairs, for the bootstrap, the choice of a layer and the permutations."""
        del params
        n = len(joined.concepts)
        return rdm_scoring_cost(n, len(joined.target.rdms), layers, permutations_for(n))

    def require(self, stimuli: Stimuli, joined: Join[Any], params: Mapping[str, Any]) -> None:
        """Raise NotPossible if a concept has no test image."""
        super().require(stimuli, joined, params)
        concept_images(stimuli, joined.concepts)

    def calibrate(self, rng: np.random.Generator) -> list[Control]:
        """The standard controls. A noisy copy must have the correlation of a closed form."""
        return standard_controls(self, rdm_world, rng, expected=spearman_of_noisy_rdms)


def _people(target: RDMTarget) -> dict[str, np.ndarray]:
    """What a figure shows beside the model's RDM: the mean over subjects, and the categories."""
    upper = np.triu_indices(len(target.ids), 1)
    pairs = target.rdms[:, upper[0], upper[1]]
    measured = ~np.isnan(pairs)
    total, count = np.where(measured, pairs, 0.0).sum(axis=0), measured.sum(axis=0)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    categories = [category or "" for category in target.categories or ()]
    return {
        "target_rdm": mean.astype(np.float32),
        **({"categories": np.array(categories)} if any(categories) else {}),
    }


def _standard_errors(model_rdm: np.ndarray, rdms: np.ndarray, population: str, seed: int) -> dict[str, float]:
    """Standard errors of the headline. All layers share the resamples."""
    if _too_few(rdms, population):
        return {}
    return {
        f"standard_error_{over}": float(
            dual_bootstrap(
                model_rdm, rdms, _METHODS[0], rng=np.random.default_rng([seed, 1]), population=over
            ).standard_error[0]
        )
        for over in _STANDARD_ERRORS[population]
    }


def _too_few(rdms: np.ndarray, population: str) -> list[str]:
    """Why a standard error that was asked for is not given, if it is not."""
    subjects, concepts = rdms.shape[:2]
    if population == "concepts" or (subjects >= _FEWEST_SUBJECTS and concepts >= _FEWEST_CONCEPTS):
        return []
    return [
        f"population is {population}, with {subjects} subjects and {concepts} concepts: a standard error "
        f"needs at least {_FEWEST_SUBJECTS} and {_FEWEST_CONCEPTS}"
    ]


class _Pairs:
    """What a result says about missing pairs. Nothing, if no pair is missing.

    ``pairs_used`` in the arrays is the number of pairs of each subject, (s,).
    """

    def __init__(self, rdms: np.ndarray) -> None:
        self.counts: dict[str, int] = {}
        self.arrays: dict[str, np.ndarray] = {}
        self.notes: list[str] = []
        absent = np.isnan(rdms)
        if not absent.any():
            return
        n = rdms.shape[1]
        pairs, used = n * (n - 1) // 2, pairs_of(rdms)
        unseen = int(absent.all(axis=0).sum()) // 2
        self.arrays = {"pairs_used": used}
        self.counts = {
            "pairs": pairs,
            "fewest_pairs_used": int(used.min()),
            "most_pairs_used": int(used.max()),
            "pairs_of_no_subject": unseen,
        }
        self.notes = [
            f"pairs are missing: subjects have {used.min()} to {used.max()} of {pairs}, and each is compared "
            f"over its own; no subject has {unseen} of them"
        ]


def _by_subject(subjects: tuple[str, ...], ceilings: Mapping[str, SubjectCeilings]) -> dict[str, np.ndarray]:
    """How well the others, and all, predict each subject: (s, 2) for each method. Nothing for one subject."""
    found = {
        f"ceiling_by_subject/{m}": np.stack([each.lower, each.upper], axis=1) for m, each in ceilings.items()
    }
    return {**found, "subjects": np.array(subjects)} if found else {}


def _told_by_subject(subjects: tuple[str, ...], ceilings: Mapping[str, SubjectCeilings]) -> list[str]:
    """The ceiling of each subject in words, where they are few: groups of people."""
    if not ceilings or len(subjects) > _TOLD:
        return []
    alone = ceilings[_METHODS[0]].lower
    each = ", ".join(f"{name} {value:.3f}" for name, value in zip(subjects, alone, strict=True))
    return [f"each subject with the mean of the others ({_METHODS[0].capitalize()}): {each}"]
