"""Statistics as functions of concept weights. The same function serves score, bootstrap and halves.

A statistic takes weights (b, n), not negative, and gives values (b,); NaN where it is undefined. A sum over
pairs of concepts with weights w_i w_j is the quadratic form w' M w, so that one matrix product serves all b.
"""

from __future__ import annotations

from collections.abc import Callable

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
    pair_sum,
    standardised,
    weighted_pairs,
)
from benchmark.measures._checks import Float64, as_rdm, as_rdms, require_pairs

Statistic = Callable[[Float64], Float64]
#: Weights of the pairs of concepts, row by row of the upper triangle -> the score; NaN where it is undefined
PairStatistic = Callable[[Float64], float]


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
    parts = _parts(model_rdm, rdms, method)
    n = len(parts[0])

    def statistic(weights: Float64) -> Float64:
        _require_weights(weights, n)
        # In a halving, half of the concepts has no weight in any draw. Leaving it out saves three quarters.
        kept: NDArray[np.bool_] = np.asarray(weights.any(axis=0))
        w = weights[:, kept]
        total, counted = np.zeros(len(w)), np.zeros(len(w))
        for part in parts:
            part.add(w, kept, total, counted)
        return _ratio(total, counted)

    return statistic


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
    parts = [part.by_pairs() for part in _parts(model_rdm, rdms, method)]

    def statistic(weights: Float64) -> float:
        correlations = np.concatenate([part(weights) for part in parts])
        defined = correlations[~np.isnan(correlations)]
        return float(defined.mean()) if len(defined) else float("nan")

    return statistic


def _parts(model_rdm: ArrayLike, rdms: ArrayLike, method: str) -> list[_Part]:
    """The model with those subjects that have the same pairs, for each set of pairs."""
    subjects = as_rdms(rdms, "rdms", missing=True)
    model = as_rdm(model_rdm, "model_rdm", missing=True)
    if model.shape != subjects.shape[1:]:
        raise ValueError(
            f"model_rdm has shape {model.shape} and rdms {subjects.shape}: expected the same conditions"
        )
    return [
        _Part(model, subjects, members, both(measured_pairs(model), used), method)
        for used, members in by_pairs(subjects)
    ]


class _Part:
    """A model's RDM and those subjects' RDMs that have the same pairs, standardised over the pairs in use."""

    def __init__(
        self, model: Float64, subjects: Float64, members: list[int], used: Used | None, method: str
    ) -> None:
        if used is not None:
            require_pairs(int(used.sum()), f"model_rdm and rdms[{members[0]}] share")
        self._method = method
        self._model = standardised(model, method, "model_rdm", used)
        self._subjects = [standardised(subjects[i], method, f"rdms[{i}]", used) for i in members]
        self._links = links(used)

    def __len__(self) -> int:
        return len(self._model)

    def by_pairs(self) -> Callable[[Float64], Float64]:
        """Weights of all pairs -> the correlation with each subject, (s,). NaN without variance."""
        upper = np.triu_indices(len(self), 1)
        used = 1.0 if self._links is None else self._links[upper]
        model, rows = self._model[upper], np.array([subject[upper] for subject in self._subjects])
        squares, centred = rows**2, float(self._method != "cosine")

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

    def add(self, w: Float64, kept: NDArray[np.bool_], total: Float64, counted: Float64) -> None:
        """Add the correlations (b,) to ``total``, and to ``counted`` the number of subjects that have one.

        A subject without missing pairs has one wherever three concepts have weight; it can be NaN.
        """
        used_pairs = np.ix_(kept, kept)
        pairs, enough = weighted_pairs(w, None if self._links is None else self._links[used_pairs])
        model = Moments.from_weights(w, self._model[used_pairs], pairs, self._method)
        for subject in self._subjects:
            moments = Moments.from_weights(w, subject[used_pairs], pairs, self._method)
            correlation = model.correlation(moments, w, pairs)
            takes_part = enough if self._links is None else enough & ~np.isnan(correlation)
            total += np.where(takes_part, correlation, 0)
            counted += takes_part


def pair_statistic(values: ArrayLike) -> Statistic:
    """Mean of one value per pair of concepts (a 2 vs 2 outcome), with pairs weighted w_i w_j.

    Parameters
    ----------
    values : array_like, shape (k, k)
        Only entries above the diagonal are read. A pair that is NaN gets no weight.

    Returns
    -------
    Statistic
        Weights (b, k) -> means (b,). NaN where no pair has weight.

    Raises
    ------
    ValueError
        If ``values`` is not square.

    Examples
    --------
    2 vs 2 accuracy with its interval over concepts.

    >>> import numpy as np
    >>> from benchmark.inference import bootstrap_weights, estimate, pair_statistic
    >>> from benchmark.measures import two_vs_two
    >>> rng = np.random.default_rng(0)
    >>> words = rng.normal(size=(12, 20))
    >>> images = words @ rng.normal(size=(20, 30)) + 6 * rng.normal(size=(12, 30))
    >>> outcomes = two_vs_two(words, images, margins=True).outcomes
    >>> result = estimate(pair_statistic(outcomes), bootstrap_weights(n=12, draws=1000, rng=0))
    >>> round(result.score, 2), round(result.low, 2), round(result.high, 2)
    (0.76, 0.56, 0.93)
    """
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"values has shape {matrix.shape}: expected (k, k), one value per pair of concepts")
    above = np.triu(np.ones(matrix.shape, dtype=bool), 1)
    defined = (above & ~np.isnan(matrix)).astype(np.float64)
    numbers = np.where(defined > 0, matrix, 0)

    # Mirrored, because the quadratic form needs symmetric matrices.
    numbers, defined = numbers + numbers.T, defined + defined.T

    def statistic(weights: Float64) -> Float64:
        _require_weights(weights, len(matrix))
        return _ratio(pair_sum(weights, numbers), pair_sum(weights, defined))

    return statistic


def mean_statistic(values: ArrayLike, n: int | None = None) -> Statistic:
    """Weighted mean of one value per concept.

    Parameters
    ----------
    values : array_like, shape (k,)
        One value per concept. NaN gets no weight.
    n : int, optional
        Number of concepts. If given, the length of ``values`` is checked.

    Returns
    -------
    Statistic
        Weights (b, k) -> means (b,). NaN where no value has weight.

    Raises
    ------
    ValueError
        If ``values`` is not a vector, or not of length ``n``.

    Examples
    --------
    The mean with every concept once, and with the first concept twice and the last left out.

    >>> import numpy as np
    >>> from benchmark.inference import mean_statistic
    >>> statistic = mean_statistic([1.0, 0.0, 0.5])
    >>> statistic(np.array([[1.0, 1.0, 1.0], [2.0, 1.0, 0.0]])).round(3)
    array([0.5  , 0.667])
    """
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or (n is not None and len(numbers) != n):
        raise ValueError(f"values has shape {numbers.shape}: expected ({'k' if n is None else n},)")
    return _weighted_mean(np.where(np.isnan(numbers), 0, numbers), (~np.isnan(numbers)).astype(np.float64))


def grouped_mean_statistic(values: ArrayLike, group: ArrayLike) -> Statistic:
    """Weighted mean of values that belong to concepts (such as an outcome of each stimulus).

    Parameters
    ----------
    values : array_like, shape (m,)
        One value per stimulus. NaN gets no weight.
    group : array_like of int, shape (m,)
        Number of the concept that each value belongs to. The value has that concept's weight.

    Returns
    -------
    Statistic
        Weights (b, k) -> means (b,). NaN where no value has weight.

    Raises
    ------
    ValueError
        If the shapes differ, or ``group`` does not hold numbers of concepts.

    Examples
    --------
    Three stimuli of two concepts. In the second row the first concept has no weight.

    >>> import numpy as np
    >>> from benchmark.inference import grouped_mean_statistic
    >>> statistic = grouped_mean_statistic([1.0, 0.0, 1.0], group=[0, 0, 1])
    >>> statistic(np.array([[1.0, 1.0], [0.0, 1.0]])).round(3)
    array([0.667, 1.   ])
    """
    numbers, concepts = np.asarray(values, dtype=np.float64), np.asarray(group)
    if numbers.ndim != 1 or numbers.shape != concepts.shape:
        raise ValueError(
            f"values and group have shapes {numbers.shape} and {concepts.shape}: expected two (m,)"
        )
    if not np.issubdtype(concepts.dtype, np.integer) or (concepts < 0).any():
        raise ValueError(f"group of dtype {concepts.dtype}: expected indices of concepts, not negative")
    defined = ~np.isnan(numbers)

    def statistic(weights: Float64) -> Float64:
        n = weights.shape[1]
        if concepts.max(initial=-1) >= n:
            raise ValueError(f"weights has shape {weights.shape}: group names concept {concepts.max()}")
        counts = np.bincount(concepts[defined], minlength=n).astype(np.float64)
        sums = np.bincount(concepts[defined], weights=numbers[defined], minlength=n)
        return _ratio(weights @ sums, weights @ counts)

    return statistic


def _weighted_mean(numbers: Float64, defined: Float64) -> Statistic:
    def statistic(weights: Float64) -> Float64:
        _require_weights(weights, len(numbers))
        return _ratio(weights @ numbers, weights @ defined)

    return statistic


def _ratio(numerator: Float64, denominator: Float64) -> Float64:
    undefined = np.full(numerator.shape, np.nan)
    ratio: Float64 = np.divide(numerator, denominator, out=undefined, where=denominator > 0)
    return ratio


def _require_weights(weights: Float64, n: int) -> None:
    if weights.ndim != 2 or weights.shape[1] != n:
        raise ValueError(f"weights has shape {weights.shape}: expected (b, {n})")
