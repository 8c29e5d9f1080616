"""Rank intervals, from scores whose differences are known."""

from __future__ import annotations

import numpy as np
import pytest
from test_page import cell

from benchmark.inference import Perturbed, perturbed
from benchmark.inference import mean_statistic as mean_of
from benchmark.leaderboard.ranks import rank_intervals


def outcomes(level: float, seed: int, n: int = 200) -> np.ndarray:
    """Outcomes of ``n`` concepts with mean ``level`` and a small noise."""
    noise = np.random.default_rng(seed).normal(size=n)
    return level + 0.1 * (noise - noise.mean())


def comparable(levels: dict[str, float], n: int = 200) -> dict[str, Perturbed]:
    return {
        model: perturbed(mean_of(outcomes(level, seed, n)), n=n, rng=0)
        for seed, (model, level) in enumerate(levels.items())
    }


def ranks(levels, *, higher=True, **more):
    cells = [cell(model, level, n=200, **more.get(model, {})) for model, level in levels.items()]
    return rank_intervals(cells, comparable(levels), higher=higher)


def test_models_that_differ_have_one_rank_and_those_that_do_not_share_two():
    assert ranks({"a": 0.9, "b": 0.9, "c": 0.5, "d": 0.1}) == {
        "a": (1, 2),
        "b": (1, 2),
        "c": (3, 3),
        "d": (4, 4),
    }


def test_where_lower_is_better_the_order_is_turned():
    assert ranks({"a": 0.9, "b": 0.5}, higher=False) == {"a": (2, 2), "b": (1, 1)}


def test_models_that_nothing_tells_apart_are_one_tier():
    assert set(ranks({"a": 0.5, "b": 0.5, "c": 0.5}).values()) == {(1, 3)}


@pytest.mark.parametrize("kept_out", [{"trained_on": True}, {"untrained": True}, {"n": 10}])
def test_trained_on_untrained_and_cells_of_fewer_concepts_have_no_rank(kept_out):
    levels = {"a": 0.9, "b": 0.5, "c": 0.1}
    cells = [cell(m, s, n=200) for m, s in list(levels.items())[1:]]
    out = cell("a", 0.9, **{"n": 200, **kept_out})
    known = comparable(levels)
    if "n" in kept_out:
        known["a"] = comparable({"a": 0.9}, n=10)["a"]
    assert rank_intervals([out, *cells], known, higher=True) == {"b": (1, 1), "c": (2, 2)}


def test_without_changes_or_alone_there_is_no_rank():
    undefined = Perturbed(0.5, np.full(64, np.nan), np.full(64, np.nan), 200)
    cells = [cell("a", 0.5, n=200), cell("b", 0.4, n=200)]
    assert rank_intervals(cells, {}, higher=True) == {}
    assert rank_intervals(cells, {"a": undefined, **comparable({"b": 0.4})}, higher=True) == {}
