"""What a model explains of a target's RDM beyond reference models: the parts, their null and ceiling."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import squareform

from benchmark.inference._pairs import standardised
from benchmark.inference.noise_ceiling import NoiseCeiling
from benchmark.inference.statistics import PairStatistic, Statistic
from benchmark.measures._blocks import blocks
from benchmark.measures._checks import Float64, as_rdm, as_rdms
from benchmark.measures.compare import upper_triangle
from benchmark.measures.permutation import PermutationTest
from benchmark.measures.regression import RDMRegression, Subset

#: The two sets of a regression: the RDM of the model, and the RDMs of all reference models
MODEL, REFERENCES = "model", "references"
#: Each part as a sum of R squared of sets, times a factor
PARTS: dict[str, tuple[tuple[Subset, float], ...]] = {
    "unique": (((REFERENCES, MODEL), 1.0), ((REFERENCES,), -1.0)),
    "shared": (((MODEL,), 1.0), ((REFERENCES,), 1.0), ((REFERENCES, MODEL), -1.0)),
    "total": (((REFERENCES, MODEL), 1.0),),
}
#: Below this share of its variance, what references leave of a model is rounding
_NOTHING = 1e-9
#: Values of permuted RDMs that are held at a time
_HELD = 2**22


def part_statistic(regression: Callable[[Float64], RDMRegression], part: str) -> Statistic:
    """A part of the variance as a function of the weights of concepts.

    Parameters
    ----------
    regression : callable
        Gives for weights (b, n) the regression to use, with the sets :data:`MODEL` and :data:`REFERENCES`.
    part : str
        One of :data:`PARTS`.

    Returns
    -------
    Statistic
        Weights (b, n) -> shares of the variance (b,), without the bias of the small sample.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import part_statistic
    >>> from benchmark.measures import RDMRegression, rdm
    >>> rng = np.random.default_rng(0)
    >>> known, new = rng.normal(size=(2, 12, 6))
    >>> target = rdm(np.hstack([known, new]))
    >>> regression = RDMRegression(target[None], "spearman").beside("references", rdm(known)[None])
    >>> regression = regression.beside("model", rdm(new))
    >>> unique = part_statistic(lambda weights: regression, "unique")
    >>> unique(np.ones((1, 12))).round(2)
    array([0.4])
    """

    def statistic(weights: Float64) -> Float64:
        fitted = regression(weights)
        value = np.zeros(len(weights))
        for subset, factor in PARTS[part]:
            value += factor * fitted.explained(subset, weights)
        return value

    return statistic


def part_pair_statistic(regression: RDMRegression, part: str) -> PairStatistic:
    """A part of the variance as a function of the weights of pairs of concepts.

    Parameters
    ----------
    regression : RDMRegression
        With the sets :data:`MODEL` and :data:`REFERENCES`.
    part : str
        One of :data:`PARTS`.

    Returns
    -------
    PairStatistic
        The bias that is taken away is that of equal weights.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import part_pair_statistic
    >>> from benchmark.measures import RDMRegression, rdm
    >>> rng = np.random.default_rng(0)
    >>> known, new = rng.normal(size=(2, 12, 6))
    >>> target = rdm(np.hstack([known, new]))
    >>> regression = RDMRegression(target[None], "spearman").beside("references", rdm(known)[None])
    >>> regression = regression.beside("model", rdm(new))
    >>> round(part_pair_statistic(regression, "unique")(np.ones(66)), 2)
    0.4
    """
    terms = [(regression.by_pairs(subset), factor) for subset, factor in PARTS[part]]
    return lambda weights: sum(factor * explained(weights) for explained, factor in terms)


def permutation_test_unique(
    target: ArrayLike,
    model: ArrayLike,
    references: ArrayLike,
    method: str,
    n: int,
    rng: np.random.Generator | int,
) -> PermutationTest:
    """Test whether a model explains anything beyond references, by permuting its conditions.

    What the references leave of the model's RDM is permuted, rows and columns together, while target and
    references stay as they are: double semi-partialling. To permute the RDM of the model itself would also
    take away what it shares with the references.

    Parameters
    ----------
    target : array_like, shape (n_conditions, n_conditions) or (s, n_conditions, n_conditions)
        One RDM per subject.
    model : array_like, shape (n_conditions, n_conditions)
        The model's RDM.
    references : array_like, shape (m, n_conditions, n_conditions)
        RDMs of the references.
    method : str
        ``spearman`` or ``pearson``.
    n : int
        Number of permutations.
    rng : numpy.random.Generator or int
        Source of the permutations, or its seed.

    Returns
    -------
    PermutationTest
        ``score`` and ``null`` are unique variances, with the bias of the small sample. If the references
        leave nothing of the model, all are 0 and p is 1.

    Raises
    ------
    ValueError
        If ``n`` is less than one, an argument is not an RDM, or all dissimilarities of an RDM are equal.

    References
    ----------
    Dekker, Krackhardt & Snijders (2007), Psychometrika 72, 563-581.

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import permutation_test_unique
    >>> from benchmark.measures import rdm
    >>> rng = np.random.default_rng(0)
    >>> known, new = rng.normal(size=(2, 12, 6))
    >>> target = rdm(np.hstack([known, new]))
    >>> test = permutation_test_unique(target, rdm(new), [rdm(known)], "spearman", n=199, rng=0)
    >>> round(test.score, 2), round(test.p, 3)
    (0.39, 0.005)
    """
    if n < 1:
        raise ValueError(f"n is {n}: at least one permutation is needed")
    y, x, others = (_rows(rdms, method, name) for name, rdms in _named(target, model, references))
    pairs = y.shape[1]
    basis = span(np.vstack([np.ones(pairs), others]))
    y -= (y @ basis.T) @ basis
    left = (x - (x @ basis.T) @ basis)[0]
    if left @ left <= _NOTHING * pairs:
        return PermutationTest(np.zeros(n), 1.0, 0.0)
    matrix = squareform(left)
    i, j = np.triu_indices(len(matrix), 1)
    generator = np.random.default_rng(rng)
    orders = np.array([np.arange(len(matrix)), *(generator.permutation(len(matrix)) for _ in range(n))])
    unique = np.empty(len(orders))
    for some in blocks(len(orders), max(1, _HELD // pairs)):
        permuted = matrix[orders[some][:, i], orders[some][:, j]]
        anew = np.einsum("bi,bi->b", permuted, permuted) - ((permuted @ basis.T) ** 2).sum(axis=1)
        unique[some] = ((permuted @ y.T) ** 2).mean(axis=1) / (anew * pairs)
    score, null = float(unique[0]), unique[1:]
    p = (1 + int((null >= score * (1 - 1e-12)).sum())) / (n + 1)
    return PermutationTest(null, p, score)


def part_ceilings(rdms: ArrayLike, references: ArrayLike, method: str) -> dict[str, NoiseCeiling]:
    """Each part for the best model that subjects give: their mean.

    Parameters
    ----------
    rdms : array_like, shape (s, n, n)
        One RDM per subject, s >= 2.
    references : array_like, shape (m, n, n)
        RDMs of the references.
    method : str
        ``spearman`` or ``pearson``.

    Returns
    -------
    dict of str to NoiseCeiling
        By part. The lower bound takes the mean of the other subjects as the model of each subject, the upper
        bound the mean of all (:func:`benchmark.inference.noise_ceiling`).

    Examples
    --------
    >>> import numpy as np
    >>> from benchmark.inference import part_ceilings
    >>> from benchmark.measures import rdm
    >>> rng = np.random.default_rng(0)
    >>> known, new = rng.normal(size=(2, 12, 6))
    >>> people = [rdm(np.hstack([known, new]) + rng.normal(size=(12, 12))) for _ in range(3)]
    >>> ceiling = part_ceilings(people, rdm(known)[None], "spearman")["unique"]
    >>> round(ceiling.lower, 2), round(ceiling.upper, 2)
    (0.11, 0.46)
    """
    subjects = as_rdms(rdms, "rdms")
    values = np.stack([standardised(rdm, method, f"rdms[{s}]") for s, rdm in enumerate(subjects)])
    total = values.sum(axis=0)
    upper = _parts_of(subjects, total / len(values), references, method)
    each = [
        _parts_of(subjects[s : s + 1], (total - own) / (len(values) - 1), references, method)
        for s, own in enumerate(values)
    ]
    return {
        part: NoiseCeiling(float(np.mean([parts[part] for parts in each])), upper[part]) for part in PARTS
    }


def _parts_of(rdms: Float64, model: Float64, references: ArrayLike, method: str) -> dict[str, float]:
    regression = RDMRegression(rdms, method).beside(REFERENCES, references).beside(MODEL, model)
    ones = np.ones((1, len(model)))
    return {part: float(part_statistic(lambda _: regression, part)(ones)[0]) for part in PARTS}


def _named(target: ArrayLike, model: ArrayLike, references: ArrayLike) -> list[tuple[str, Float64]]:
    return [
        ("target", as_rdms(target, "target")),
        ("model", as_rdm(model, "model")[None]),
        ("references", as_rdms(references, "references")),
    ]


def _rows(rdms: Float64, method: str, name: str) -> Float64:
    """Standardised values above the diagonal, (m, N)."""
    return np.stack([upper_triangle(standardised(rdm, method, name)) for rdm in rdms])


def span(rows: Float64) -> Float64:
    """Orthonormal rows (r, N) that span ``rows`` (m, N), without directions that are rounding."""
    _, sizes, basis = np.linalg.svd(rows, full_matrices=False)
    kept: Float64 = basis[sizes > np.sqrt(_NOTHING) * sizes[0]]
    return kept
