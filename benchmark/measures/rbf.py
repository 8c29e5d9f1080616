"""The Gaussian kernel of a space, and CKA with it, which is more about near neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from benchmark.measures._checks import Float64
from benchmark.measures.alignment import cka_of_products, pair_of_spaces
from benchmark.measures.rdm import rdm

#: Width of the Gaussian, as a fraction of the median distance of two conditions
BANDWIDTH = 0.4
#: If centring leaves less than this of a kernel, whose diagonal is one, the rest is rounding
_NOTHING = 1e-12


def rbf_kernel(x: ArrayLike, bandwidth: float = BANDWIDTH) -> Float64:
    r"""Gaussian kernel (radial basis function) of the conditions of a space.

    .. math::
        K_{ij} = \exp\Big(-\frac{\|x_i - x_j\|^2}{2 \sigma^2}\Big), \qquad
        \sigma = \text{bandwidth} \cdot \operatorname{median}_{i < j} \|x_i - x_j\|

    Invariant to translation, rotation and scale of the space, because the width follows the distances.

    Parameters
    ----------
    x : array_like, shape (n, d)
        One row per condition.
    bandwidth : float
        Fraction of the median distance. The smaller it is, the more the kernel is about near neighbours.
        With a great one the centred kernel tends to the linear one.

    Returns
    -------
    ndarray, shape (n, n)
        Symmetric, with ones on the diagonal, within (0, 1].

    Raises
    ------
    ValueError
        If a value is not finite, ``bandwidth`` is not positive, or the median distance is zero.

    References
    ----------
    Kornblith, Norouzi, Lee & Hinton (2019), Proc. ICML (fractions .2, .4 and .8 of the median distance).

    Examples
    --------
    >>> from benchmark.measures import rbf_kernel
    >>> rbf_kernel([[0.0], [1.0], [3.0]], bandwidth=1.0).round(2)
    array([[1.  , 0.88, 0.32],
           [0.88, 1.  , 0.61],
           [0.32, 0.61, 1.  ]])
    """
    if not bandwidth > 0:
        raise ValueError(f"bandwidth is {bandwidth}: expected a positive fraction of the median distance")
    squares = np.asarray(rdm(np.asarray(x, dtype=np.float64), "sqeuclidean"), dtype=np.float64)
    median = float(np.median(np.sqrt(squares[np.triu_indices(len(squares), 1)])))
    if median == 0:
        raise ValueError(f"x of shape {np.shape(x)} has a median distance of zero: kernel undefined")
    kernel: Float64 = np.exp(squares / (-2 * (bandwidth * median) ** 2))
    return kernel


def rbf_cka(x: ArrayLike, y: ArrayLike, *, bandwidth: float = BANDWIDTH, debiased: bool = False) -> float:
    """Centred kernel alignment with Gaussian kernels.

    As :func:`linear_cka`, with :func:`rbf_kernel` in place of the inner products. Symmetric. Invariant to
    translation, rotation and scale of each space, and to the order of the rows when both are reordered alike.

    Parameters
    ----------
    x : array_like, shape (n, p)
        One row per condition, n >= 3 (n >= 4 for ``debiased``). The computation is in float64.
    y : array_like, shape (n, q)
        The same conditions in the same order.
    bandwidth : float
        Width of the Gaussian, as a fraction of the median distance in each space.
    debiased : bool
        Whether to use the unbiased estimate of HSIC.

    Returns
    -------
    float
        1 means: the same up to the invariances. Greater is more alike. Within [0, 1]. With ``debiased``
        within [-1, 1], and 0 is expected of independent spaces.

    Raises
    ------
    ValueError
        If shapes do not fit, a value is not finite, or the kernel of a space is not defined or has no
        variance.

    References
    ----------
    Kornblith, Norouzi, Lee & Hinton (2019), Proc. ICML. Song et al. (2012), Journal of Machine Learning
    Research 13, 1393-1434 (unbiased HSIC).

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.measures import rbf_cka
    >>> rng = np.random.default_rng(0)
    >>> x, independent = rng.normal(size=(2, 40, 5))
    >>> round(rbf_cka(x, x + 0.3 * rng.normal(size=x.shape), debiased=True), 2)
    0.85
    >>> round(rbf_cka(x, independent), 2), round(rbf_cka(x, independent, debiased=True), 2)
    (0.56, 0.01)
    """
    spaces = pair_of_spaces(x, y, least=4 if debiased else 3)
    left, right = (
        _centred(rbf_kernel(space, bandwidth), name) for name, space in zip("xy", spaces, strict=True)
    )
    products = [float(np.vdot(a, b)) for a, b in ((left, right), (left, left), (right, right))]
    return cka_of_products(products, (np.diagonal(left), np.diagonal(right)), debiased=debiased)


def _centred(kernel: Float64, name: str) -> Float64:
    """A kernel with rows and columns centred, at unit Frobenius norm."""
    for axis in (0, 1):
        kernel = kernel - kernel.mean(axis=axis, keepdims=True)
    norm = np.sqrt(np.vdot(kernel, kernel))
    if norm <= _NOTHING * len(kernel):
        raise ValueError(f"{name} has a kernel of shape {kernel.shape} without variance: CKA undefined")
    return np.asarray(kernel / norm)
