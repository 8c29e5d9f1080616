"""The pairs of concepts that come closer, or move apart, from one network to another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import rankdata

from benchmark.common.errors import NotPossible, UsageError
from benchmark.datasets import Stimuli
from benchmark.measures.compare import upper_triangle
from benchmark.model import OUTPUT
from benchmark.model_similarity.compare import Bars, first_stimuli, shared_concepts
from benchmark.registry import AssociationRuleEntry, unknown
from benchmark.representation.concepts import (
    RDM_METRICS,
    UndefinedFeaturesError,
    concept_images,
    concept_means,
    feature_rdm,
)
from benchmark.runner import Session
from benchmark.runner.layers import choose_layers
from benchmark.runner.loaded import LoadedModel
from benchmark.runner.references import encoder_of
from benchmark.runner.shown import covered_stimuli, layer_view, models_provenance, stimulus_set
from benchmark.task import ENCODER

#: Which pairs a group holds, by whether each concept was held out of the training
GROUPS = ("held out", "one held out", "trained")
#: The one group of stimuli that do not say which concepts were held out
EVERY = "all"


class MovedPair(NamedTuple):
    """Two concepts, and how dissimilar they are in the reference and in the model.

    ``before`` and ``after`` are shares of the pairs of its group that are more alike: 0 is the most alike
    pair, 1 the least. A negative ``change`` means that the pair came closer.
    """

    group: str
    concepts: tuple[str, str]
    labels: tuple[str, str]
    before: float
    after: float

    @property
    def change(self) -> float:
        """``after - before``."""
        return self.after - self.before

    def row(self) -> dict[str, Any]:
        """The pair as one flat row."""
        return {
            "group": self.group,
            "concept_a": self.concepts[0],
            "concept_b": self.concepts[1],
            "label_a": self.labels[0],
            "label_b": self.labels[1],
            "before": self.before,
            "after": self.after,
            "change": self.change,
        }


@dataclass(frozen=True)
class Moved:
    """How all pairs of concepts moved.

    Attributes
    ----------
    stimuli : Stimuli
        What both networks were shown.
    concepts : tuple of str, length n
    layer, reference_layer : str
        ``MODEL LAYER``.
    before, after : ndarray, shape (n (n - 1) / 2,)
        Dissimilarity of each pair in reference and model, row by row of the upper triangle.
    provenance : dict
        Everything that decides the numbers. It can be written as JSON.
    """

    stimuli: Stimuli
    concepts: tuple[str, ...]
    layer: str
    reference_layer: str
    before: np.ndarray
    after: np.ndarray
    provenance: dict[str, Any]

    def groups(self) -> dict[str, np.ndarray]:
        """The numbers of the pairs of each group, without empty groups."""
        held_out = np.array([concept in self.stimuli.held_out for concept in self.concepts])
        if not held_out.any():
            return {EVERY: np.arange(len(self.before))}
        i, j = np.triu_indices(len(self.concepts), 1)
        together = held_out[i].astype(int) + held_out[j]
        found = {group: np.flatnonzero(together == 2 - k) for k, group in enumerate(GROUPS)}
        return {group: pairs for group, pairs in found.items() if len(pairs)}

    def summary(self) -> dict[str, dict[str, Any]]:
        """Of each group the number of pairs, and the Spearman correlation of before and after."""
        return {
            group: {"pairs": len(pairs), "spearman": _spearman(self.before[pairs], self.after[pairs])}
            for group, pairs in self.groups().items()
        }

    def most(self, k: int) -> Iterator[MovedPair]:
        """In each group the ``k`` pairs that came closest, then the ``k`` that moved furthest apart."""
        i, j = np.triu_indices(len(self.concepts), 1)
        names = self.stimuli.labels or {}
        for group, pairs in self.groups().items():
            before, after = _places(self.before[pairs]), _places(self.after[pairs])
            order = np.argsort(after - before, kind="stable")
            closer = [p for p in order[:k] if after[p] < before[p]]
            apart = [p for p in order[::-1][:k] if after[p] > before[p]]
            for p in [*closer, *apart]:
                both = self.concepts[i[pairs[p]]], self.concepts[j[pairs[p]]]
                labels = names.get(both[0], both[0]), names.get(both[1], both[1])
                yield MovedPair(group, both, labels, float(before[p]), float(after[p]))


def moved_pairs(
    session: Session,
    model: str,
    reference: str,
    suite: str,
    *,
    layer: str | None = None,
    reference_layer: str | None = None,
    stimuli: str | None = None,
    metric: str = "correlation",
    rule: AssociationRuleEntry | None = None,
    bars: Bars | None = None,
) -> Moved:
    """Compare the dissimilarity of all pairs of concepts in a model and in a reference.

    Pairs are ranked within their group: both concepts held out of the training, one, or none. Otherwise the
    pairs of a group could all move together, because a network knows less of concepts it was not trained on.

    A concept is the mean of its images ("test", of a set with splits). Concepts that one of the two does not
    cover are left out. Features that are not stored are extracted.

    Parameters
    ----------
    session : Session
    model : str
        Name of a model.
    reference : str
        Name of another, or "encoder": the one from which the model was trained or built.
    suite : str
        Suite whose weights are used.
    layer : str, optional
        Layer of the model. Default: the last of its entry.
    reference_layer : str, optional
        Layer of the reference. Default: the last of its entry before "output", its features before any class.
    stimuli : str, optional
        Name of a stimulus set, or a folder of images. Default: the stimuli of the suite's first binding.
    metric : str
        Dissimilarity of two concepts.
    rule : AssociationRuleEntry, optional
        How association profiles are compared. Default: the square roots of the strengths, as in tasks.
    bars : callable, optional
        Makes progress bars.

    Returns
    -------
    Moved

    Raises
    ------
    UsageError
        If a name or an option is not known, or both layers are the same.
    NotPossible
        If the model has no encoder, a layer is not known, an RDM is undefined, or data are missing.
    """
    if metric not in RDM_METRICS:
        raise UsageError(f"--metric: {unknown('metric', metric, RDM_METRICS)}")
    session.registry.model(model, suite)
    other = encoder_of(session, model, suite) if reference == ENCODER else reference
    loaded = [session.model(other, suite), session.model(model, suite)]
    shown = stimulus_set(session, stimuli or first_stimuli(session, suite))
    layers = [_layer(loaded[0], reference_layer, before_output=True), _layer(loaded[1], layer)]
    if (other, layers[0]) == (model, layers[1]):
        raise UsageError(f"--reference: {other} {layers[0]} is the layer itself: no pair moves")
    covered = [covered_stimuli(part, shown) for part in loaded]
    concepts = shared_concepts(shown, covered)
    above = []
    for part, own, chosen in zip(loaded, covered, layers, strict=True):
        progress = bars(f"features of {part.placed.name}") if bars else None
        view = layer_view(session, part, own, (chosen,), progress, rule, concepts)
        means = concept_means(view.features(chosen), concept_images(own, concepts))
        try:
            above.append(upper_triangle(feature_rdm(means, concepts, metric)))
        except UndefinedFeaturesError as error:
            raise NotPossible(f"model {part.placed.name!r}, layer {chosen!r}: {error}") from error
    return Moved(
        shown,
        concepts,
        f"{model} {layers[1]}",
        f"{other} {layers[0]}",
        above[0],
        above[1],
        {
            "layer": f"{model} {layers[1]}",
            "reference": f"{other} {layers[0]}",
            "rdm_metric": metric,
            "rule": None if rule is None else rule.model_dump(mode="json"),
            **models_provenance(session, loaded, suite, shown),
        },
    )


def _places(values: np.ndarray) -> np.ndarray:
    """Ranks as shares of all values, from half a step above 0 to half a step below 1."""
    places: np.ndarray = (rankdata(values) - 0.5) / len(values)
    return places


def _spearman(before: np.ndarray, after: np.ndarray) -> float | None:
    """None where it is undefined: too few pairs, or all the same."""
    if min(len(np.unique(before)), len(np.unique(after))) < 2:
        return None
    return float(np.corrcoef(rankdata(before), rankdata(after))[0, 1])


def _layer(loaded: LoadedModel, asked: str | None, *, before_output: bool = False) -> str:
    """The layer that is asked for, or the last of the entry."""
    if asked is None:
        layers = loaded.model.layers
        features = [layer for layer in layers if layer != OUTPUT] if before_output else []
        return (features or list(layers))[-1]
    chosen = choose_layers(loaded.model, [asked])
    if len(chosen) > 1:
        raise UsageError(f"{asked!r} means {len(chosen)} layers of {loaded.placed.name}: name one")
    return chosen[0]
