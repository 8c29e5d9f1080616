"""Debiased CKA as a function of concept weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from benchmark.inference._pairs import pair_sum
from benchmark.inference.statistics import SharedStatistic, Statistic
from benchmark.measures._checks import Float64

#: If less than this share of a kernel is left without its additive part, the rest is rounding
_NOTHING = 1e-12


def u_centred(kernel: ArrayLike) -> Float64:
    """A kernel without the part that is additive in its conditions (*U*-centring).

    The correlation over pairs of two such matrices is the debiased CKA. A kernel and the RDM of its squared
    distances give the same matrix, up to the sign and a factor of two.

    Parameters
    ----------
    kernel : array_like, shape (n, n)
        Symmetric, n >= 4. The diagonal is not read.

    Returns
    -------
    ndarray, shape (n, n)
        Symmetric, with a zero diagonal. Each row sums to zero.

    Raises
    ------
    ValueError
        If the shape does not fit or a value is not finite.

    References
    ----------
    Székely & Rizzo (2014), Annals of Statistics 42, 2382-2412.

    Examples
    --------
    The correlation over pairs of two centred kernels is the debiased CKA of the features.

    >>> import numpy as np
    >>> from benchmark.inference import u_centred
    >>> from benchmark.measures import linear_cka
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(2, 12, 5))
    >>> pairs = np.triu_indices(12, 1)
    >>> k, l = u_centred(x @ x.T)[pairs], u_centred(y @ y.T)[pairs]
    >>> round(float(np.corrcoef(k, l)[0, 1]), 3)
    0.042
    >>> round(linear_cka(x, y, debiased=True), 3)
    0.042
    """
    pairs = np.array(kernel, dtype=np.float64)
    if pairs.ndim != 2 or pairs.shape[0] != pairs.shape[1] or len(pairs) < 4:
        raise ValueError(f"kernel has shape {pairs.shape}: expected (n, n) with n >= 4")
    np.fill_diagonal(pairs, 0)
    if not np.isfinite(pairs).all():
        raise ValueError(f"kernel of shape {pairs.shape} has values that are not finite")
    n = len(pairs)
    sums = pairs.sum(axis=1)
    additive = (sums - sums.sum() / (2 * (n - 1))) / (n - 2)
    pairs -= additive[:, None]
    pairs -= additive
    np.fill_diagonal(pairs, 0)
    return pairs


def cka_statistic(model_kernel: ArrayLike, kernels: ArrayLike) -> Statistic:
    r"""Debiased CKA of a model's kernel with each subject's kernel, averaged over subjects.

    Pair (i, j), i < j, has weight w_i w_j. Pairs of two copies of one concept are left out, because they
    would be alike in any two spaces. In each draw the additive part is computed and removed anew, by least
    squares over the weighted pairs: :math:`a_i = (r_i - S) / (W - 2 w_i)` with :math:`r = \tilde K w`,
    :math:`W = \sum w`, :math:`S = \sum w_i a_i`. With all weights one the value is that of
    :func:`benchmark.measures.linear_cka` with ``debiased``.

    Parameters
    ----------
    model_kernel : array_like, shape (n, n)
        Symmetric. The diagonal is not read.
    kernels : array_like, shape (s, n, n)
        One kernel per subject.

    Returns
    -------
    Statistic
        Weights (b, n) -> CKA (b,); greater is more alike. NaN where fewer than four concepts have weight,
        where one concept has half of the weight or more, or where nothing is left without the additive part.

    Raises
    ------
    ValueError
        As :func:`u_centred`, or if the shapes differ.

    Examples
    --------
    CKA of a model with one subject, and its interval over concepts.

    >>> import numpy as np
    >>> from benchmark.inference import bootstrap_weights, cka_statistic, estimate
    >>> rng = np.random.default_rng(0)
    >>> subject = rng.normal(size=(15, 6))
    >>> model = subject + 0.5 * rng.normal(size=subject.shape)
    >>> statistic = cka_statistic(model @ model.T, [subject @ subject.T])
    >>> result = estimate(statistic, bootstrap_weights(n=15, draws=500, rng=0))
    >>> round(result.score, 2), round(result.low, 2), round(result.high, 2)
    (0.83, 0.63, 0.93)
    """
    return SubjectKernels(kernels).statistic(model_kernel)


class SubjectKernels:
    """The kernels of a target's subjects, whose part of :func:`cka_statistic` serves any number of models.

    Parameters
    ----------
    kernels : array_like, shape (s, n, n)
        One kernel per subject.

    Raises
    ------
    ValueError
        As :func:`u_centred`.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import SubjectKernels
    >>> subject, *layers = np.random.default_rng(0).normal(size=(3, 15, 6))
    >>> target = SubjectKernels([subject @ subject.T])
    >>> [float(target.statistic(x @ x.T)(np.ones((1, 15)))[0].round(3)) for x in layers]
    [0.057, 0.185]
    """

    def __init__(self, kernels: ArrayLike) -> None:
        self._kernels = [_unit(u_centred(kernel)) for kernel in np.asarray(kernels)]

    def statistic(self, model_kernel: ArrayLike) -> Statistic:
        """The statistic of one model, as :func:`cka_statistic`.

        Parameters
        ----------
        model_kernel : array_like, shape (n, n)
            Symmetric. The diagonal is not read.

        Returns
        -------
        Statistic

        Raises
        ------
        ValueError
            As :func:`cka_statistic`.
        """
        x = _unit(u_centred(model_kernel))
        if any(y.shape != x.shape for y in self._kernels) or not self._kernels:
            raise ValueError(
                f"model_kernel has shape {x.shape} and kernels {[y.shape for y in self._kernels]}: "
                "expected the same conditions"
            )

        def beside(weights: Float64, target: _Weighted) -> Float64:
            w, values = target.weights, np.full(len(weights), np.nan)
            model = _Kernel.of(w, x[target.kept])
            total = np.zeros(len(w))
            for subject in target.subjects:
                products = pair_sum(w, model.entries * subject.entries)
                with np.errstate(invalid="ignore"):
                    lengths = np.sqrt(model.own * subject.own)
                    total += _product(w, products, model.additive, subject.sums) / lengths
            values[target.enough] = total / len(target.subjects)
            return values

        return SharedStatistic(self._weighted, beside)

    def _weighted(self, weights: Float64) -> _Weighted:
        n = len(self._kernels[0])
        if weights.ndim != 2 or weights.shape[1] != n:
            raise ValueError(f"weights has shape {weights.shape}: expected (b, {n})")
        enough = ((weights > 0).sum(axis=1) >= 4) & (weights.max(axis=1) < weights.sum(axis=1) / 2)
        # In a halving, half of the concepts has no weight in any draw. Leaving it out saves three quarters.
        kept = weights.any(axis=0)
        w, used = weights[np.ix_(enough, kept)], np.ix_(kept, kept)
        return _Weighted(w, enough, used, [_Kernel.of(w, kernel[used]) for kernel in self._kernels])


@dataclass(frozen=True)
class _Kernel:
    """A kernel, its sums over conditions and its additive part, (b, n) each, and its square, (b,)."""

    entries: Float64
    sums: Float64
    additive: Float64
    own: Float64

    @classmethod
    def of(cls, w: Float64, entries: Float64) -> _Kernel:
        sums = w @ entries
        additive = _additive(w, sums)
        return cls(entries, sums, additive, _own(w, entries, additive, sums))


@dataclass(frozen=True)
class _Weighted:
    """Subjects for the weights of those draws that have enough conditions, over those with weight in any."""

    weights: Float64
    enough: np.ndarray
    kept: tuple[np.ndarray, ...]
    subjects: list[_Kernel]


def _additive(w: Float64, sums: Float64) -> Float64:
    """The additive part of each condition in each draw, (b, n), from the sums over the other conditions."""
    denominator = w.sum(axis=1, keepdims=True) - 2 * w
    total = (w * sums / denominator).sum(axis=1) / (1 + (w / denominator).sum(axis=1))
    part: Float64 = (sums - total[:, None]) / denominator
    return part


def _product(w: Float64, over_pairs: Float64, additive: Float64, sums: Float64) -> Float64:
    """Sum over pairs, in both orders, of the product of two kernels without their additive parts, (b,).

    ``over_pairs`` is the sum of the product as they are, over pairs in one order.
    """
    form: Float64 = 2 * over_pairs - 2 * (w * additive * sums).sum(axis=1)
    return form


def _own(w: Float64, kernel: Float64, additive: Float64, sums: Float64) -> Float64:
    """The product of a kernel with itself. NaN where it is only rounding."""
    whole = pair_sum(w, kernel**2)
    product = _product(w, whole, additive, sums)
    return np.where(product > 2 * _NOTHING * whole, product, np.nan)


def _unit(pairs: Float64) -> Float64:
    """The entries divided by the greatest absolute value. A kernel of zeros stays unchanged."""
    largest = np.abs(pairs).max()
    scaled: Float64 = pairs / (largest if largest > 0 else 1)
    return scaled
