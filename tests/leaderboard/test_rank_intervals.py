"""Rank intervals, from scores whose differences are known."""

from __future__ import annotations

import numpy as np
import pytest
from test_page import cell

from benchmark.inference import mean_statistic as mean_of
from benchmark.inference import perturbed
from benchmark.leaderboard.board import OWN_RECIPE, _under_recipes
from benchmark.leaderboard.compare import compare
from benchmark.leaderboard.ranks import rank_intervals
from benchmark.results import CellResult, ResultStore, perturbed_of


def outcomes(level: float, seed: int, n: int = 200) -> np.ndarray:
    """Outcomes of ``n`` concepts with mean ``level`` and a small noise."""
    noise = np.random.default_rng(seed).normal(size=n)
    return level + 0.1 * (noise - noise.mean())


def ranked(model: str, level: float, seed: int, n: int = 200, **more):
    """A cell with the changes of its score. Its best layer has that score."""
    found = perturbed(mean_of(outcomes(level, seed, n)), n=n, rng=0)
    return cell(model, level, n=n, perturbed=(found.concepts, found.pairs), **more)


def ranks(levels, *, higher=True):
    cells = [ranked(model, level, seed) for seed, (model, level) in enumerate(levels.items())]
    return rank_intervals(cells, higher=higher)


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
    cells = [ranked("a", 0.9, 0, **kept_out), ranked("b", 0.5, 1), ranked("c", 0.1, 2)]
    assert rank_intervals(cells, higher=True) == {"b": (1, 1), "c": (2, 2)}


def test_halves_of_the_concepts_are_not_paired_though_their_number_is_one():
    def half(model, level, seed, shown):
        return ranked(model, level, seed, counts={"uncovered": 200}, key={"features": {"stimuli": shown}})

    first, second, third = half("a", 0.9, 0, "one"), half("b", 0.5, 1, "other"), half("c", 0.5, 2, "one")
    assert set(rank_intervals([first, second, third], higher=True)) == {"a", "c"}
    (unlike, alike) = (
        compare([first, second, third], ["a", "b"]),
        compare([first, second, third], ["a", "c"]),
    )
    assert (unlike[0].n, unlike[0].why) == (None, "scored on 200 concepts each, which are not the same")
    assert (alike[0].n, alike[0].why) == (200, "")


def test_without_changes_or_alone_there_is_no_rank():
    undefined = cell("a", 0.5, n=200, perturbed=([np.nan] * 64, [np.nan] * 64))
    assert rank_intervals([cell("a", 0.5, n=200), cell("b", 0.4, n=200)], higher=True) == {}
    assert rank_intervals([ranked("a", 0.5, 0)], higher=True) == {}
    for without in (undefined, cell("a", 0.5, n=200)):
        assert rank_intervals([without, ranked("b", 0.4, 1), ranked("c", 0.1, 2)], higher=True) == {}


def test_what_a_run_stores_is_what_was_computed(bench, tmp_path):
    assert bench("run", "--model", "pixels", "--task", "people_rdm", "--output", tmp_path).status == 0
    (stored,) = ResultStore(tmp_path).all()[0]
    found = perturbed_of(stored.cell)
    layer = stored.cell.layers[0]
    assert found.n == 48
    assert found.score == layer.metrics["spearman"].score
    assert found.concepts.shape == found.pairs.shape == (64,)
    assert np.std(found.concepts) > np.std(found.pairs) > 0


def test_ranks_under_recipes_are_among_models_that_have_all_of_them():
    def cells(**scores: float) -> list[CellResult]:
        return [CellResult.model_construct(model=model, score=score) for model, score in scores.items()]

    variants = {
        OWN_RECIPE: cells(a=0.5, b=0.4, c=0.05, only_one=0.9),
        "cosine.none": cells(a=0.1, b=0.2, c=0.05),
    }
    found = _under_recipes(variants, higher=True)
    assert found == {
        "a": ({OWN_RECIPE: 0.5, "cosine.none": 0.1}, {OWN_RECIPE: 1, "cosine.none": 2}, ("c",)),
        "b": ({OWN_RECIPE: 0.4, "cosine.none": 0.2}, {OWN_RECIPE: 2, "cosine.none": 1}, ("c",)),
        "c": ({OWN_RECIPE: 0.05, "cosine.none": 0.05}, {OWN_RECIPE: 3, "cosine.none": 3}, ()),
    }
    errors = _under_recipes(variants, higher=False)
    assert errors["c"].ahead_of == ("a", "b")
    assert errors["c"].ranks == {OWN_RECIPE: 1, "cosine.none": 1}
    assert _under_recipes({OWN_RECIPE: variants[OWN_RECIPE]}, higher=True) == {}
    assert _under_recipes({}, higher=True) == {}
