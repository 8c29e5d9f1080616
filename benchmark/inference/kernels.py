"""Debiased CKA as a function of concept weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from benchmark.inference._pairs import pair_sum
from benchmark.inference.statistics import Statistic
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
    x = _unit(u_centred(model_kernel))
    ys = [_unit(u_centred(kernel)) for kernel in np.asarray(kernels)]
    if any(y.shape != x.shape for y in ys) or not ys:
        raise ValueError(
            f"model_kernel has shape {x.shape} and kernels {np.shape(kernels)}: expected the same conditions"
        )

    def statistic(weights: Float64) -> Float64:
        if weights.ndim != 2 or weights.shape[1] != len(x):
            raise ValueError(f"weights has shape {weights.shape}: expected (b, {len(x)})")
        enough = ((weights > 0).sum(axis=1) >= 4) & (weights.max(axis=1) < weights.sum(axis=1) / 2)
        values = np.full(len(weights), np.nan)
        # In a halving, half of the concepts has no weight in any draw. Leaving it out saves three quarters.
        kept = weights.any(axis=0)
        w, used = weights[np.ix_(enough, kept)], np.ix_(kept, kept)
        mine = x[used]
        sums = w @ mine
        additive = _additive(w, sums)
        own = _own(w, mine, additive, sums)
        total = np.zeros(len(w))
        for y in ys:
            theirs = y[used]
            sums = w @ theirs
            with np.errstate(invalid="ignore"):
                lengths = np.sqrt(own * _own(w, theirs, _additive(w, sums), sums))
                total += _product(w, pair_sum(w, mine * theirs), additive, sums) / lengths
        values[enough] = total / len(ys)
        return values

    return statistic


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
