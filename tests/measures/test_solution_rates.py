"""All rates of a solution beside those computed one by one, and chance beside its closed form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.measures import category_matching_rate, matching_rate
from benchmark.measures.solution_rates import (
    has_categories,
    random_plan_rates,
    solution_hits,
    solution_rates,
)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 15), seed=st.integers(0, 2**32 - 1))
def test_each_rate_is_that_of_its_plan(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    plan, entropic = rng.random((n, n)), rng.random((n, n))
    labels = ["a", *rng.choice(np.array(["a", "b", None], dtype=object), n - 1)]
    assert solution_rates(plan, entropic, labels) == pytest.approx(
        {
            "top1": matching_rate(plan),
            "top5": matching_rate(entropic, min(5, n)),
            "top10": matching_rate(entropic, min(10, n)),
            "category": category_matching_rate(entropic, labels),
        }
    )


@pytest.mark.parametrize("categories", [None, [None] * 4])
def test_without_categories_there_is_no_rate_of_them(categories: list[None] | None) -> None:
    assert not has_categories(categories)
    assert set(solution_hits(np.eye(4), np.eye(4), categories)) == {"top1", "top5", "top10"}


def test_chance_is_k_over_n_and_the_share_of_the_category() -> None:
    chance, band = random_plan_rates(20, ["a", "b"] * 10, np.random.default_rng(0))
    expected = {"top1": 0.05, "top5": 0.25, "top10": 0.5, "category": 0.5}
    # a mean of 1,000 plans: four standard errors of a proportion over 20 conditions
    assert chance == pytest.approx(expected, abs=4 * 0.5 / np.sqrt(20_000))
    assert all(low < expected[name] < high for name, (low, high) in band.items())


def test_a_plan_that_is_not_square_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected \(n, n\)"):
        solution_hits(np.ones((3, 4)), np.ones((3, 4)))
