"""Canonical correlation analysis of two spaces: mean CCA, SVCCA and PWCCA."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from benchmark.measures._checks import Float64
from benchmark.measures.alignment import pair_of_spaces, unit_centred

#: A singular value below this share of the greatest is zero: ten times the rounding of float32 features
_RANK = 1e-6
#: Share of the variance that SVCCA keeps (Raghu et al. 2017)
KEPT_VARIANCE = 0.99


@dataclass(frozen=True)
class CanonicalSpace:
    """A centred space in an orthonormal basis of its columns: ``basis @ loadings``.

    Attributes
    ----------
    basis : ndarray, shape (n, r)
        Orthonormal columns, with mean zero.
    loadings : ndarray, shape (r, d)
        The columns of the space in that basis.
    """

    basis: Float64
    loadings: Float64

    @classmethod
    def from_features(cls, x: Float64, name: str, variance: float = 1.0) -> CanonicalSpace:
        """The principal components that hold the share ``variance`` of the variance of ``x`` (n, d).

        ``name`` is that of ``x``, for messages.
        """
        left, sizes, right = np.linalg.svd(unit_centred(x, name), full_matrices=False)
        rank = int((sizes > _RANK * sizes[0]).sum())
        if variance < 1:
            held = np.cumsum(sizes[:rank] ** 2) / (sizes[:rank] ** 2).sum()
            rank = min(int(np.searchsorted(held, variance)) + 1, rank)
        return cls(left[:, :rank], sizes[:rank, None] * right[:rank])


def canonical_correlations(a: CanonicalSpace, b: CanonicalSpace) -> Float64:
    """Canonical correlations of ``a`` and ``b``, the greatest first, (min(r, s),).

    Raises
    ------
    ValueError
        If some are 1 for any data: the two spaces of r and s dimensions must meet among n - 1 dimensions.
    """
    _require_free(a, b)
    correlations = np.linalg.svd(a.basis.T @ b.basis, compute_uv=False)
    return np.asarray(np.minimum(correlations, 1.0))


def mean_cca(x: ArrayLike, y: ArrayLike) -> float:
    r"""Mean canonical correlation of two spaces.

    .. math::
        \bar\rho = \frac{1}{\min(r, s)} \sum_i \rho_i, \qquad
        \rho_i = \max_{a_i, b_i} \operatorname{corr}(X a_i, Y b_i),

    where each pair of variates is uncorrelated with the pairs before it, and r and s are the ranks. The
    :math:`\rho_i` are the singular values of :math:`Q_x' Q_y`, with orthonormal bases of the centred columns.

    Symmetric. Invariant to invertible affine maps of each space, so that directions of little variance count
    as much as the others. Independent spaces have a value well above zero, which grows with (r + s) / n. So
    values are comparable only for the same n, and beside a permutation of the rows.

    Parameters
    ----------
    x : array_like, shape (n, p)
        One row per condition. The computation is in float64.
    y : array_like, shape (n, q)
        The same conditions in the same order.

    Returns
    -------
    float
        Within [0, 1]. 1 means: the columns of one space are linear functions of those of the other.

    Raises
    ------
    ValueError
        If shapes do not fit, a value is not finite, or all rows of a space are the same. Also if the ranks
        add up to n or more: then some of the correlations are 1 for any data. So it is where n <= p.

    References
    ----------
    Hotelling (1936), Biometrika 28, 321-377. Kornblith, Norouzi, Lee & Hinton (2019), Proc. ICML.

    Examples
    --------
    An invertible map changes nothing. Independent spaces are not at zero.

    >>> import numpy as np
    >>> from benchmark.measures import mean_cca
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(2, 60, 5))
    >>> round(mean_cca(x, x @ rng.normal(size=(5, 5))), 3)
    1.0
    >>> round(mean_cca(x, y), 2)
    0.26
    """
    return _mean_correlation(x, y, 1.0)


def svcca(x: ArrayLike, y: ArrayLike, *, variance: float = KEPT_VARIANCE) -> float:
    """Mean canonical correlation of the leading principal components of two spaces.

    Each space is reduced to the fewest principal components that hold the share ``variance`` of its variance.
    Then as :func:`mean_cca`. Symmetric. Invariant to translation, rotation and scale of each space, but not
    to other linear maps.

    Parameters
    ----------
    x : array_like, shape (n, p)
        One row per condition. The computation is in float64.
    y : array_like, shape (n, q)
        The same conditions in the same order.
    variance : float
        Share of the variance that is kept, in (0, 1].

    Returns
    -------
    float
        Within [0, 1]. Greater is more alike.

    Raises
    ------
    ValueError
        As :func:`mean_cca`, with the numbers of components that are kept as ranks. Also if ``variance`` is
        out of its range.

    References
    ----------
    Raghu, Gilmer, Yosinski & Sohl-Dickstein (2017), Advances in Neural Information Processing Systems 30.

    Examples
    --------
    Columns of next to no variance do not count.

    >>> import numpy as np
    >>> from benchmark.measures import mean_cca, svcca
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(80, 4))
    >>> y = np.hstack([x, 1e-3 * rng.normal(size=(80, 4))])
    >>> z = np.hstack([x, 1e-3 * rng.normal(size=(80, 4))])
    >>> round(mean_cca(y, z), 2), round(svcca(y, z), 2)
    (0.59, 1.0)
    """
    if not 0 < variance <= 1:
        raise ValueError(f"variance is {variance}: expected a share in (0, 1]")
    return _mean_correlation(x, y, variance)


def pwcca(x: ArrayLike, y: ArrayLike) -> float:
    r"""Mean canonical correlation, weighted by how much of ``x`` each canonical variate stands for.

    .. math::
        \sum_i \tilde\alpha_i \rho_i, \qquad \alpha_i = \sum_j |\langle h_i, x_j \rangle|, \qquad
        \tilde\alpha_i = \alpha_i / \sum_k \alpha_k,

    with :math:`h_i` the canonical variates of ``x`` at unit length, and :math:`x_j` its centred columns.

    Not symmetric: the weights come from ``x`` alone, so directions of ``x`` of little variance count little,
    and those of ``y`` count as much as all others. Invariant to invertible affine maps of ``y``; of ``x`` to
    translation, scale, and a new order or sign of its columns.

    Parameters
    ----------
    x : array_like, shape (n, p)
        One row per condition. The weights are those of this space. The computation is in float64.
    y : array_like, shape (n, q)
        The same conditions in the same order.

    Returns
    -------
    float
        Within [0, 1]. Greater is more alike.

    Raises
    ------
    ValueError
        As :func:`mean_cca`.

    References
    ----------
    Morcos, Raghu & Bengio (2018), Advances in Neural Information Processing Systems 31.

    Examples
    --------
    The two spaces share four columns. In one of them these hold nearly all the variance.

    >>> import numpy as np
    >>> from benchmark.measures import pwcca
    >>> rng = np.random.default_rng(0)
    >>> shared = rng.normal(size=(80, 4))
    >>> x = np.hstack([shared, 0.01 * rng.normal(size=(80, 4))])
    >>> y = np.hstack([shared, rng.normal(size=(80, 4))])
    >>> round(pwcca(x, y), 2), round(pwcca(y, x), 1)
    (0.99, 0.6)
    """
    return projection_weighted(*_spaces(x, y, 1.0))


def projection_weighted(a: CanonicalSpace, b: CanonicalSpace) -> float:
    """The value of :func:`pwcca` for ``a`` and ``b``; the weights are those of ``a``."""
    _require_free(a, b)
    left, correlations, _ = np.linalg.svd(a.basis.T @ b.basis, full_matrices=False)
    weights = np.abs(left.T @ a.loadings).sum(axis=1)
    return float(np.minimum(correlations, 1.0) @ weights / weights.sum())


def _mean_correlation(x: ArrayLike, y: ArrayLike, variance: float) -> float:
    return float(canonical_correlations(*_spaces(x, y, variance)).mean())


def _spaces(x: ArrayLike, y: ArrayLike, variance: float) -> tuple[CanonicalSpace, CanonicalSpace]:
    left, right = pair_of_spaces(x, y, least=3)
    return (
        CanonicalSpace.from_features(left, "x", variance),
        CanonicalSpace.from_features(right, "y", variance),
    )


def _require_free(a: CanonicalSpace, b: CanonicalSpace) -> None:
    n, dimensions = len(a.basis), (a.basis.shape[1], b.basis.shape[1])
    if sum(dimensions) >= n:
        raise ValueError(
            f"{n} conditions for {dimensions[0]} + {dimensions[1]} dimensions: some canonical correlations "
            "are 1 for any data, so CCA is undefined; it needs more conditions than these together"
        )
