"""Similarity matrices of layers: each entry is that of its reference, each interval what it says."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.inference import bootstrap_weights
from benchmark.measures import (
    compare_rdms,
    linear_cka,
    mean_cca,
    procrustes_distance,
    pwcca,
    rbf_cka,
    rdm,
    svcca,
)
from benchmark.model_similarity import MEASURES
from benchmark.model_similarity.measures import DRAWS, LEFT_OUT, PARTS

N = 40
CONCEPTS = tuple(map(str, range(N)))
REFERENCES = {
    "rdm": lambda x, y: compare_rdms(rdm(x), rdm(y), "spearman"),
    "cka": lambda x, y: linear_cka(x, y, debiased=True),
    "cka_rbf": lambda x, y: rbf_cka(x, y, debiased=True),
    "cca": mean_cca,
    "svcca": svcca,
    "pwcca": lambda x, y: (pwcca(x, y) + pwcca(y, x)) / 2,
    "procrustes": lambda x, y: np.cos(procrustes_distance(x, y)),
}
WEIGHTED = ("rdm", "cka", "cka_rbf")
FITTED = ("cca", "svcca", "pwcca", "procrustes")


def some_layers(seed: int = 0) -> list[np.ndarray]:
    """Four layers: two that share much, and two that have nothing to do with them."""
    rng = np.random.default_rng(seed)
    first = rng.normal(size=(N, 6))
    wider = np.hstack([first + 0.3 * rng.normal(size=first.shape), 0.1 * rng.normal(size=(N, 3))])
    return [first, wider, rng.normal(size=(N, 5)), rng.normal(size=(N, 8))]


def matrix(name: str, layers: list[np.ndarray], seed: int = 0):
    measure = MEASURES[name]
    kept = [measure.load(layer, CONCEPTS[: len(layer)], "correlation") for layer in layers]
    return measure.matrix(kept, len(layers[0]), seed, lambda done, total: None)


def test_every_measure_has_a_reference() -> None:
    assert set(REFERENCES) == set(MEASURES) == {*WEIGHTED, *FITTED}


@pytest.mark.parametrize("name", MEASURES)
def test_every_entry_is_that_of_the_reference(name: str) -> None:
    layers = some_layers()
    found = matrix(name, layers)
    for i, x in enumerate(layers):
        for j, y in enumerate(layers):
            expected = 1.0 if i == j else REFERENCES[name](x, y)
            assert found.similarity[i, j] == pytest.approx(expected, abs=1e-9)
    np.testing.assert_array_equal(found.low, found.low.T)
    assert found.undefined == {}
    off = ~np.eye(4, dtype=bool)
    assert (found.low[off] < found.similarity[off]).all()
    assert (found.similarity[off] < found.high[off]).all()
    assert np.isnan(np.diag(found.low)).all()


@pytest.mark.parametrize("name", MEASURES)
def test_the_same_seed_gives_the_same_numbers_for_any_set_of_layers(name: str) -> None:
    layers = some_layers()
    whole, part = matrix(name, layers), matrix(name, layers[:2])
    for array in ("similarity", "low", "high", "chance"):
        assert getattr(part, array)[0, 1] == pytest.approx(getattr(whole, array)[0, 1], abs=1e-12)
    assert matrix(name, layers[:2], seed=1).low[0, 1] != part.low[0, 1]


@pytest.mark.parametrize("name", WEIGHTED)
def test_a_draw_leaves_out_pairs_of_copies(name: str) -> None:
    """The interval of RDM correlations and CKA, from the pairs of distinct concepts, written out."""
    x, y = some_layers()[:2]
    found = matrix(name, [x, y])
    weights = bootstrap_weights(N, DRAWS, np.random.default_rng(0))
    pairs = np.triu_indices(N, 1)
    kernels = [MEASURES[name].load(layer, CONCEPTS, "correlation") for layer in (x, y)]
    if name == "rdm":
        kernels = [np.argsort(np.argsort(kernel[pairs])).astype(float) for kernel in kernels]
        kernels = [np.zeros((N, N)) + _square(kernel, pairs) for kernel in kernels]
    draws = []
    for w in weights[:200]:
        w_pairs = (w[:, None] * w)[pairs]
        left, right = (_without_additive(kernel, w, pairs, name != "rdm") for kernel in kernels)
        left, right = left - np.average(left, weights=w_pairs), right - np.average(right, weights=w_pairs)
        draws.append((w_pairs * left) @ right / np.sqrt((w_pairs @ left**2) * (w_pairs @ right**2)))
    ours = MEASURES[name]._statistic(*_two(name, x, y))(weights[:200])
    np.testing.assert_allclose(ours, draws, atol=1e-9)
    low, high = np.percentile(MEASURES[name]._statistic(*_two(name, x, y))(weights), [2.5, 97.5])
    assert (found.low[0, 1], found.high[0, 1]) == pytest.approx((low, high))


def _two(name: str, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    left, right = (MEASURES[name].load(layer, CONCEPTS, "correlation") for layer in (x, y))
    return left, right[None]


def _square(values: np.ndarray, pairs: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    square = np.zeros((N, N))
    square[pairs] = values
    return square + square.T


def _without_additive(kernel: np.ndarray, w: np.ndarray, pairs, additive: bool) -> np.ndarray:
    """The pairs of a kernel, less the part that is additive in the concepts, by weighted least squares."""
    values = kernel[pairs]
    if not additive:
        return values
    design = np.zeros((len(values), N))
    design[np.arange(len(values)), pairs[0]] = design[np.arange(len(values)), pairs[1]] = 1
    root = np.sqrt((w[:, None] * w)[pairs])
    fitted = np.linalg.lstsq(design * root[:, None], values * root, rcond=None)[0]
    return values - design @ fitted


@pytest.mark.parametrize("name", FITTED)
def test_an_interval_of_a_fitted_measure_is_the_jackknife(name: str) -> None:
    """Written out for one pair, with the parts drawn after the permutations from the same generator."""
    x, y = some_layers()[:2]
    rng = np.random.default_rng(0)
    orders = [rng.permutation(N) for _ in range(20)]
    kept = N - N // LEFT_OUT
    values = []
    for _ in range(PARTS):
        rows = rng.permutation(N)[:kept]
        values.append(REFERENCES[name](x[rows], y[rows]))
    error = np.sqrt(kept / (N - kept) * np.mean((np.array(values) - np.mean(values)) ** 2))
    found = matrix(name, [x, y])
    middle = REFERENCES[name](x, y)
    assert found.low[0, 1] == pytest.approx(middle - 1.96 * error, abs=1e-7)
    assert found.high[0, 1] == pytest.approx(middle + 1.96 * error, abs=1e-7)
    chance = np.mean([REFERENCES[name](x, y[order]) for order in orders])
    assert found.chance[0, 1] == pytest.approx(chance, abs=1e-7)


@pytest.mark.parametrize("name", MEASURES)
def test_layers_that_have_nothing_in_common_are_at_chance(name: str) -> None:
    found = matrix(name, some_layers())
    for i, j in ((0, 2), (0, 3), (2, 3)):
        assert found.low[i, j] < found.chance[i, j] < found.high[i, j]
    assert found.low[0, 1] > found.chance[0, 1]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cca", "pwcca", "procrustes", "rdm", "cka"])
def test_intervals_cover_what_other_concepts_give(name: str) -> None:
    """The 95 % interval of a sample of concepts covers the mean over samples of as many."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 4, 8)) * np.geomspace(2, 0.5, 8)

    def sample() -> list[np.ndarray]:
        shared = rng.normal(size=(N, 4))
        return [shared @ part + 0.8 * rng.normal(size=(N, 8)) for part in (a, b)]

    mean = np.mean([REFERENCES[name](*sample()) for _ in range(600)])
    covered = 0
    for seed in range(100):
        found = matrix(name, sample(), seed)
        covered += found.low[0, 1] <= mean <= found.high[0, 1]
    assert covered >= 88, covered  # of 100 at 95 %, 87 or fewer are less likely than 1 in 500


@pytest.mark.parametrize("name", ["cca", "svcca", "pwcca"])
def test_cca_of_too_few_concepts_is_undefined_and_says_why(name: str) -> None:
    rng = np.random.default_rng(0)
    layers = [rng.normal(size=(N, d)) for d in (3, 4, 60, 60)]
    found = matrix(name, layers)
    assert np.isnan(found.similarity[2, 3])
    assert not np.isnan(found.similarity[0, 1])
    assert {(2, 3)} <= set(found.undefined) <= {(2, 3), (0, 2), (0, 3), (1, 2), (1, 3)}
    assert "are 1 for any data" in found.undefined[2, 3]


def test_where_parts_of_the_concepts_are_too_few_there_is_no_interval() -> None:
    rng = np.random.default_rng(0)
    layers = [rng.normal(size=(N, 17)) for _ in range(2)]  # 34 dimensions: fewer than 40, more than 32
    found = matrix("cca", layers)
    assert 0 < found.similarity[0, 1] < 1
    assert np.isnan(found.low[0, 1])
    assert np.isnan(found.high[0, 1])


@pytest.mark.parametrize("name", MEASURES)
def test_a_layer_that_is_undefined_leaves_the_others(name: str) -> None:
    layers = some_layers()[:2]
    measure = MEASURES[name]
    kept = [measure.load(layer, CONCEPTS, "correlation") for layer in layers]
    found = measure.matrix([kept[0], ValueError("it is flat"), kept[1]], N, 0, lambda done, total: None)
    assert found.undefined == {(0, 1): "it is flat", (1, 2): "it is flat"}
    assert found.similarity[0, 2] == pytest.approx(REFERENCES[name](*layers), abs=1e-9)
    with pytest.raises(ValueError, match=r"same|constant"):
        measure.load(np.ones((N, 3)), CONCEPTS, "correlation")
