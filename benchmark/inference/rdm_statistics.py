"""Correlations of RDMs as functions of concept weights: of a model's RDM with those of subjects.

The part of a statistic that depends on the subjects alone is computed once for all models.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmark.inference._pairs import (
    NO_VARIANCE,
    Moments,
    Used,
    both,
    by_pairs,
    links,
    measured_pairs,
    standardised,
    weighted_pairs,
)
from benchmark.inference.statistics import PairStatistic, SharedStatistic, Statistic, ratio, require_weights
from benchmark.measures._checks import Float64, as_rdm, as_rdms, require_pairs


def rdm_statistic(model_rdm: ArrayLike, rdms: ArrayLike, method: str = "pearson") -> Statistic:
    """Correlation of a model's RDM with each subject's, averaged over subjects.

    Pair (i, j), i < j, has weight w_i w_j. This is what resampling concepts gives, without the pairs of two
    copies of the same concept: their dissimilarity is zero by construction and would raise any correlation.
    For ``spearman`` the dissimilarities are ranked once, over all pairs, and not again in each draw. With all
    weights one that is the Spearman correlation.

    Each subject is compared over the pairs that are not NaN in its RDM and in the model's: they are ranked,
    and their mean is taken, among themselves. In a draw the mean is over the subjects that have three of
    their pairs in it, with variance.

    Parameters
    ----------
    model_rdm : array_like, shape (n, n)
        The model's RDM. Pairs may be NaN.
    rdms : array_like, shape (s, n, n)
        One RDM per subject. Pairs may be NaN.
    method : str
        ``pearson``, ``spearman`` or ``cosine``.

    Returns
    -------
    Statistic
        Weights (b, n) -> correlations (b,). NaN where fewer than three concepts have weight, or where the
        pairs with weight have no variance.

    Raises
    ------
    ValueError
        If an argument is not an RDM, shapes differ, all dissimilarities of an RDM are equal, or a subject has
        fewer than three pairs with the model.

    Examples
    --------
    RSA: a model's RDM, the RDMs of three subjects, the correlation with its interval, and the noise ceiling.

    >>> import numpy as np
    >>> from benchmark.inference import bootstrap_weights, estimate, noise_ceiling, rdm_statistic
    >>> from benchmark.measures import rdm
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=(12, 20))
    >>> subjects = np.stack([rdm(truth + 0.5 * rng.normal(size=truth.shape)) for _ in range(3)])
    >>> model = rdm(truth + 0.5 * rng.normal(size=truth.shape))
    >>> statistic = rdm_statistic(model, subjects, "spearman")
    >>> result = estimate(statistic, bootstrap_weights(n=12, draws=1000, rng=0))
    >>> round(result.score, 2), round(result.low, 2), round(result.high, 2)
    (0.63, 0.37, 0.8)
    >>> lower, upper = noise_ceiling(subjects, "spearman")
    >>> round(lower, 2), round(upper, 2)
    (0.71, 0.87)
    """
    return SubjectRDMs(rdms, method).statistic(model_rdm)


class SubjectRDMs:
    """The RDMs of a target's subjects, standardised once for the statistics of any number of models.

    Their weighted means and variances serve all models too, where statistics are evaluated together
    (:func:`values_of`).

    Parameters
    ----------
    rdms : array_like, shape (s, n, n)
        One RDM per subject. Pairs may be NaN.
    method : str
        ``pearson``, ``spearman`` or ``cosine``.

    Raises
    ------
    ValueError
        If an RDM is none.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import SubjectRDMs, values_of
    >>> from benchmark.measures import rdm
    >>> rng = np.random.default_rng(0)
    >>> subject, *layers = (rdm(rng.normal(size=(6, 9))) for _ in range(3))
    >>> target = SubjectRDMs(subject)
    >>> found = values_of([target.statistic(layer) for layer in layers], np.ones((1, 6)))
    >>> [float(values[0].round(2)) for values in found]
    [-0.26, 0.39]
    """

    def __init__(self, rdms: ArrayLike, method: str = "pearson") -> None:
        self._rdms = as_rdms(rdms, "rdms", missing=True)
        self._method = method
        self._pairs = by_pairs(self._rdms)

    @cached_property
    def _subjects(self) -> list[_Subjects]:
        return [_Subjects(self._rdms, members, used, self._method) for used, members in self._pairs]

    def statistic(self, model_rdm: ArrayLike) -> Statistic:
        """The statistic of one model, as :func:`rdm_statistic`.

        Parameters
        ----------
        model_rdm : array_like, shape (n, n)
            The model's RDM. Pairs may be NaN; then nothing is shared with other models.

        Returns
        -------
        Statistic

        Raises
        ------
        ValueError
            As :func:`rdm_statistic`.
        """
        parts = self._beside(model_rdm)

        def correlations(weights: Float64, target: list[_Weighted]) -> Float64:
            total, counted = np.zeros(len(weights)), np.zeros(len(weights))
            for part, of_part in zip(parts, target, strict=True):
                part.add(of_part, total, counted)
            return ratio(total, counted)

        if all(part.subjects in self._subjects for part in parts):
            return SharedStatistic(self._weighted, correlations)
        return SharedStatistic(
            lambda weights: _weighted([part.subjects for part in parts], weights), correlations
        )

    def _beside(self, model_rdm: ArrayLike) -> list[_Part]:
        """The model with those subjects that have the same pairs, for each set of pairs."""
        model = as_rdm(model_rdm, "model_rdm", missing=True)
        if model.shape != self._rdms.shape[1:]:
            raise ValueError(
                f"model_rdm has shape {model.shape} and rdms {self._rdms.shape}: expected the same conditions"
            )
        of_model = measured_pairs(model)
        if of_model is None:
            return [_Part(model, subjects) for subjects in self._subjects]
        return [
            _Part(model, _Subjects(self._rdms, members, both(of_model, used), self._method))
            for used, members in self._pairs
        ]

    def _weighted(self, weights: Float64) -> list[_Weighted]:
        return _weighted(self._subjects, weights)


def _weighted(subjects: list[_Subjects], weights: Float64) -> list[_Weighted]:
    if subjects:
        require_weights(weights, len(subjects[0].rdms[0]))
    return [some.weighted(weights) for some in subjects]


def rdm_pair_statistic(model_rdm: ArrayLike, rdms: ArrayLike, method: str = "pearson") -> PairStatistic:
    """The value of :func:`rdm_statistic` as a function of the weights of pairs.

    Parameters
    ----------
    model_rdm : array_like, shape (n, n)
        The model's RDM. Pairs may be NaN.
    rdms : array_like, shape (s, n, n)
        One RDM per subject. Pairs may be NaN.
    method : str
        ``pearson``, ``spearman`` or ``cosine``.

    Returns
    -------
    PairStatistic
        Weights of the pairs (n (n - 1) / 2,), row by row of the upper triangle -> correlation, averaged over
        the subjects that have variance in their pairs with weight. NaN where no subject has.

    Raises
    ------
    ValueError
        As :func:`rdm_statistic`.

    Examples
    --------
    Without the last condition.

    >>> import numpy as np
    >>> from benchmark.inference import rdm_pair_statistic, rdm_statistic
    >>> from benchmark.measures import rdm
    >>> rng = np.random.default_rng(0)
    >>> model, subject = (rdm(rng.normal(size=(6, 9))) for _ in range(2))
    >>> kept = np.arange(6) < 5
    >>> round(rdm_pair_statistic(model, [subject])(np.outer(kept, kept)[np.triu_indices(6, 1)]), 3)
    0.02
    >>> rdm_statistic(model, [subject])(1.0 * kept[None]).round(3)
    array([0.02])
    """
    parts = [part.by_pairs() for part in SubjectRDMs(rdms, method)._beside(model_rdm)]

    def statistic(weights: Float64) -> float:
        correlations = np.concatenate([part(weights) for part in parts])
        defined = correlations[~np.isnan(correlations)]
        return float(defined.mean()) if len(defined) else float("nan")

    return statistic


@dataclass(frozen=True)
class _Weighted:
    """Subjects with their moments for some weights, over the conditions that have weight in any draw."""

    weights: Float64
    kept: tuple[np.ndarray, ...]
    pairs: Float64
    enough: NDArray[np.bool_]
    moments: list[Moments]


class _Subjects:
    """Those subjects that have the same pairs in use, standardised over them."""

    def __init__(self, rdms: Float64, members: list[int], used: Used | None, method: str) -> None:
        if used is not None:
            require_pairs(int(used.sum()), f"model_rdm and rdms[{members[0]}] share")
        self.members, self.used, self.method = members, used, method
        self.links = links(used)
        self.rdms = [standardised(rdms[i], method, f"rdms[{i}]", used) for i in members]

    def weighted(self, weights: Float64) -> _Weighted:
        """The moments of each subject."""
        # In a halving, half of the concepts has no weight in any draw. Leaving it out saves three quarters.
        kept: NDArray[np.bool_] = np.asarray(weights.any(axis=0))
        w, used_pairs = weights[:, kept], np.ix_(kept, kept)
        pairs, enough = weighted_pairs(w, None if self.links is None else self.links[used_pairs])
        moments = [Moments.from_weights(w, rdm[used_pairs], pairs, self.method) for rdm in self.rdms]
        return _Weighted(w, used_pairs, pairs, enough, moments)


class _Part:
    """A model's RDM and subjects that have the same pairs, standardised over the pairs in use."""

    def __init__(self, model: Float64, subjects: _Subjects) -> None:
        self.subjects = subjects
        self._model = standardised(model, subjects.method, "model_rdm", subjects.used)

    def by_pairs(self) -> Callable[[Float64], Float64]:
        """Weights of all pairs -> the correlation with each subject, (s,). NaN without variance."""
        upper = np.triu_indices(len(self._model), 1)
        used = 1.0 if self.subjects.links is None else self.subjects.links[upper]
        model, rows = self._model[upper], np.array([subject[upper] for subject in self.subjects.rdms])
        squares, centred = rows**2, float(self.subjects.method != "cosine")

        def correlations(weights: Float64) -> Float64:
            with np.errstate(invalid="ignore", divide="ignore"):
                w = weights * used
                w /= w.sum()
                of_model = w * model
                mean, means = centred * of_model.sum(), centred * (rows @ w)
                variances = (squares @ w - means**2) * (of_model @ model - mean**2)
                lengths = np.sqrt(np.where(variances > NO_VARIANCE**2, variances, np.nan))
                found: Float64 = (rows @ of_model - mean * means) / lengths
            return found

        return correlations

    def add(self, target: _Weighted, total: Float64, counted: Float64) -> None:
        """Add the correlations (b,) to ``total``, and to ``counted`` the number of subjects that have one.

        A subject without missing pairs has one wherever three concepts have weight; it can be NaN.
        """
        w, pairs = target.weights, target.pairs
        model = Moments.from_weights(w, self._model[target.kept], pairs, self.subjects.method)
        for subject in target.moments:
            correlation = model.correlation(subject, w, pairs)
            takes_part = target.enough
            if self.subjects.links is not None:
                takes_part = takes_part & ~np.isnan(correlation)
            total += np.where(takes_part, correlation, 0)
            counted += takes_part
