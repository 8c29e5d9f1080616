"""Parts of the variance of an RDM for models with several layers, with intervals, a null and ceilings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmark.inference import (
    Estimate,
    NoiseCeiling,
    bootstrap_weights,
    part_ceilings,
    permutation_test_unique,
)
from benchmark.inference.bootstrap import SPLITS, first_best, interval, mean_defined
from benchmark.measures import RDMRegression
from benchmark.measures.partition import commonality, subsets
from benchmark.measures.regression import Subset

#: Bootstrap resamples of the concepts
DRAWS = 1000
PERMUTATIONS = 1000
#: With more concepts than this there are fewer permutations: each takes tens of milliseconds
_LARGE = 500
_PERMUTATIONS_LARGE = 200

#: RDMs of the layers of each model, by the names of model and layer
Layers = Mapping[str, Mapping[str, np.ndarray]]


@dataclass(frozen=True)
class Share:
    """A share of a target's variance.

    Attributes
    ----------
    estimate : Estimate
        Without the bias of the small sample: 0 by chance.
    p : float or None
        Of a unique part: the one-sided p-value (:func:`benchmark.inference.permutation_test_unique`), with
        the layers that are best on all concepts.
    ceiling : NoiseCeiling or None
        Of a unique part: what is unique to people, in place of the model. Of all models together: what people
        and models explain together. None for one subject.
    """

    estimate: Estimate
    p: float | None = None
    ceiling: NoiseCeiling | None = None


@dataclass(frozen=True)
class Shares:
    """What models explain of a target.

    Attributes
    ----------
    layers : dict of str to str
        The layer of each model that explains most, on all concepts.
    candidates : dict of str to tuple of str
        The layers of each model from which it was chosen.
    explained : dict of tuple of str to Share
        R squared of each group of models.
    components : dict of tuple of str to Share
        The parts of commonality analysis, as in :class:`benchmark.measures.partition.VariancePartition`.
    """

    layers: dict[str, str]
    candidates: dict[str, tuple[str, ...]]
    explained: dict[Subset, Share]
    components: dict[Subset, Share]


def best_layer_shares(
    target: np.ndarray,
    models: Layers,
    method: str,
    rng: np.random.Generator,
    *,
    draws: int = DRAWS,
    permutations: int | None = None,
) -> Shares:
    """Partition the variance of an RDM between models, each with its best layer, chosen on other concepts.

    The concepts are halved at random several times. The layer of a model that alone explains most on one half
    is scored on the other half, in both directions, and all these are averaged. If every model has one layer,
    nothing is chosen, and all concepts are used at once. The choice is not repeated in the draws of the
    bootstrap: as for the references of the task ``rdm_partition``.

    Parameters
    ----------
    target : ndarray, shape (s, n, n)
        One RDM per subject, with every pair.
    models : mapping of str to mapping of str to ndarray, shape (n, n)
        RDMs of the layers of two or three models.
    method : {"spearman", "pearson"}
        Variance of the ranks of the dissimilarities, or of the dissimilarities as they are.
    rng : numpy.random.Generator
        Source of the draws, the halvings and the permutations.
    draws : int
        Number of bootstrap samples of the concepts.
    permutations : int, optional
        Number of permutations of the concepts. Default: 1,000, for more than 500 concepts 200.

    Returns
    -------
    Shares
    """
    n = target.shape[1]
    base = RDMRegression(target, method)
    rows = np.vstack([np.ones(n), bootstrap_weights(n, draws, rng)])
    whole = _chosen(base, models, np.ones((1, n)))[0]
    halves = _halves(n, rng) if any(len(layers) > 1 for layers in models.values()) else np.ones((1, n))
    # what is chosen on a half is scored on the other
    scored = 1 - halves if len(halves) > 1 else halves
    fitted: dict[tuple[str, ...], RDMRegression] = {}
    parts: dict[Subset, list[np.ndarray]] = {subset: [] for subset in subsets(list(models))}
    for chosen, half in zip(_chosen(base, models, halves), scored, strict=True):
        if chosen not in fitted:
            fitted[chosen] = _fitted(base, models, chosen)
        for subset, values in parts.items():
            values.append(fitted[chosen].explained(subset, rows * half))
    means = {subset: mean_defined(np.array(values)) for subset, values in parts.items()}
    components = {name: Share(_estimate(values)) for name, values in _components(means).items()}
    explained = {name: Share(_estimate(values)) for name, values in means.items()}
    best = {name: layers[layer] for (name, layers), layer in zip(models.items(), whole, strict=True)}
    fewer = PERMUTATIONS if n <= _LARGE else _PERMUTATIONS_LARGE
    _add_null_and_ceilings(target, best, method, permutations or fewer, rng, explained, components)
    candidates = {name: tuple(layers) for name, layers in models.items()}
    return Shares(dict(zip(models, whole, strict=True)), candidates, explained, components)


def _halves(n: int, rng: np.random.Generator) -> np.ndarray:
    """Random halves of the concepts as weights, each followed by the other half."""
    halves = []
    for _ in range(SPLITS):
        first = np.zeros(n)
        first[rng.permutation(n)[: n // 2]] = 1
        halves += [first, 1 - first]
    return np.array(halves)


def _chosen(base: RDMRegression, models: Layers, weights: np.ndarray) -> list[tuple[str, ...]]:
    """The layer of each model that alone explains most, for each row of the weights."""
    best = []
    for layers in models.values():
        names = list(layers)
        explained = [
            base.beside(name, rdm).explained((name,), weights, corrected=False)
            for name, rdm in layers.items()
        ]
        best.append([names[i] for i in first_best(explained)])
    return list(zip(*best, strict=True))


def _fitted(base: RDMRegression, models: Layers, chosen: tuple[str, ...]) -> RDMRegression:
    regression = base
    for (name, layers), layer in zip(models.items(), chosen, strict=True):
        regression = regression.beside(name, layers[layer])
    return regression


def _components(explained: Mapping[Subset, np.ndarray]) -> dict[Subset, np.ndarray]:
    columns = [
        commonality({name: float(values[i]) for name, values in explained.items()})
        for i in range(len(next(iter(explained.values()))))
    ]
    return {name: np.array([column[name] for column in columns]) for name in explained}


def _estimate(values: np.ndarray) -> Estimate:
    """The first value is the score, the others are the draws."""
    draws = values[1:]
    return Estimate(float(values[0]), *interval(draws), draws, int(np.isnan(draws).sum()))


def _add_null_and_ceilings(
    target: np.ndarray,
    best: Mapping[str, np.ndarray],
    method: str,
    permutations: int,
    rng: np.random.Generator,
    explained: dict[Subset, Share],
    components: dict[Subset, Share],
) -> None:
    several = len(target) > 1
    for name, rdm in best.items():
        others = np.stack([other for other_name, other in best.items() if other_name != name])
        p = permutation_test_unique(target, rdm, others, method, permutations, rng).p
        ceiling = part_ceilings(target, others, method)["unique"] if several else None
        components[name,] = Share(components[name,].estimate, p, ceiling)
    if several:
        everything = part_ceilings(target, np.stack(list(best.values())), method)["total"]
        explained[tuple(best)] = Share(explained[tuple(best)].estimate, None, everything)
