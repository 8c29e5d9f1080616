"""The similarity of every two spaces in a list, with intervals over concepts and chance levels.

Two kinds of measure differ in how the interval is made. Those that are sums over pairs of concepts take
weights of concepts: these are bootstrapped, without the pairs of two copies of one concept. The others need
coordinates, and a repeated concept would let a rotation or a linear map fit better. They take parts of the
concepts without repetition.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any, ClassVar

import numpy as np

from benchmark.inference import Statistic, bootstrap_weights, cka_statistic, estimate, rdm_statistic
from benchmark.measures.alignment import narrowed, rotation_agreement, unit_centred
from benchmark.measures.canonical import (
    KEPT_VARIANCE,
    CanonicalSpace,
    canonical_correlations,
    projection_weighted,
)
from benchmark.measures.rbf import rbf_kernel
from benchmark.representation.concepts import feature_rdm

#: Number of bootstrap samples
DRAWS = 1000
#: Number of parts of the concepts, and what part of the concepts is left out of each (one in so many)
PARTS, LEFT_OUT = 100, 5
#: Number of permutations of the concepts whose mean similarity is the chance level
PERMUTATIONS = 20

#: Called with the number of finished steps and of all steps
Step = Callable[[int, int], None]


@dataclass(frozen=True)
class Matrix:
    """One similarity between every two of m layers.

    Attributes
    ----------
    measure : str
        Name of the measure.
    similarity : ndarray, shape (m, m)
        Symmetric; greater is more alike, and a layer with itself has 1. NaN where it is undefined.
    low, high : ndarray, shape (m, m)
        95 % interval over concepts. NaN on the diagonal, and where there is none.
    chance : ndarray, shape (m, m)
        What layers give that have nothing to do with one another.
    undefined : dict of (int, int) to str
        For each pair of layers i < j without a similarity, the reason.
    """

    measure: str
    similarity: np.ndarray
    low: np.ndarray
    high: np.ndarray
    chance: np.ndarray
    undefined: dict[tuple[int, int], str]

    @classmethod
    def empty(cls, measure: str, m: int) -> Matrix:
        """A matrix of ``m`` layers by ``measure`` in which only the diagonal is known."""
        similarity, low, high, chance = np.full((4, m, m), np.nan)
        np.fill_diagonal(similarity, 1.0)
        return cls(measure, similarity, low, high, chance, {})

    def put(self, i: int, j: int, score: float, low: float, high: float, chance: float) -> None:
        """Set ``score``, ``low``, ``high`` and ``chance`` of the layers ``i`` and ``j``."""
        arrays = (self.similarity, self.low, self.high, self.chance)
        for array, value in zip(arrays, (score, low, high, chance), strict=True):
            array[i, j] = array[j, i] = value


class Measure(ABC):
    """A similarity of spaces.

    Attributes
    ----------
    name, label : str
        The name that a user writes, and the words of a table.
    interval : str
        How the interval is made, in words.
    """

    interval: ClassVar[str]

    def __init__(self, name: str, label: str, load: Callable[..., Any]) -> None:
        self.name = name
        self.label = label
        self._load = load

    def load(self, features: np.ndarray, concepts: Sequence[str], metric: str) -> Any:
        """What is kept of a layer; ``features`` (n, d) has a row per concept of ``concepts``.

        ``metric`` is the dissimilarity of an RDM.

        Raises
        ------
        ValueError
            If the measure is not defined for the layer.
        """
        return self._load(features, concepts, metric)

    def matrix(self, layers: Sequence[Any], n: int, seed: int, step: Step) -> Matrix:
        """The matrix of the layers.

        Parameters
        ----------
        layers : sequence of length m
            From :meth:`load`. In the place of a layer that is not defined stands the error.
        n : int
            Number of concepts.
        seed : int
            Seed of everything random: the same draws for all layers and measures.
        step : callable
            Called as pairs, or parts of the concepts, are done.
        """
        matrix = Matrix.empty(self.name, len(layers))
        for i, j in combinations(range(len(layers)), 2):
            for layer in (layers[i], layers[j]):
                if isinstance(layer, ValueError):
                    matrix.undefined[i, j] = str(layer)
        self._fill(matrix, layers, n, np.random.default_rng(seed), step)
        return matrix

    @abstractmethod
    def _fill(
        self, matrix: Matrix, layers: Sequence[Any], n: int, rng: np.random.Generator, step: Step
    ) -> None: ...


class Weighted(Measure):
    """A measure that is a function of concept weights, whose expected value is 0 by chance."""

    interval = "bootstrap over concepts, without pairs of two copies of one concept"

    def __init__(
        self, name: str, label: str, load: Callable[..., Any], statistic: Callable[..., Statistic]
    ) -> None:
        super().__init__(name, label, load)
        self._statistic = statistic

    def _fill(
        self, matrix: Matrix, layers: Sequence[Any], n: int, rng: np.random.Generator, step: Step
    ) -> None:
        weights = bootstrap_weights(n, DRAWS, rng)
        pairs = list(combinations(range(len(layers)), 2))
        for done, (i, j) in enumerate(pairs, 1):
            if (i, j) not in matrix.undefined:
                try:
                    found = estimate(self._statistic(layers[i], layers[j][None]), weights)
                except ValueError as error:
                    matrix.undefined[i, j] = str(error)
                else:
                    matrix.put(i, j, found.score, found.low, found.high, 0.0)
            step(done, len(pairs))


class Fitted(Measure):
    """A measure that fits one space to the other; it and its chance level depend on the number of concepts.

    The interval is that of the delete-d jackknife (Shao & Wu 1989): with m of n concepts in each part, the
    variance of the value is m / (n - m) times the variance over the parts. It is centred on the value.
    """

    interval = (
        f"1.96 standard errors, by the jackknife: {PARTS} parts of the concepts, 1 in {LEFT_OUT} left out"
    )

    def __init__(
        self,
        name: str,
        label: str,
        load: Callable[..., Any],
        prepare: Callable[..., Any],
        value: Callable[..., float],
    ) -> None:
        super().__init__(name, label, load)
        self._prepare = prepare
        self._value = value

    def _fill(
        self, matrix: Matrix, layers: Sequence[Any], n: int, rng: np.random.Generator, step: Step
    ) -> None:
        orders = [rng.permutation(n) for _ in range(PERMUTATIONS)]
        kept = n - max(1, n // LEFT_OUT)
        parts = [np.sort(rng.permutation(n)[:kept]) for _ in range(PARTS)]
        total = 1 + len(orders) + len(parts)
        whole = self._spaces(layers, np.arange(n))
        found = np.full((len(layers), len(layers)), np.nan)
        for i, j in combinations(range(len(layers)), 2):
            if (i, j) not in matrix.undefined:
                try:
                    found[i, j] = self._value(whole[i], whole[j])
                except ValueError as error:
                    matrix.undefined[i, j] = str(error)
        step(1, total)
        compared = ~np.isnan(found)
        needed = [
            layer if of_layer.any() else ValueError("no pair of it is defined")
            for layer, of_layer in zip(layers, compared | compared.T, strict=True)
        ]

        def values(selections: Sequence[np.ndarray], first: int, *, permuted: bool) -> Iterator[np.ndarray]:
            for done, rows in enumerate(selections, first + 1):
                spaces = self._spaces(needed, rows)
                yield self._all(whole if permuted else spaces, spaces, found)
                step(done, total)

        chance = np.mean(list(values(orders, 1, permuted=True)), axis=0)
        of_parts = np.stack(list(values(parts, 1 + len(orders), permuted=False)))
        margin = 1.96 * np.sqrt(of_parts.var(axis=0) * kept / (n - kept))
        low, high = found - margin, found + margin
        for i, j in zip(*np.nonzero(~np.isnan(found)), strict=True):
            matrix.put(int(i), int(j), found[i, j], low[i, j], high[i, j], chance[i, j])

    def _spaces(self, layers: Sequence[Any], rows: np.ndarray) -> list[Any]:
        return [self._space(layer, rows) for layer in layers]

    def _space(self, layer: Any, rows: np.ndarray) -> Any:
        """A layer as the measure takes it, for some of the concepts; None where it is not defined."""
        if isinstance(layer, ValueError):
            return None
        with suppress(ValueError):  # it can be the same for all of these concepts
            return self._prepare(layer[rows])
        return None

    def _all(self, left: Sequence[Any], right: Sequence[Any], found: np.ndarray) -> np.ndarray:
        """The value of every pair i < j that has one in ``found``; NaN where it is undefined here."""
        values = np.full(found.shape, np.nan)
        for i, j in zip(*np.nonzero(~np.isnan(found)), strict=True):
            if left[i] is not None and right[j] is not None:
                with suppress(ValueError):  # a part of the concepts can be too small for CCA
                    values[i, j] = self._value(left[i], right[j])
        return values


def _load_rdm(features: np.ndarray, concepts: Sequence[str], metric: str) -> np.ndarray:
    return feature_rdm(features, concepts, metric)


def _load_linear(features: np.ndarray, _concepts: Sequence[str], _metric: str) -> np.ndarray:
    unit = unit_centred(features, "a layer")
    return np.asarray(unit @ unit.T)


def _load_rbf(features: np.ndarray, _concepts: Sequence[str], _metric: str) -> np.ndarray:
    return rbf_kernel(unit_centred(features, "a layer"))


def _load_narrowed(features: np.ndarray, _concepts: Sequence[str], _metric: str) -> np.ndarray:
    """The layer in at most n columns: what follows depends on inner products of rows alone."""
    return narrowed(unit_centred(features, "a layer"))


def _load_columns(features: np.ndarray, _concepts: Sequence[str], _metric: str) -> np.ndarray:
    """The layer with its own columns, on which the weights of PWCCA depend."""
    return unit_centred(features, "a layer")


def _canonical(variance: float) -> Callable[[np.ndarray], CanonicalSpace]:
    return partial(CanonicalSpace.from_features, name="a layer", variance=variance)


def _mean_correlation(a: CanonicalSpace, b: CanonicalSpace) -> float:
    return float(canonical_correlations(a, b).mean())


def _both_weightings(a: CanonicalSpace, b: CanonicalSpace) -> float:
    return (projection_weighted(a, b) + projection_weighted(b, a)) / 2


#: The measures, by name
MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Weighted("rdm", "RDM correlation", _load_rdm, partial(rdm_statistic, method="spearman")),
        Weighted("cka", "linear CKA, debiased", _load_linear, cka_statistic),
        Weighted("cka_rbf", "RBF CKA, debiased", _load_rbf, cka_statistic),
        Fitted("cca", "mean CCA", _load_narrowed, _canonical(1.0), _mean_correlation),
        Fitted("svcca", "SVCCA", _load_narrowed, _canonical(KEPT_VARIANCE), _mean_correlation),
        Fitted("pwcca", "PWCCA, mean of both weightings", _load_columns, _canonical(1.0), _both_weightings),
        Fitted(
            "procrustes",
            "Procrustes similarity",
            _load_narrowed,
            partial(unit_centred, name="a layer"),
            rotation_agreement,
        ),
    )
}
