"""The odd-one-out RDM against the choice rule written out, and against people."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.measures import compare_rdms, spose_rdm


def by_the_rule(x: np.ndarray, objects: int | None = None) -> np.ndarray:
    n = len(x)
    objects = objects or n
    s = x @ x.T
    result = np.zeros((objects, objects))
    for i in range(objects):
        for j in range(objects):
            kept = [
                np.exp(s[i, j]) / (np.exp(s[i, j]) + np.exp(s[i, k]) + np.exp(s[j, k]))
                for k in range(n)
                if k not in (i, j)
            ]
            result[i, j] = 0 if i == j else 1 - np.mean(kept)
    return result


@given(n=st.integers(3, 12), seed=st.integers(0, 10**6), scale=st.floats(0, 3))
@settings(max_examples=30, deadline=None)
def test_equals_the_choice_rule(n: int, seed: int, scale: float) -> None:
    x = scale * np.random.default_rng(seed).normal(size=(n, 4))
    np.testing.assert_allclose(spose_rdm(x), by_the_rule(x), atol=1e-12)


def test_longer_than_a_block_in_any_order_and_rotation() -> None:
    rng = np.random.default_rng(0)
    x = rng.exponential(size=(150, 5))
    result = spose_rdm(x)
    np.testing.assert_allclose(result[:3, :3], by_the_rule(x, 3), atol=1e-12)
    order, rotation = rng.permutation(150), np.linalg.qr(rng.normal(size=(5, 5)))[0]
    np.testing.assert_allclose(spose_rdm(x[order] @ rotation), result[np.ix_(order, order)], atol=1e-12)


def test_an_embedding_that_says_nothing_is_at_chance() -> None:
    np.testing.assert_allclose(spose_rdm(np.zeros((5, 2))), 2 / 3 * (1 - np.eye(5)))


def test_undefined() -> None:
    with pytest.raises(ValueError, match=r"embedding has shape \(2, 3\): at least 3"):
        spose_rdm(np.ones((2, 3)))
    with pytest.raises(ValueError, match="spread of at most 600"):
        spose_rdm(np.array([[0.0], [30.0], [31.0]]))


@pytest.mark.human_data
@pytest.mark.parametrize("dimensions, expected", [(49, 0.898), (66, 0.904)])
def test_agrees_with_the_fully_sampled_objects(human_data: Path, dimensions: int, expected: float) -> None:
    from scipy.io import loadmat

    things = human_data / "things"
    embedding = np.loadtxt(things / f"spose_embedding_{dimensions}d_sorted.txt")
    rows = np.load(things / "triplet48_index.npy")
    measured = loadmat(things / "RDM48_triplet.mat")["RDM48_triplet"]
    assert compare_rdms(spose_rdm(embedding[rows]), measured, "pearson") == pytest.approx(expected, abs=0.001)


@pytest.mark.slow
@pytest.mark.human_data
def test_all_objects_of_things_within_a_minute(human_data: Path) -> None:
    from scipy.io import loadmat

    things = human_data / "things"
    embedding = np.loadtxt(things / "spose_embedding_49d_sorted.txt")
    start = time.process_time()
    result = spose_rdm(embedding)
    assert time.process_time() - start < 60
    rows = np.load(things / "triplet48_index.npy")
    measured = loadmat(things / "RDM48_triplet.mat")["RDM48_triplet"]
    found = compare_rdms(result[np.ix_(rows, rows)], measured, "pearson")
    assert found == pytest.approx(0.886, abs=0.001)
