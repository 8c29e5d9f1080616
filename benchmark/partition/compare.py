"""From names of models and of a target to what the models explain of it, alone and together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from benchmark.common.errors import NotPossible, UsageError
from benchmark.datasets import RDMTarget, Stimuli, join
from benchmark.measures.partition import MOST_SETS
from benchmark.partition.shares import Share, Shares, best_layer_shares
from benchmark.registry import BindingEntry, Registry, unknown
from benchmark.representation.concepts import (
    UndefinedFeaturesError,
    concept_images,
    concept_means,
    feature_rdm,
)
from benchmark.results import finite_or_none
from benchmark.runner import Session
from benchmark.runner.layers import layers_of_each
from benchmark.runner.loaded import LoadedModel
from benchmark.runner.plan import chosen_models
from benchmark.runner.score import Bars
from benchmark.runner.session import binding_seed
from benchmark.runner.shown import covered_stimuli, layer_view, models_provenance

#: Fewest concepts: a layer is chosen on one half of them, and scored on the other
FEWEST = 8


class Part(NamedTuple):
    """A part of a target's variance, and the models that explain it.

    ``name`` is "alone" (what a model explains), "unique" (what only it explains), "shared" (what these models
    explain and no other does) or "total" (what all explain together).
    """

    name: str
    models: tuple[str, ...]
    share: Share


@dataclass(frozen=True)
class ModelPartition:
    """What two or three models explain of a target's RDM.

    Attributes
    ----------
    models : tuple of str
    shares : Shares
        The groups are named by the models.
    untrained, trained_on : tuple of str
        The models with random weights, and those that were trained with this target.
    concepts : tuple of str
        The concepts over which the models are compared.
    counts : dict of str to int
        Subjects, and concepts that were dropped: ``missing`` or ``ambiguous`` in the target, ``uncovered`` by
        a model.
    provenance : dict
        Everything that decides the numbers. It can be written as JSON.
    """

    models: tuple[str, ...]
    shares: Shares
    untrained: tuple[str, ...]
    trained_on: tuple[str, ...]
    concepts: tuple[str, ...]
    counts: dict[str, int]
    provenance: dict[str, Any]

    def parts(self) -> Iterator[Part]:
        """All parts: each model alone, the unique parts, the shared ones, and the total."""
        for name in self.models:
            yield Part("alone", (name,), self.shares.explained[name,])
        for group, share in self.shares.components.items():
            yield Part("unique" if len(group) == 1 else "shared", group, share)
        yield Part("total", self.models, self.shares.explained[self.models])

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row for each part; None where a number is undefined or does not apply."""
        for part in self.parts():
            estimate, ceiling = part.share.estimate, part.share.ceiling
            yield {
                "part": part.name,
                "models": ",".join(part.models),
                "variance": finite_or_none(estimate.score),
                "ci_low": finite_or_none(estimate.low),
                "ci_high": finite_or_none(estimate.high),
                "chance": 0.0,
                "p": part.share.p,
                "ceiling_low": None if ceiling is None else ceiling.lower,
                "ceiling_high": None if ceiling is None else ceiling.upper,
                "n": len(self.concepts),
            }


def model_partition(
    session: Session,
    models: Sequence[str],
    target: str,
    suite: str,
    layers: tuple[str, ...] | None = None,
    bars: Bars | None = None,
) -> ModelPartition:
    """Partition the variance of a target's RDM between two or three models.

    Concepts that a model does not cover are left out for all. Features that are not stored are extracted.

    Parameters
    ----------
    session : Session
    models : sequence of str
        Names, or ``NAME@untrained:SEED``.
    target : str
        A binding whose target is an RDM: its stimuli, its recipe of an RDM and its rule for association
        profiles count. Or the name of such a target: that of the first binding of the suite with it.
    suite : str
        Suite of the binding, whose weights of the models are used.
    layers : tuple of str or None
        Names, "all", "default" or "/regex/"; None: the layers of each model's entry. Of a model the best of
        these counts (:func:`benchmark.partition.best_layer_shares`).
    bars : callable, optional
        Makes progress bars.

    Returns
    -------
    ModelPartition

    Raises
    ------
    UsageError
        If a name is not known, a model is named twice, or there are other than two or three models.
    NotPossible
        If the target is no RDM or lacks pairs, a layer is not known, weights or data are missing, a model has
        no layer with an RDM, or there are too few concepts.
    """
    chosen = _two_or_three(session.registry, models, suite)
    name = _binding_of(session.registry, suite, target)
    binding = session.registry.binding(suite, name)
    joined_to, shown = session.target_of(binding), session.stimuli(binding.stimuli)
    if not isinstance(joined_to, RDMTarget):
        raise NotPossible(f"target {binding.target!r} of {name!r} is {joined_to.kind}: an RDM is needed")
    loaded = [session.model(model, suite) for model in chosen]
    asked = layers_of_each([model.model for model in loaded], layers)
    covered = [covered_stimuli(model, shown) for model in loaded]
    common = set(shown.concept_ids).intersection(*(stimuli.concept_ids for stimuli in covered))
    if not common:
        raise NotPossible(f"no concept of {shown.name!r} is covered by every model")
    joined = join(shown.of_concepts(frozenset(common)), joined_to, binding.on, minimum=FEWEST)
    if np.isnan(joined.target.rdms).any():
        raise NotPossible(f"target {binding.target!r} lacks pairs: a partition needs every pair")
    rdms = {
        model.placed.name: _rdms(session, model, own, words, binding, joined.concepts, bars)
        for model, own, words in zip(loaded, covered, asked, strict=True)
    }
    written = _recipe(session, binding, binding.params)
    method = written.get("method", "spearman")
    rng = np.random.default_rng(binding_seed(session.options.seed, suite, name))
    return ModelPartition(
        models=tuple(rdms),
        shares=best_layer_shares(joined.target.rdms, rdms, method, rng),
        untrained=tuple(model.placed.name for model in loaded if model.is_untrained),
        trained_on=tuple(
            model.placed.name for model in loaded if binding.target in model.placed.entry.trained_on
        ),
        concepts=joined.concepts,
        counts={
            **joined.counts,
            "uncovered": len(shown.concept_ids) - len(common),
            "subjects": len(joined.target.rdms),
        },
        provenance={
            "binding": name,
            "target": binding.target,
            "target_hash": joined_to.hash,
            "recipe": {"method": method, **written},
            **models_provenance(session, loaded, suite, shown),
        },
    )


def _two_or_three(registry: Registry, models: Sequence[str], suite: str) -> list[str]:
    """The names of the models, checked."""
    for model in models:
        if list(models).count(model) > 1:
            raise UsageError(f"--model: {model!r} is named twice: it shares everything with itself")
    chosen = chosen_models(registry, models, suite)
    if not 2 <= len(chosen) <= MOST_SETS:
        raise UsageError(f"--model: {len(chosen)} models: a partition is of two or three")
    return chosen


def _binding_of(registry: Registry, suite: str, target: str) -> str:
    """The binding that ``target`` names, or the first of the suite whose target it names."""
    bindings = registry.bindings(suite)
    if target in bindings:
        return target
    for name, binding in bindings.items():
        if binding.target == target:
            return name
    known = [*bindings, *dict.fromkeys(binding.target for binding in bindings.values())]
    raise UsageError(f"--target: {unknown('binding or target', target, known)}")


def _recipe(session: Session, binding: BindingEntry, params: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe of an RDM that the parameters of a binding name, or the defaults of its task."""
    read = session.task(binding.task).read(params)
    return {key: read[key] for key in ("metric", "standardise", "method") if key in read}


def _rdms(
    session: Session,
    model: LoadedModel,
    stimuli: Stimuli,
    layers: tuple[str, ...],
    binding: BindingEntry,
    concepts: tuple[str, ...],
    bars: Bars | None,
) -> dict[str, np.ndarray]:
    """The RDM of each layer that has one."""
    name = model.placed.name
    progress = bars(f"features of {name}") if bars else None
    view = layer_view(session, model, stimuli, layers, progress, binding.associations, concepts)
    images = concept_images(stimuli, concepts)
    recipe = _recipe(session, binding, session.params(binding))
    rdms = {}
    for layer in view.layers:
        means = concept_means(view.features(layer), images)
        with suppress(UndefinedFeaturesError):
            rdms[layer] = feature_rdm(
                means, concepts, recipe.get("metric", "correlation"), recipe.get("standardise", "none")
            )
    if not rdms:
        raise NotPossible(f"model {name!r} has no layer with a defined RDM")
    return rdms
