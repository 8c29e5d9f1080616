"""Measures of alignment beside RSA: CKA, Procrustes distance, mutual nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from benchmark.measures._checks import Float64, as_matrix
from benchmark.measures._products import row_blocks
from benchmark.measures.rdm import unit_rows

#: Share of a space's size under which what centring leaves of it is rounding
_NOTHING = 1e-12
#: Similarities that are nearer to each other than this are the same up to rounding
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
        k / (n - 1), the score expected of spaces that have nothing to do with each other.
    """

    score: float
    per_concept: Float64
    chance: float


def linear_cka(x: ArrayLike, y: ArrayLike, *, debiased: bool = False) -> float:
    r"""Linear centred kernel alignment.

    .. math::
        \mathrm{CKA} = \frac{\mathrm{HSIC}(K, L)}{\sqrt{\mathrm{HSIC}(K, K)\,\mathrm{HSIC}(L, L)}},
        \qquad K = X X', \quad L = Y Y'

    With columns centred, HSIC(K, L) is :math:`\|X'Y\|_F^2` up to a constant. That grows with the number of
    columns over rows also where the spaces have nothing in common; ``debiased`` takes the unbiased estimate,

    .. math::
        \mathrm{HSIC}_1 = \frac{1}{n(n-3)} \Big[ \mathrm{tr}(\tilde K \tilde L) + \frac{1'\tilde K 1\;
        1'\tilde L 1}{(n-1)(n-2)} - \frac{2}{n-2} 1'\tilde K \tilde L 1 \Big],

    :math:`\tilde K` being K with a zero diagonal: the correlation, over pairs, of the two RDMs of squared
    Euclidean distances after what is additive in the conditions is taken out of each (*U*-centring).

    Symmetric. Invariant to translation, rotation and scale of each space, and to the order of the rows when
    both are reordered alike; not to linear maps.

    Parameters
    ----------
    x : array_like, shape (n, p)
        One row a condition; n >= 3, for ``debiased`` n >= 4. Work is done in float64.
    y : array_like, shape (n, q)
        The same conditions in the same order.
    debiased : bool

    Returns
    -------
    float
        1: the same up to the invariances; greater is more alike. Within [0, 1]; ``debiased`` within [-1, 1],
        with 0 expected of independent spaces.

    Raises
    ------
    ValueError
        If shapes do not fit, a value is not finite, or a space has no variance (all its rows are the same;
        for ``debiased``: all distances are additive in the conditions): then CKA is not defined.

    References
    ----------
    Kornblith, Norouzi, Lee & Hinton (2019), Proc. ICML. Song et al. (2012), Journal of Machine Learning
    Research 13, 1393-1434 (unbiased HSIC). Nguyen, Raghu & Kornblith (2021), Proc. ICLR.
    """
    left, right = _centred_pair(x, y, least=4 if debiased else 3)
    alike = _hsic(left, right, debiased=debiased)
    own = [_hsic(space, space, debiased=debiased) for space in (left, right)]
    for name, value in zip("xy", own, strict=True):
        if value <= _NOTHING:
            raise ValueError(f"{name} has distances that are additive in its rows: CKA undefined")
    value = alike / np.sqrt(own[0] * own[1])
    return float(np.clip(value, -1, 1))


def procrustes_distance(x: ArrayLike, y: ArrayLike, *, kind: str = "angular") -> float:
    r"""Distance of two spaces after the best rotation (or reflection) of one onto the other.

    Columns are centred and each space is brought to unit Frobenius norm; with :math:`s = \|X'Y\|_*`, the sum
    of singular values, the distance is :math:`\theta = \arccos s` (``angular``) or the least
    :math:`\|X - YQ\|_F = \sqrt{2 - 2s}` over orthogonal Q (``euclidean``). Spaces of different width are
    compared as if the narrower had columns of zeros. Both are metrics on what is left when translation,
    rotation, reflection and scale are disregarded; netrep's ``LinearMetric(alpha=1)`` gives the first.

    Parameters
    ----------
    x : array_like, shape (n, p)
        One row a condition, n >= 3. Work is done in float64.
    y : array_like, shape (n, q)
        The same conditions in the same order.
    kind : {"angular", "euclidean"}

    Returns
    -------
    float
        0: the same up to the invariances; greater is less alike. At most pi / 2 (``angular``) or the square
        root of 2. A distance under 1e-7 is rounding.

    Raises
    ------
    ValueError
        If shapes do not fit, a value is not finite, all rows of a space are the same, or ``kind`` is unknown.

    References
    ----------
    Williams, Kunz, Kornblith & Linderman (2021), Advances in Neural Information Processing Systems 34.
    """
    if kind not in ("angular", "euclidean"):
        raise ValueError(f"kind is {kind!r}: expected 'angular' or 'euclidean'")
    left, right = (narrowed(space) for space in _centred_pair(x, y, least=3))
    agreement = min(float(np.linalg.svd(left.T @ right, compute_uv=False).sum()), 1.0)
    return float(np.arccos(agreement) if kind == "angular" else np.sqrt(2 - 2 * agreement))


def mutual_nearest_neighbours(x: ArrayLike, y: ArrayLike, k: int) -> MutualNeighbours:
    """Share of the k nearest neighbours that two spaces have in common.

    Nearest is the greatest cosine, the row itself left out. Where neighbours tie for the last of the k places
    each has its share of them: the score is the expectation when ties are broken at random. Symmetric in
    ``x`` and ``y``; invariant to rotation, to scale of each row, and to the order of the rows when both are
    reordered alike.

    Parameters
    ----------
    x : array_like, shape (n, p)
        One row a condition, n >= 3.
    y : array_like, shape (n, q)
        The same conditions in the same order.
    k : int
        Number of neighbours, from 1 to n - 2 (of n - 1 all would be common).

    Returns
    -------
    MutualNeighbours
        1: the same neighbours; greater is more alike.

    Raises
    ------
    ValueError
        If shapes or ``k`` do not fit, a value is not finite, or a row has no length.

    References
    ----------
    Huh, Cheung, Wang & Isola (2024), Proc. ICML (The Platonic Representation Hypothesis).
    """
    spaces = _pair(x, y, least=3)
    n = len(spaces[0])
    require_neighbours(k, n)
    units = [unit_rows(space, name, centre=False) for name, space in zip("xy", spaces, strict=True)]
    shared = np.empty(n)
    for rows in row_blocks(n):
        left, right = (neighbour_shares(unit[rows] @ unit.T, rows, k) for unit in units)
        shared[rows] = np.einsum("ij,ij->i", left, right) / k
    return MutualNeighbours(float(shared.mean()), shared, k / (n - 1))


def require_neighbours(k: int, n: int) -> None:
    """Raise unless ``k`` neighbours can be told from all others among ``n`` conditions."""
    if not 1 <= k <= n - 2:
        raise ValueError(f"k is {k}: expected 1 to {n - 2} neighbours of {n} conditions")


def neighbour_shares(similarity: Float64, rows: slice, k: int) -> Float64:
    """How far each condition is one of the k nearest: 1, 0, or its share where several tie for the last.

    Parameters
    ----------
    similarity : ndarray, shape (b, n)
        Of the conditions ``rows`` with all, at most one in size; overwritten.
    rows : slice
    k : int

    Returns
    -------
    ndarray, shape (b, n)
        Rows sum to k.
    """
    similarity[np.arange(len(similarity)), np.arange(rows.start, rows.stop)] = -np.inf
    last = -np.partition(-similarity, k - 1, axis=1)[:, k - 1 : k]
    nearer = similarity > last + _SAME
    tied = np.abs(similarity - last) <= _SAME
    places = (k - nearer.sum(axis=1)) / tied.sum(axis=1)
    shares: Float64 = nearer + tied * places[:, None]
    return shares


def _pair(x: ArrayLike, y: ArrayLike, *, least: int) -> tuple[Float64, Float64]:
    left, right = (as_matrix(v, name).astype(np.float64, copy=False) for v, name in ((x, "x"), (y, "y")))
    if len(left) != len(right):
        raise ValueError(f"x and y have shapes {left.shape} and {right.shape}: expected the same conditions")
    if len(left) < least:
        raise ValueError(f"x and y have {len(left)} rows: at least {least} conditions are needed")
    return left, right


def _centred_pair(x: ArrayLike, y: ArrayLike, *, least: int) -> tuple[Float64, Float64]:
    """Both spaces with columns centred, at unit Frobenius norm."""
    left, right = _pair(x, y, least=least)
    return _centred(left, "x"), _centred(right, "y")


def _centred(space: Float64, name: str) -> Float64:
    largest = max(space.max(), -space.min())
    centred: Float64 = space / (largest if largest > 0 else 1)  # keeps the squares in range
    centred -= centred.mean(axis=0)
    centred -= centred.mean(axis=0)
    norm = np.sqrt(np.vdot(centred, centred))
    if norm <= _NOTHING * np.sqrt(space.size):
        raise ValueError(f"{name} of shape {space.shape} has rows that are all the same: undefined")
    centred /= norm
    return centred


def _squared_products(x: Float64, y: Float64) -> float:
    """|X'Y|^2 = <XX', YY'>, by whichever product is the smaller; the second in blocks of rows."""
    if x.shape[1] * y.shape[1] <= len(x) * (x.shape[1] + y.shape[1]):
        product = x.T @ y
        return float(np.vdot(product, product))
    blocks = (slice(start, start + 512) for start in range(0, len(x), 512))
    return sum(float(np.vdot(x[rows] @ x.T, y[rows] @ y.T)) for rows in blocks)


def _hsic(x: Float64, y: Float64, *, debiased: bool) -> float:
    """|X'Y|^2 of centred spaces, or n (n - 3) HSIC_1.

    The rows of a centred kernel sum to zero: with the diagonal away they sum to what it was, less.
    """
    product = _squared_products(x, y)
    if not debiased:
        return product
    n = len(x)
    own_x, own_y = np.einsum("ij,ij->i", x, x), np.einsum("ij,ij->i", y, y)
    return float(product - own_x @ own_y * n / (n - 2) + own_x.sum() * own_y.sum() / ((n - 1) * (n - 2)))


def narrowed(space: Float64) -> Float64:
    """The same inner products of rows in at most n columns: all that these measures depend on."""
    n, width = space.shape
    if width <= n:
        return space
    triangle = np.asarray(np.linalg.qr(space.T, mode="r"))
    return triangle.T
