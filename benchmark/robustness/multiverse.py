"""One binding under every recipe of an RDM: scores, ranks, and the orders of models that hold under all.

A *recipe* says how a network is pooled over positions, what is done to each feature over the concepts, and
which dissimilarity is taken then. There is no right one, and the order of two models may depend on it. Such
an order is a finding about the recipe.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple

import numpy as np

from benchmark.common.errors import NotPossible, UsageError
from benchmark.inference import PairedDifference, fdr, paired_difference
from benchmark.registry import BindingEntry, Registry
from benchmark.representation.concepts import STANDARDISE
from benchmark.results import VARIANT, CellResult, perturbed_of, same_concepts
from benchmark.runner import Cell, Session, execute
from benchmark.runner.score import Bars

#: The dissimilarities that are tried. The squared Euclidean distance has the ranks of the Euclidean one
METRICS = ("correlation", "cosine", "euclidean")
#: An order is decided where its adjusted p-value is below this
ALPHA = 0.05


class Recipe(NamedTuple):
    """A dissimilarity, what is done to each feature over the concepts before, and how networks are pooled.

    ``pooling`` None is that of each model's entry.
    """

    metric: str
    standardise: str
    pooling: str | None = None

    def __str__(self) -> str:
        pooled = None if self.pooling is None else f"{self.pooling} pooling"
        return ", ".join(filter(None, (self.metric, self.standardise.replace("none", ""), pooled)))


#: A cell and its score with changes, by model and recipe
Found = dict[tuple[str, Recipe], CellResult]
#: Every dissimilarity that is tried, with the pooling of the binding. Centring changes no Euclidean distance
RECIPES = tuple(
    Recipe(metric, standardise)
    for metric in METRICS
    for standardise in STANDARDISE
    if (metric, standardise) != ("euclidean", "centre")
)


@dataclass(frozen=True)
class Order:
    """How two models compare under every recipe.

    Attributes
    ----------
    first, second : str
        The models; the first has the greater score under at least half of the recipes.
    holds : int
        Number of recipes under which the first has the greater score.
    decided : int
        Number of recipes under which it has, and the difference is significant (:data:`ALPHA`, the false
        discovery rate over all pairs of models of the recipe controlled).
    reversed : int
        Number of recipes under which the second is significantly greater.
    """

    first: str
    second: str
    holds: int
    decided: int
    reversed: int


@dataclass(frozen=True)
class Multiverse:
    """The scores of models under every recipe.

    Attributes
    ----------
    binding, suite, metric : str
        What was scored, and the name of the score.
    miniature : bool
        Whether the suite is a miniature.
    models : tuple of str, length m
        The models that were scored, the greatest median score first.
    recipes : tuple of Recipe, length r
        The first is that of the binding.
    scores : ndarray, shape (m, r)
        NaN where a model has no score.
    low, high : ndarray, shape (m, r)
        The 95 % interval of each score.
    ranks : ndarray, shape (m, r)
        1 is the greatest score of a recipe. NaN where a model has no score.
    orders : tuple of Order
        Every two models.
    missing : dict of str to str
        Why a model has no score under some recipe.
    """

    binding: str
    suite: str
    metric: str
    miniature: bool
    models: tuple[str, ...]
    recipes: tuple[Recipe, ...]
    scores: np.ndarray
    low: np.ndarray
    high: np.ndarray
    ranks: np.ndarray
    orders: tuple[Order, ...]
    missing: dict[str, str]


def multiverse(
    given: Session,
    binding: str,
    suite: str,
    models: Sequence[str],
    bars: Bars | None = None,
    poolings: Sequence[str] = (),
) -> Multiverse:
    """Score models on a binding under every recipe. What is stored is not computed again.

    Parameters
    ----------
    given : Session
        It stays as it is.
    binding : str
        A binding whose task has the parameters ``metric`` and ``standardise``.
    suite : str
    models : sequence of str
        Names of models.
    bars : callable, optional
        Makes progress bars, as for :func:`benchmark.runner.execute`.
    poolings : sequence of {"average", "max"}
        Further poolings of every network; each is tried with all dissimilarities. The features of a network
        are extracted once more for each.

    Returns
    -------
    Multiverse

    Raises
    ------
    UsageError
        If the task of the binding makes no RDM of features.
    NotPossible
        If no model has a score.
    """
    entry = given.registry.binding(suite, binding)
    own = _own_recipe(given, binding, entry)
    tried = (recipe._replace(pooling=how) for how in (own.pooling, *poolings) for recipe in RECIPES)
    recipes = tuple(dict.fromkeys((own, *tried)))
    names = {recipe: _name(binding, recipe, own) for recipe in recipes}
    derived = {name: _under(entry, recipe) for recipe, name in names.items()}
    # what is loaded for the first recipe serves all
    session = Session(given.options)
    session.__dict__["registry"] = _with_bindings(given.registry, suite, derived)
    found: Found = {}
    missing: dict[str, str] = {}
    for model in models:
        for recipe, name in names.items():
            (outcome,) = execute([Cell(model, name, suite)], session, bars=bars)
            stored = session.results.last(suite, name, model)
            if outcome.cell.status == "scored" and stored is not None:
                found[model, recipe] = stored.cell
            else:
                missing[model] = str(outcome.cell.reason)
    return _compared(session, binding, suite, recipes, found, missing)


def _own_recipe(session: Session, binding: str, entry: BindingEntry) -> Recipe:
    task = session.task(entry.task)
    if not {"metric", "standardise"} <= task.parameters.keys():
        raise UsageError(
            f"binding {binding!r}: task {entry.task} makes no RDM of features, so it has no recipe; name a "
            "binding of rdm_correlation or gwot_matching"
        )
    read = task.read(entry.params)
    return Recipe(read["metric"], read["standardise"], entry.pooling)


def _name(binding: str, recipe: Recipe, own: Recipe) -> str:
    return binding if recipe == own else f"{binding}{VARIANT}{'.'.join(filter(None, recipe))}"


def _under(entry: BindingEntry, recipe: Recipe) -> BindingEntry:
    params = {**entry.params, "metric": recipe.metric, "standardise": recipe.standardise}
    return entry.model_copy(update={"params": params, "pooling": recipe.pooling})


def _with_bindings(registry: Registry, suite: str, bindings: dict[str, BindingEntry]) -> Registry:
    known = registry.suite(suite)
    # the binding itself stays as it is written, so that its stored results count
    changed = known.model_copy(update={"bindings": {**bindings, **known.bindings}})
    return replace(registry, suites={**registry.suites, suite: changed})


def _compared(
    session: Session,
    binding: str,
    suite: str,
    recipes: tuple[Recipe, ...],
    found: Found,
    missing: dict[str, str],
) -> Multiverse:
    if not found:
        raise NotPossible(f"binding {binding!r}: no model has a score; {next(iter(missing.values()))}")
    models = list(dict.fromkeys(model for model, _ in found))
    scores = _table(models, recipes, found, "score")
    order = np.argsort(-np.nanmedian(scores, axis=1), kind="stable")
    models = [models[i] for i in order]
    scores = scores[order]
    return Multiverse(
        binding=binding,
        suite=suite,
        metric=next(iter(found.values())).metric or "",
        miniature=session.registry.suite(suite).miniature,
        models=tuple(models),
        recipes=recipes,
        scores=scores,
        low=_table(models, recipes, found, "ci_low"),
        high=_table(models, recipes, found, "ci_high"),
        ranks=_ranks(scores),
        orders=tuple(_orders(models, recipes, found, scores)),
        missing=missing,
    )


def _table(models: Sequence[str], recipes: Sequence[Recipe], found: Found, name: str) -> np.ndarray:
    values = [[getattr(found.get((model, recipe)), name, None) for recipe in recipes] for model in models]
    return np.array(values, dtype=np.float64)


def _ranks(scores: np.ndarray) -> np.ndarray:
    """Rank of each score in its column, equal scores sharing the best; NaN stays."""
    greater = (scores[None] > scores[:, None]).sum(axis=1)
    return np.where(np.isnan(scores), np.nan, greater + 1.0)


def _orders(
    models: Sequence[str],
    recipes: Sequence[Recipe],
    found: Found,
    scores: np.ndarray,
) -> Iterator[Order]:
    pairs = list(combinations(range(len(models)), 2))
    above = np.array([scores[i] > scores[j] for i, j in pairs]).reshape(-1, len(recipes))
    below = np.array([scores[i] < scores[j] for i, j in pairs]).reshape(-1, len(recipes))
    significant = np.zeros(above.shape, dtype=bool)
    for r, recipe in enumerate(recipes):
        tests = [
            _difference(found.get((models[i], recipe)), found.get((models[j], recipe))).p for i, j in pairs
        ]
        significant[:, r] = np.nan_to_num(fdr(np.array(tests)), nan=1.0) < ALPHA
    for (i, j), up, down, sure in zip(pairs, above, below, significant, strict=True):
        first, second = (i, j) if up.sum() >= down.sum() else (j, i)
        for_, against = (up, down) if first == i else (down, up)
        yield Order(
            models[first],
            models[second],
            int(for_.sum()),
            int((for_ & sure).sum()),
            int((against & sure).sum()),
        )


def _difference(first: CellResult | None, second: CellResult | None) -> PairedDifference:
    a, b = (perturbed_of(cell) if cell else None for cell in (first, second))
    if first is None or second is None or a is None or b is None or not same_concepts(first, second):
        return PairedDifference(*[np.nan] * 4)
    return paired_difference(a, b)
