"""Variance partition: against least squares by hand, commonality analysis written out, and properties."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform
from scipy.stats import rankdata

from benchmark.measures import RDMRegression, commonality, variance_partition


def random_rdm(rng, n=12, d=4):
    return squareform(pdist(rng.standard_normal((n, d))))


def above(rdm):
    return rdm[np.triu_indices(len(rdm), 1)]


def r_squared(y, predictors, weights=None):
    """By numpy's least squares, with the pairs weighted."""
    root = np.sqrt(np.ones(len(y)) if weights is None else weights)
    design = np.column_stack([np.ones(len(y)), *predictors])
    fitted = design @ np.linalg.lstsq(design * root[:, None], y * root, rcond=None)[0]
    mean = np.average(y, weights=root**2)
    return 1 - (root**2 * (y - fitted) ** 2).sum() / (root**2 * (y - mean) ** 2).sum()


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.mark.parametrize("method", ["spearman", "pearson"])
def test_is_least_squares_averaged_over_subjects(rng, method):
    subjects = np.stack([random_rdm(rng) for _ in range(3)])
    models = {"a": random_rdm(rng), "b": np.stack([random_rdm(rng) for _ in range(2)])}
    scale = rankdata if method == "spearman" else np.asarray
    rows = {"a": [scale(above(models["a"]))], "b": [scale(above(rdm)) for rdm in models["b"]]}
    found = variance_partition(subjects, models, method).explained
    for names in (("a",), ("b",), ("a", "b")):
        predictors = [row for name in names for row in rows[name]]
        expected = np.mean([r_squared(scale(above(s)), predictors) for s in subjects])
        assert found[names] == pytest.approx(expected, abs=1e-12)


def test_two_models_are_partitioned_as_by_hand_and_by_net2brain(rng):
    target, a, b = (random_rdm(rng) for _ in range(3))
    r = {k: r_squared(above(target), [above(m) for m in v]) for k, v in {1: [a], 2: [b], 12: [a, b]}.items()}
    y12 = r[1] + r[2] - r[12]
    parts = variance_partition(target, {"a": a, "b": b}, "pearson").raw_components
    expected = {("a",): r[1] - y12, ("b",): r[2] - y12, ("a", "b"): y12}
    assert parts == pytest.approx(expected, abs=1e-6)


def test_three_models_are_partitioned_as_by_hand_and_by_net2brain(rng):
    target, *models = (random_rdm(rng) for _ in range(4))
    names = "abc"
    r = {
        group: r_squared(above(target), [above(models[names.index(m)]) for m in group])
        for size in (1, 2, 3)
        for group in combinations(names, size)
    }
    a, b, c, ab, ac, bc, abc = (r[tuple(g)] for g in ("a", "b", "c", "ab", "ac", "bc", "abc"))
    y123 = a + b + c - ab - ac - bc + abc
    y12, y13, y23 = a + b - ab - y123, a + c - ac - y123, b + c - bc - y123
    expected = {
        ("a",): a - y12 - y13 - y123,
        ("b",): b - y12 - y23 - y123,
        ("c",): c - y13 - y23 - y123,
        ("a", "b"): y12,
        ("a", "c"): y13,
        ("b", "c"): y23,
        ("a", "b", "c"): y123,
    }
    parts = variance_partition(target, dict(zip(names, models, strict=True)), "pearson").raw_components
    assert parts == pytest.approx(expected, abs=1e-6)


@given(st.lists(st.floats(0, 1), min_size=7, max_size=7))
def test_parts_sum_to_the_whole(values):
    groups = [g for size in (1, 2, 3) for g in combinations("abc", size)]
    explained = dict(zip(groups, values, strict=True))
    parts = commonality(explained)
    assert sum(parts.values()) == pytest.approx(explained["a", "b", "c"])
    for name in "abc":
        of_name = [part for group, part in parts.items() if name in group]
        assert sum(of_name) == pytest.approx(explained[name,])


@given(
    seed=st.integers(0, 2**32 - 1), factor=st.floats(0.1, 10), method=st.sampled_from(["spearman", "pearson"])
)
def test_a_copy_has_nothing_of_its_own_and_scale_does_not_matter(seed, factor, method):
    rng = np.random.default_rng(seed)
    target, a, b = (random_rdm(rng, n=8) for _ in range(3))
    copied = variance_partition(target, {"a": a, "copy": factor * a}, method)
    assert copied.components["a",] == pytest.approx(0, abs=1e-9)
    assert copied.components["copy",] == pytest.approx(0, abs=1e-9)
    plain = variance_partition(target, {"a": a, "b": b}, method)
    scaled = variance_partition(factor * target, {"a": factor * a, "b": b}, method)
    assert scaled.components == pytest.approx(plain.components, abs=1e-9)


def test_a_copy_of_the_target_explains_all_of_it(rng):
    target, other = random_rdm(rng), random_rdm(rng)
    found = variance_partition(target, {"copy": target, "other": other})
    assert found.corrected["copy",] == pytest.approx(1, abs=1e-9)
    assert found.corrected["copy", "other"] == pytest.approx(1, abs=1e-9)


def test_weights_are_those_of_pairs_and_of_repeated_conditions(rng):
    target, a, b = (random_rdm(rng) for _ in range(3))
    regression = RDMRegression(target, "pearson").beside("a", a).beside("b", b)
    weights = rng.multinomial(12, np.full(12, 1 / 12), size=5).astype(float)
    i, j = np.triu_indices(12, 1)
    found = regression.explained(("a", "b"), weights, corrected=False)
    by_pairs = regression.by_pairs(("a", "b"))
    bias = regression.explained(("a", "b"), np.ones((1, 12)), corrected=False) - regression.explained(
        ("a", "b"), np.ones((1, 12))
    )
    for w, value in zip(weights, found, strict=True):
        expected = r_squared(above(target), [above(a), above(b)], w[i] * w[j])
        assert value == pytest.approx(expected, abs=1e-9)
        assert by_pairs(w[i] * w[j]) == pytest.approx(expected - bias[0], abs=1e-9)


def test_the_bias_is_the_mean_over_permutations_of_the_predictors(rng):
    """The closed form against drawn permutations: the residual explained by permuted predictors."""
    n, weights = 10, np.array([[2.0, 1, 1, 0, 3, 1, 1, 1, 0, 2], np.ones(10)])
    target, a, b = (random_rdm(rng, n) for _ in range(3))
    regression = RDMRegression(target, "pearson").beside("a", a).beside("b", b)
    bias = regression.explained(("a", "b"), weights, corrected=False) - regression.explained(
        ("a", "b"), weights
    )
    design = np.column_stack([np.ones(45), above(a), above(b)])
    y = above(target)
    residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    i, j = np.triu_indices(n, 1)
    x = np.column_stack([design[:, 1:] - design[:, 1:].mean(axis=0)])
    inverse = np.linalg.inv(x.T @ x / 45)
    for w, expected in zip(weights, bias, strict=True):
        pairs = w[i] * w[j]
        spread = np.average((y - np.average(y, weights=pairs)) ** 2, weights=pairs)
        e = pairs * (residual - np.average(residual, weights=pairs))
        drawn = []
        for _ in range(6000):
            order = rng.permutation(n)
            permuted = np.column_stack([above(m[np.ix_(order, order)]) for m in (a, b)])
            c = (permuted - permuted.mean(axis=0)).T @ e
            drawn.append(c @ inverse @ c / pairs.sum() ** 2 / spread)
        error = np.std(drawn) / np.sqrt(len(drawn))
        assert abs(np.mean(drawn) - expected) < 4 * error


@pytest.mark.parametrize("n", [24, 48])
def test_what_is_unique_by_chance_is_taken_away(n):
    """Smooth RDMs. The model is the reference with something irrelevant: nothing is unique to it."""
    rng = np.random.default_rng(n)
    raw, corrected = [], []
    for _ in range(200):
        shared, other, noise = (squareform(pdist(rng.standard_normal((n, 3)))) for _ in range(3))
        parts = variance_partition(shared + noise, {"model": shared + other, "reference": shared}, "pearson")
        raw.append(parts.raw_components["model",])
        corrected.append(parts.components["model",])
    error = np.std(corrected) / np.sqrt(len(corrected))
    assert np.mean(raw) > 6 * error
    assert abs(np.mean(corrected)) < np.mean(raw) / 3


@pytest.mark.parametrize(
    ("models", "says"),
    [
        (1, "models has 1 sets: expected 2 or 3"),
        (4, "models has 4 sets: expected 2 or 3"),
    ],
)
def test_one_and_four_models_are_refused(rng, models, says):
    with pytest.raises(ValueError, match=says):
        variance_partition(random_rdm(rng), {str(i): random_rdm(rng) for i in range(models)})


def test_other_conditions_constant_rdms_and_unknown_methods_are_refused(rng):
    target, a = random_rdm(rng), random_rdm(rng)
    with pytest.raises(ValueError, match=r"models\['b'\] has 5 conditions and target 12"):
        variance_partition(target, {"a": a, "b": random_rdm(rng, 5)})
    with pytest.raises(ValueError, match="all equal"):
        variance_partition(target, {"a": a, "b": 1 - np.eye(12)})
    with pytest.raises(ValueError, match="expected one of spearman, pearson"):
        variance_partition(target, {"a": a, "b": a}, "kendall")
