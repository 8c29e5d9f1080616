"""From names of models to similarity matrices of their layers, over the concepts that all models cover."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from benchmark.common.errors import NotPossible, UsageError
from benchmark.datasets import Stimuli
from benchmark.model import Progress
from benchmark.model_similarity.measures import MEASURES, Matrix
from benchmark.registry import unknown
from benchmark.representation.concepts import RDM_METRICS, concept_images, concept_means
from benchmark.results import finite_or_none
from benchmark.runner import Session
from benchmark.runner.layers import layers_of_each
from benchmark.runner.plan import ALL, chosen_models
from benchmark.runner.shown import covered_stimuli, layer_view, models_provenance, stimulus_set

#: Fewest concepts that layers are compared over
FEWEST = 5

#: ``bars("features of alexnet")`` gives the function that is called as that work goes on
Bars = Callable[[str], Progress]


class LayerOf(NamedTuple):
    """A layer of a model."""

    model: str
    layer: str

    def __str__(self) -> str:
        return f"{self.model} {self.layer}"


@dataclass(frozen=True)
class Similarities:
    """How alike the layers of some models are, by one or more measures.

    Attributes
    ----------
    layers : tuple of LayerOf, length m
    matrices : tuple of Matrix
        One for each measure.
    concepts : tuple of str, length n
        The concepts over which the layers are compared.
    dropped : int
        Number of other concepts of the stimuli, which a model does not cover.
    provenance : dict
        Everything that decides the numbers. It can be written as JSON.
    """

    layers: tuple[LayerOf, ...]
    matrices: tuple[Matrix, ...]
    concepts: tuple[str, ...]
    dropped: int
    provenance: dict[str, Any]

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row for each measure and each two layers; None where a number is undefined or missing."""
        for matrix in self.matrices:
            for i, j in zip(*np.triu_indices(len(self.layers), 1), strict=True):
                numbers = (matrix.similarity, matrix.low, matrix.high, matrix.chance)
                values = (finite_or_none(array[i, j]) for array in numbers)
                a, b = self.layers[i], self.layers[j]
                yield {
                    "measure": matrix.measure,
                    "model_a": a.model,
                    "layer_a": a.layer,
                    "model_b": b.model,
                    "layer_b": b.layer,
                    **dict(zip(("similarity", "ci_low", "ci_high", "chance"), values, strict=True)),
                    "n": len(self.concepts),
                    "undefined": matrix.undefined.get((int(i), int(j))),
                }


def model_similarity(
    session: Session,
    models: Sequence[str],
    suite: str,
    layers: tuple[str, ...] | None = None,
    stimuli: str | None = None,
    *,
    measures: Sequence[str] = ("rdm",),
    metric: str = "correlation",
    bars: Bars | None = None,
) -> Similarities:
    """Compare layers of models with one another. Features that are not stored are extracted.

    A layer has a row for each concept: the mean features of its images. A stimulus set with splits gives its
    scored images ("test"). Concepts that a model does not cover are left out for all.

    Parameters
    ----------
    session : Session
    models : sequence of str
        Names, ``NAME@untrained:SEED``, ``NAME@untrained:0-9`` or "all".
    suite : str
        Suite whose weights of the models are used.
    layers : tuple of str or None
        Names, "all", "default" or "/regex/"; None: the layers of each model's entry. A word counts for the
        models that know it, of which there must be one.
    stimuli : str, optional
        Name of a stimulus set, or a folder of images. Default: the stimuli of the suite's first binding.
    measures : sequence of str
        Names of :data:`benchmark.model_similarity.MEASURES`, or "all".
    metric : str
        Dissimilarity of the RDMs.
    bars : callable, optional
        Makes progress bars.

    Returns
    -------
    Similarities

    Raises
    ------
    UsageError
        If a name or an option is not known.
    NotPossible
        If a layer is not known, weights or data are missing, there are fewer than two layers, or the models
        share too few concepts.
    """
    names = _measures(measures)
    if metric not in RDM_METRICS:
        raise UsageError(f"--metric: {unknown('metric', metric, RDM_METRICS)}")
    if not models:
        raise UsageError("nothing is asked for: name the models to compare, or all")
    chosen = chosen_models(session.registry, models, suite)
    shown = stimulus_set(session, stimuli or first_stimuli(session, suite))
    loaded = [session.model(name, suite) for name in chosen]
    per_model = layers_of_each([model.model for model in loaded], layers)
    if sum(map(len, per_model)) < 2:
        raise NotPossible("there is only one layer to compare: name a second model, or more --layers")
    covered = [covered_stimuli(model, shown) for model in loaded]
    concepts = shared_concepts(shown, covered)
    kept: dict[str, list[Any]] = {name: [] for name in names}
    compared: list[LayerOf] = []
    for model, own, asked in zip(loaded, covered, per_model, strict=True):
        name = model.placed.name
        view = layer_view(session, model, own, asked, bars(f"features of {name}") if bars else None)
        images = concept_images(own, concepts)
        for layer in view.layers:
            compared.append(LayerOf(name, layer))
            features = concept_means(view.features(layer), images)
            for measure in names:
                kept[measure].append(_load(measure, features, compared[-1], concepts, metric))
    matrices = tuple(_matrix(session, name, kept[name], len(concepts), bars) for name in names)
    provenance = {**models_provenance(session, loaded, suite, shown), "rdm_metric": metric}
    dropped = len(shown.concept_ids) - len(concepts)
    return Similarities(tuple(compared), matrices, concepts, dropped, provenance)


def _measures(asked: Sequence[str]) -> tuple[str, ...]:
    for name in asked:
        if name not in (*MEASURES, ALL):
            raise UsageError(f"--measure: {unknown('measure', name, [*MEASURES, ALL])}")
    return tuple(MEASURES) if ALL in asked else tuple(dict.fromkeys(asked))


def first_stimuli(session: Session, suite: str) -> str:
    """Name of the stimuli of the first binding of ``suite``, in the registry of ``session``."""
    for binding in session.registry.bindings(suite).values():
        return binding.stimuli
    raise UsageError(f"suite {suite!r} has no binding whose stimuli could be taken: name them with --stimuli")


def shared_concepts(shown: Stimuli, covered: Sequence[Stimuli]) -> tuple[str, ...]:
    """The concepts of the stimuli ``shown`` that are in ``covered``, what each model covers, of all."""
    common = set(shown.concept_ids).intersection(*(stimuli.concept_ids for stimuli in covered))
    if len(common) < FEWEST:
        raise NotPossible(
            f"{len(common)} concepts of {shown.name!r} are covered by every model; {FEWEST} are needed"
        )
    return tuple(concept for concept in shown.concept_ids if concept in common)


def _load(measure: str, features: np.ndarray, layer: LayerOf, concepts: Sequence[str], metric: str) -> Any:
    """What the measure keeps of a layer, or the error that says why it is undefined."""
    try:
        return MEASURES[measure].load(features, concepts, metric)
    except ValueError as error:
        return ValueError(f"{layer}: {error}")


def _matrix(session: Session, name: str, layers: Sequence[Any], n: int, bars: Bars | None) -> Matrix:
    measure = MEASURES[name]
    step = bars(measure.label) if bars else lambda _done, _total: None
    return measure.matrix(layers, n, session.options.seed, step)
