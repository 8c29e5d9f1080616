"""Measures of alignment beside RSA: CKA, Procrustes distance, mutual nearest neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from benchmark.measures._checks import Float64, as_matrix
from benchmark.measures._products import row_blocks
from benchmark.measures.rdm import unit_rows

#: If centring leaves less than this share of a space's size, the rest is rounding
_NOTHING = 1e-12
#: Similarities that differ by less than this are equal up to rounding
_SAME = 1e-12


@dataclass(frozen=True)
class MutualNeighbours:
    """Mutual nearest neighbours of two spaces.

    Attributes
    ----------
    score : float
        Mean share of common neighbours, within [0, 1].
    per_concept : ndarray, shape (n,)
        Share of the k nearest neighbours of each row that the two spaces have in common.
    chance : float
        k / (n - 1), the expected score of unrelated spaces.
    """

    score: float
    per_concept: Float64
    chance: float


def linear_cka(x: ArrayLike, y: ArrayLike, *, debiased: bool = False) -> float:
    r"""Linear centred kernel alignment.

    .. math::
        \mathrm{CKA} = \frac{\mathrm{HSIC}(K, L)}{\sqrt{\mathrm{HSIC}(K, K)\,\mathrm{HSIC}(L, L)}},
        \qquad K = X X', \quad L = Y Y'

    With columns centred, HSIC(K, L) is :math:`\|X'Y\|_F^2` up to a constant. It grows with the number of
    columns per row, even where the spaces have nothing in common. ``debiased`` uses the unbiased estimate
    instead,

    .. math::
        \mathrm{HSIC}_1 = \frac{1}{n(n-3)} \Big[ \mathrm{tr}(\tilde K \tilde L) + \frac{1'\tilde K 1\;
        1'\tilde L 1}{(n-1)(n-2)} - \frac{2}{n-2} 1'\tilde K \tilde L 1 \Big],

    where :math:`\tilde K` is K with a zero diagonal. The debiased CKA is the correlation, over pairs, of two
    RDMs of squared Euclidean distances. Before that, the part that is additive in the conditions is removed
    from each RDM (*U*-centring).

    Symmetric. Invariant to translation, rotation and scale of each space, and to the order of the rows when
    both are reordered alike. Not invariant to other linear maps.

    Parameters
    ----------
    x : array_like, shape (n, p)
        One row per condition, n >= 3 (n >= 4 for ``debiased``). The computation is in float64.
    y : array_like, shape (n, q)
        The same conditions in the same order.
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
        If shapes do not fit or a value is not finite. Also if a space has no variance: all its rows are the
        same, or, for ``debiased``, all its distances are additive in the conditions. CKA is then not defined.

    References
    ----------
    Kornblith, Norouzi, Lee & Hinton (2019), Proc. ICML. Song et al. (2012), Journal of Machine Learning
    Research 13, 1393-1434 (unbiased HSIC). Nguyen, Raghu & Kornblith (2021), Proc. ICLR.

    Examples
    --------
    A space and a noisy copy of it are alike. Two independent spaces are not, but the plain CKA of so few
    conditions does not show it.

    >>> import numpy as np
    >>> from benchmark.measures import linear_cka
    >>> rng = np.random.default_rng(0)
    >>> x, independent = rng.normal(size=(2, 20, 50))
    >>> round(linear_cka(x, x + rng.normal(size=x.shape), debiased=True), 2)
    0.49
    >>> round(linear_cka(x, independent), 2)
    0.72
    >>> round(linear_cka(x, independent, debiased=True), 2)
    -0.01
    """
    left, right = _centred_pair(x, y, least=4 if debiased else 3)
    own = [np.einsum("ij,ij->i", space, space) for space in (left, right)]
    products = [_squared_products(a, b) for a, b in ((left, right), (left, left), (right, right))]
    return cka_of_products(products, own, debiased=debiased)


def procrustes_distance(x: ArrayLike, y: ArrayLike, *, kind: str = "angular") -> float:
    r"""Distance of two spaces after the best rotation (or reflection) of one onto the other.

    Columns are centred and each space is scaled to unit Frobenius norm. Let :math:`s = \|X'Y\|_*`, the sum of
    singular values. The distance is :math:`\theta = \arccos s` (``angular``), or the least :math:`\|X -
    YQ\|_F = \sqrt{2 - 2s}` over orthogonal Q (``euclidean``). If one space has fewer columns, columns of
    zeros are added to it in effect. Both distances are metrics, and both disregard translation, rotation,
    reflection and scale. netrep's ``LinearMetric(alpha=1)`` gives the first.

    Parameters
    ----------
    x : array_like, shape (n, p)
        One row per condition, n >= 3. The computation is in float64.
    y : array_like, shape (n, q)
        The same conditions in the same order.
    kind : {"angular", "euclidean"}
        Which of the two distances.

    Returns
    -------
    float
        0 means: the same up to the invariances. Greater is less alike. At most pi / 2 (``angular``) or the
        square root of 2 (``euclidean``). A distance under 1e-7 is rounding.

    Raises
    ------
    ValueError
        If shapes do not fit, a value is not finite, all rows of a space are the same, or ``kind`` is unknown.

    References
    ----------
    Williams, Kunz, Kornblith & Linderman (2021), Advances in Neural Information Processing Systems 34.

    Examples
    --------
    Turning, scaling and moving a space does not change its distance to another space.

    >>> import numpy as np
    >>> from benchmark.measures import procrustes_distance
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(2, 10, 3))
    >>> turned = x[:, [1, 2, 0]] * 5 + 1
    >>> round(procrustes_distance(x, y), 3)
    0.998
    >>> round(procrustes_distance(turned, y), 3)
    0.998
    """
    if kind not in ("angular", "euclidean"):
        raise ValueError(f"kind is {kind!r}: expected 'angular' or 'euclidean'")
    agreement = rotation_agreement(*(narrowed(space) for space in _centred_pair(x, y, least=3)))
    return float(np.arccos(agreement) if kind == "angular" else np.sqrt(2 - 2 * agreement))


def rotation_agreement(left: Float64, right: Float64) -> float:
    """Inner product of ``left`` and ``right`` (:func:`unit_centred`) after the best rotation, in [0, 1]."""
    return min(float(np.linalg.svd(left.T @ right, compute_uv=False).sum()), 1.0)


def mutual_nearest_neighbours(x: ArrayLike, y: ArrayLike, k: int) -> MutualNeighbours:
    """Share of the k nearest neighbours that two spaces have in common.

    The nearest neighbour of a row is the row of the greatest cosine; the row itself is left out. Where
    neighbours tie for the last of the k places, each gets an equal share of those places: the score is the
    expected value when ties are broken at random. Symmetric in ``x`` and ``y``. Invariant to rotation, to
    scale of each row, and to the order of the rows when both are reordered alike.

    Parameters
    ----------
    x : array_like, shape (n, p)
        One row per condition, n >= 3.
    y : array_like, shape (n, q)
        The same conditions in the same order.
    k : int
        Number of neighbours, from 1 to n - 2. (With n - 1, all neighbours would be common.)

    Returns
    -------
    MutualNeighbours
        Its score is 1 where the neighbours are the same; greater is more alike.

    Raises
    ------
    ValueError
        If shapes or ``k`` do not fit, a value is not finite, or a row has no length.

    References
    ----------
    Huh, Cheung, Wang & Isola (2024), Proc. ICML (The Platonic Representation Hypothesis).

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.measures import mutual_nearest_neighbours
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(12, 4))
    >>> shared = mutual_nearest_neighbours(x, x + 0.5 * rng.normal(size=x.shape), k=3)
    >>> round(shared.score, 2), round(shared.chance, 2)
    (0.56, 0.27)
    >>> shared.per_concept.round(2)[:4]
    array([0.  , 0.67, 0.67, 0.67])
    """
    spaces = pair_of_spaces(x, y, least=3)
    n = len(spaces[0])
    require_neighbours(k, n)
    units = [unit_rows(space, name, centre=False) for name, space in zip("xy", spaces, strict=True)]
    shared = np.empty(n)
    for rows in row_blocks(n):
        left, right = (neighbour_shares(unit[rows] @ unit.T, rows, k) for unit in units)
        shared[rows] = np.einsum("ij,ij->i", left, right) / k
    return MutualNeighbours(float(shared.mean()), shared, k / (n - 1))


def require_neighbours(k: int, n: int) -> None:
    """Raise unless ``k`` is from 1 to n - 2, where ``n`` is the number of conditions."""
    if not 1 <= k <= n - 2:
        raise ValueError(f"k is {k}: expected 1 to {n - 2} neighbours of {n} conditions")


def neighbour_shares(similarity: Float64, rows: slice, k: int) -> Float64:
    """Whether each condition is one of the k nearest: 1, 0, or a share where several tie for the last place.

    Parameters
    ----------
    similarity : ndarray, shape (b, n)
        Similarity of the conditions ``rows`` with all conditions, at most one in absolute value. Overwritten.
    rows : slice
        The b conditions that the rows of ``similarity`` belong to.
    k : int
        Number of neighbours.

    Returns
    -------
    ndarray, shape (b, n)
        Each row sums to k.
    """
    similarity[np.arange(len(similarity)), np.arange(rows.start, rows.stop)] = -np.inf
    last = -np.partition(-similarity, k - 1, axis=1)[:, k - 1 : k]
    nearer = similarity > last + _SAME
    tied = np.abs(similarity - last) <= _SAME
    places = (k - nearer.sum(axis=1)) / tied.sum(axis=1)
    shares: Float64 = nearer + tied * places[:, None]
    return shares


def pair_of_spaces(x: ArrayLike, y: ArrayLike, *, least: int) -> tuple[Float64, Float64]:
    """``x`` and ``y`` as float64. Raises unless they have the same number of rows, ``least`` or more."""
    left, right = (as_matrix(v, name).astype(np.float64, copy=False) for v, name in ((x, "x"), (y, "y")))
    if len(left) != len(right):
        raise ValueError(f"x and y have shapes {left.shape} and {right.shape}: expected the same conditions")
    if len(left) < least:
        raise ValueError(f"x and y have {len(left)} rows: at least {least} conditions are needed")
    return left, right


def _centred_pair(x: ArrayLike, y: ArrayLike, *, least: int) -> tuple[Float64, Float64]:
    """Both spaces with columns centred, at unit Frobenius norm."""
    left, right = pair_of_spaces(x, y, least=least)
    return unit_centred(left, "x"), unit_centred(right, "y")


def unit_centred(space: Float64, name: str) -> Float64:
    """``space`` (n, d) with columns centred, at unit Frobenius norm; ``name`` is for messages.

    Raises ValueError if all rows are the same.
    """
    largest = max(space.max(), -space.min())
    centred: Float64 = space / (largest if largest > 0 else 1)  # keeps squares within float64
    centred -= centred.mean(axis=0)
    centred -= centred.mean(axis=0)
    norm = np.sqrt(np.vdot(centred, centred))
    if norm <= _NOTHING * np.sqrt(space.size):
        raise ValueError(f"{name} of shape {space.shape} has rows that are all the same: undefined")
    centred /= norm
    return centred


def _squared_products(x: Float64, y: Float64) -> float:
    """|X'Y|^2 = <XX', YY'>, by the smaller of the two products. The second is computed in blocks of rows."""
    if x.shape[1] * y.shape[1] <= len(x) * (x.shape[1] + y.shape[1]):
        product = x.T @ y
        return float(np.vdot(product, product))
    blocks = (slice(start, start + 512) for start in range(0, len(x), 512))
    return sum(float(np.vdot(x[rows] @ x.T, y[rows] @ y.T)) for rows in blocks)


def cka_of_products(products: Sequence[float], diagonals: Sequence[Float64], *, debiased: bool) -> float:
    """CKA of two centred kernels at unit norm, from sums over them.

    Parameters
    ----------
    products : sequence of float, length 3
        Inner product of the two, and of each with itself.
    diagonals : sequence of ndarray, shape (n,), length 2
        The diagonal of each.
    debiased : bool
        Whether to use the unbiased estimate of HSIC.
    """
    own_x, own_y = diagonals
    xy, xx, yy = products
    n = len(own_x)

    def hsic(product: float, first: Float64, second: Float64) -> float:
        """Up to a constant. With ``debiased``, n (n - 3) HSIC_1.

        The rows of a centred kernel sum to zero. So without its diagonal, a row sums to minus the diagonal
        entry.
        """
        if not debiased:
            return product
        additive = first @ second * n / (n - 2) - first.sum() * second.sum() / ((n - 1) * (n - 2))
        return float(product - additive)

    own = hsic(xx, own_x, own_x), hsic(yy, own_y, own_y)
    for name, value in zip("xy", own, strict=True):
        if value <= _NOTHING:
            raise ValueError(f"{name} has distances that are additive in its rows: CKA undefined")
    return float(np.clip(hsic(xy, own_x, own_y) / np.sqrt(own[0] * own[1]), -1, 1))


def narrowed(space: Float64) -> Float64:
    """``space`` (n, d) in at most n columns, with the same inner products of rows."""
    n, width = space.shape
    if width <= n:
        return space
    triangle = np.asarray(np.linalg.qr(space.T, mode="r"))
    return triangle.T
