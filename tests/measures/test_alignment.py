"""CKA, Procrustes and mutual neighbours against their definitions, identities and invariances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from benchmark.measures import (
    compare_rdms,
    linear_cka,
    mutual_nearest_neighbours,
    procrustes_distance,
    rdm,
)

seeds = st.integers(0, 10**6)
MEASURES = {
    "cka": linear_cka,
    "debiased cka": lambda x, y: linear_cka(x, y, debiased=True),
    "angular": procrustes_distance,
    "euclidean": lambda x, y: procrustes_distance(x, y, kind="euclidean"),
    "neighbours": lambda x, y: mutual_nearest_neighbours(x, y, 3).score,
}
SAME = {"cka": 1, "debiased cka": 1, "angular": 0, "euclidean": 0, "neighbours": 1}


def spaces(seed: int, n: int = 12, p: int = 5, q: int = 8) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    return x, x @ rng.normal(size=(p, q)) + rng.normal(size=(n, q))


def rotation(rng: np.random.Generator, d: int) -> np.ndarray:
    return np.linalg.qr(rng.normal(size=(d, d)))[0]


def hsic(k: np.ndarray, l: np.ndarray, *, debiased: bool) -> float:  # noqa: E741
    """As printed in Kornblith et al. (2019) and Song et al. (2012)."""
    n = len(k)
    if not debiased:
        h = np.eye(n) - 1 / n
        return np.trace(k @ h @ l @ h) / (n - 1) ** 2
    k, l = k - np.diag(np.diag(k)), l - np.diag(np.diag(l))  # noqa: E741
    one = np.ones(n)
    terms = (
        np.trace(k @ l)
        + one @ k @ one * (one @ l @ one) / ((n - 1) * (n - 2))
        - 2 / (n - 2) * (one @ k @ l @ one)
    )
    return terms / (n * (n - 3))


@pytest.mark.parametrize("debiased", [False, True])
@pytest.mark.parametrize("widths", [(5, 8), (40, 3), (40, 60)])
def test_cka_equals_its_definition(debiased: bool, widths: tuple[int, int]) -> None:
    x, y = spaces(0, 12, *widths)
    x += 3
    k, l = x @ x.T, y @ y.T  # noqa: E741
    expected = hsic(k, l, debiased=debiased) / np.sqrt(
        hsic(k, k, debiased=debiased) * hsic(l, l, debiased=debiased)
    )
    assert linear_cka(x, y, debiased=debiased) == pytest.approx(expected, abs=1e-12)


@given(seed=seeds)
@settings(max_examples=25, deadline=None)
def test_cka_is_the_whitened_cosine_of_squared_euclidean_rdms(seed: int) -> None:
    x, y = spaces(seed)
    expected = compare_rdms(rdm(x, "sqeuclidean"), rdm(y, "sqeuclidean"), "cosine_cov")
    assert linear_cka(x, y) == pytest.approx(expected, abs=1e-10)


def test_debiased_cka_is_the_correlation_of_rdms_less_what_is_additive() -> None:
    x, y = spaces(1, n=9)
    at = np.triu_indices(9, 1)
    design = np.zeros((len(at[0]), 9))
    design[np.arange(len(design)), at[0]] = design[np.arange(len(design)), at[1]] = 1
    residuals = []
    for space in (x, y):
        pairs = rdm(space, "sqeuclidean")[at]
        residuals.append(pairs - design @ np.linalg.lstsq(design, pairs, rcond=None)[0])
    expected = stats.pearsonr(*residuals)[0]
    assert linear_cka(x, y, debiased=True) == pytest.approx(expected, abs=1e-12)


def test_only_the_debiased_cka_of_independent_noise_is_near_zero() -> None:
    rng = np.random.default_rng(2)
    pairs = [rng.normal(size=(2, 30, 300)) for _ in range(60)]
    plain = np.array([linear_cka(x, y) for x, y in pairs])
    debiased = np.array([linear_cka(x, y, debiased=True) for x, y in pairs])
    assert plain.mean() > 0.8
    assert abs(debiased.mean()) < 4 * debiased.std() / np.sqrt(len(pairs))
    assert debiased.std() < 0.1


@pytest.mark.parametrize("widths", [(5, 5), (5, 8), (30, 4)])
def test_procrustes_is_the_least_distance_over_rotations(widths: tuple[int, int]) -> None:
    x, y = spaces(3, 12, *widths)
    width = max(widths)
    unit = []
    for space in (x, y):
        wide = np.zeros((12, width))
        wide[:, : space.shape[1]] = space - space.mean(axis=0)
        unit.append(wide / np.linalg.norm(wide))
    from scipy.linalg import orthogonal_procrustes

    turn, _ = orthogonal_procrustes(*unit)
    least = np.linalg.norm(unit[0] @ turn - unit[1])
    assert procrustes_distance(x, y, kind="euclidean") == pytest.approx(least, abs=1e-10)
    # The chord and the angle of two points of the unit sphere.
    assert procrustes_distance(x, y) == pytest.approx(2 * np.arcsin(least / 2), abs=1e-10)


def test_no_rotation_found_by_search_is_better() -> None:
    rng = np.random.default_rng(4)
    x, y = (v - v.mean(axis=0) for v in rng.normal(size=(2, 6, 2)))
    x, y = x / np.linalg.norm(x), y / np.linalg.norm(y)

    def distance(angle: float, flip: float) -> float:
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return float(np.linalg.norm(x - y @ np.diag([1, flip]) @ turn))

    found = min(
        optimize.minimize_scalar(distance, bounds=(low, low + 2), args=(flip,), method="bounded").fun
        for low in range(7)
        for flip in (1, -1)
    )
    assert procrustes_distance(x, y, kind="euclidean") == pytest.approx(found, abs=1e-6)


@given(seed=seeds)
@settings(max_examples=25, deadline=None)
def test_procrustes_obeys_the_triangle_inequality(seed: int) -> None:
    x, y, z = np.random.default_rng(seed).normal(size=(3, 8, 4))
    for kind in ("angular", "euclidean"):
        sides = [procrustes_distance(a, b, kind=kind) for a, b in ((x, y), (y, z), (x, z))]
        assert sides[2] <= sides[0] + sides[1] + 1e-9


def neighbours_by_hand(x: np.ndarray, k: int) -> list[set[int]]:
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    found = []
    for i, row in enumerate(unit):
        order = sorted((j for j in range(len(unit)) if j != i), key=lambda j: -float(row @ unit[j]))
        found.append(set(order[:k]))
    return found


@pytest.mark.parametrize("k", [1, 4, 10])
def test_mutual_neighbours_equal_sets_made_by_hand(k: int) -> None:
    x, y = spaces(5, n=150)
    result = mutual_nearest_neighbours(x, y, k)
    pairs = zip(neighbours_by_hand(x, k), neighbours_by_hand(y, k), strict=True)
    expected = [len(a & b) / k for a, b in pairs]
    np.testing.assert_allclose(result.per_concept, expected, atol=1e-12)
    assert result.score == pytest.approx(np.mean(expected))
    assert result.chance == k / 149


def test_ties_count_as_if_broken_at_random() -> None:
    rng = np.random.default_rng(6)
    corners = np.eye(3)[rng.integers(0, 3, 30)]
    y = rng.normal(size=(30, 4))
    broken = [
        mutual_nearest_neighbours(corners + 1e-7 * rng.normal(size=corners.shape), y, 4).score
        for _ in range(400)
    ]
    expected = mutual_nearest_neighbours(corners, y, 4).score
    assert np.mean(broken) == pytest.approx(expected, abs=4 * np.std(broken) / 20)


def test_independent_spaces_share_neighbours_by_chance() -> None:
    rng = np.random.default_rng(7)
    found = [mutual_nearest_neighbours(*rng.normal(size=(2, 60, 10)), 5) for _ in range(40)]
    scores = [result.score for result in found]
    assert np.mean(scores) == pytest.approx(found[0].chance, abs=4 * np.std(scores) / np.sqrt(40))


@pytest.mark.parametrize("name", MEASURES)
@given(seed=seeds)
@settings(max_examples=20, deadline=None)
def test_invariances_symmetry_and_identity(name: str, seed: int) -> None:
    measure = MEASURES[name]
    x, y = spaces(seed)
    rng = np.random.default_rng(seed)
    value = measure(x, y)
    assert measure(y, x) == pytest.approx(value, abs=1e-9)
    order = rng.permutation(len(x))
    assert measure(x[order], y[order]) == pytest.approx(value, abs=1e-9)
    moved = 0 if name == "neighbours" else 4
    turned = 3 * x @ rotation(rng, x.shape[1]) + moved
    assert measure(turned, y) == pytest.approx(value, abs=1e-9)
    assert measure(x, turned) == pytest.approx(SAME[name], abs=1e-7)
    if name == "neighbours":
        scales = rng.uniform(0.1, 10, size=(len(x), 1))
        assert measure(scales * x, y) == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize("name", MEASURES)
def test_direction(name: str) -> None:
    rng = np.random.default_rng(8)
    x = rng.normal(size=(40, 6))
    noise = rng.normal(size=x.shape)
    ladder = np.array([MEASURES[name](x, x + s * noise) for s in (0.1, 0.5, 2.0)])
    assert (np.diff(ladder) < 0).all() if SAME[name] == 1 else (np.diff(ladder) > 0).all()


@pytest.mark.parametrize("scale", [1e-160, 1e160])
def test_size_does_not_matter(scale: float) -> None:
    x, y = spaces(9)
    for name, measure in MEASURES.items():
        assert measure(scale * x, y) == pytest.approx(measure(x, y), abs=1e-9), name


def test_rows_far_from_the_origin_keep_their_digits() -> None:
    x, y = spaces(10, n=60)
    for name in ("cka", "debiased cka", "angular"):
        assert MEASURES[name](x + 1e6, y) == pytest.approx(MEASURES[name](x, y), abs=1e-7), name


@pytest.mark.parametrize("name", MEASURES)
def test_bad_input(name: str) -> None:
    measure = MEASURES[name]
    x, y = spaces(11)
    bad = x.copy()
    bad[3, 1] = np.inf
    for a, b, message in (
        (x[:-1], y, r"x and y have shapes \(11, 5\) and \(12, 8\)"),
        (x[0], y, r"x has shape \(5,\)"),
        (bad, y, r"x of shape \(12, 5\) is not finite in row 3"),
        (x, np.where(y > 2, np.nan, y), "y of shape .* is not finite"),
        (x[:2], y[:2], "x and y have 2 rows: at least"),
    ):
        with pytest.raises(ValueError, match=message):
            measure(a, b)


def test_undefined_is_refused() -> None:
    x, y = spaces(12)
    flat = np.tile(x[0], (12, 1))
    for name in ("cka", "debiased cka", "angular", "euclidean"):
        with pytest.raises(ValueError, match=r"y of shape \(12, 5\) has rows that are all the same"):
            MEASURES[name](x, flat)
    with pytest.raises(ValueError, match="at least 4 conditions"):
        linear_cka(x[:3], y[:3], debiased=True)
    # The corners of a simplex are equally far from one another: nothing is left to correlate.
    with pytest.raises(ValueError, match="x has distances that are additive"):
        linear_cka(np.eye(12), y, debiased=True)
    x[4] = 0
    with pytest.raises(ValueError, match=r"cosine undefined \(x of shape \(12, 5\), row 4\)"):
        mutual_nearest_neighbours(x, y, 3)
    for k in (0, 11):
        with pytest.raises(ValueError, match=f"k is {k}: expected 1 to 10 neighbours of 12"):
            mutual_nearest_neighbours(y, y, k)
    with pytest.raises(ValueError, match="kind is 'chordal'"):
        procrustes_distance(y, y, kind="chordal")
