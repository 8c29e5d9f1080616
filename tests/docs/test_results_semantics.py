"""The tables of property norms on the page of the results."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmark.leaderboard.board import Column
from benchmark.results import Estimate, LayerScore

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))
from results_semantics import TYPES, place, semantics_section, step_between


def estimate(score, half):
    return Estimate(score=score, ci_low=score - half, ci_high=score + half, chance=0.07)


def cell(model, scores, perturbed):
    metrics = {"f1": estimate(np.mean(scores), 0.05)}
    metrics |= {kind: estimate(score, 0.05) for kind, score in zip(TYPES, scores, strict=True)}
    return SimpleNamespace(
        model=model,
        task="property_decoding",
        binding="decoding",
        metric="f1",
        score=float(np.mean(scores)),
        best_layer="layer",
        layers=[LayerScore(name="layer", metrics=metrics)],
        perturbed=perturbed,
        n=40,
        counts={},
        notes=[],
    )


def test_a_step_between_types_has_the_interval_of_two_independent_scores():
    step = step_between(estimate(0.5, 0.03), estimate(0.4, 0.04))
    assert (step.difference, step.low, step.high) == pytest.approx((0.1, 0.05, 0.15))
    assert step.reading == "above"
    assert step_between(estimate(0.4, 0.03), estimate(0.5, 0.04)).reading == "below"
    assert step_between(estimate(0.45, 0.03), estimate(0.44, 0.04)).reading == "not told apart"
    assert step_between(Estimate(), estimate(0.4, 0.04)) is None


def test_the_section_counts_the_steps_and_compares_with_the_last_layer():
    rng = np.random.default_rng(0)
    shared = rng.normal(0, 0.02, 64)
    changes = [[list(shared + rng.normal(0, 0.001, 64)), [0.0] * 64] for _ in range(2)]
    last = cell("last_net", [0.5, 0.4, 0.39, 0.2, 0.3], changes[0])
    svd = cell("svd_net", [0.7, 0.6, 0.59, 0.4, 0.5], changes[1])
    column = Column("decoding", "", "", "", None, (svd, last))
    said = semantics_section(SimpleNamespace(columns=(column,)))
    assert (
        "- taxonomic less visual perceptual: above in 2 of 2 cells, below in 0, not told apart in 0." in said
    )
    assert "- functional less encyclopaedic: above in 0 of 2 cells, below in 2, not told apart in 0." in said
    assert "- `decoding`: above 1, below 0, not told apart 0." in said
    assert "| `decoding` | `svd_net` | `last_net` | 0.200 |" in said
    assert semantics_section(SimpleNamespace(columns=())) == ""
    assert "- All four steps at once, by the scores alone: 0 of 2 cells." in said


def test_the_rows_of_a_network_stand_together_and_words_come_last():
    ordered = ["net", "last_net", "svd_net", "1ton_net", "1ton_trained_net", "word_vectors_glove"]
    ordered += ["last_glove_net", "1ton_glove_net", "last_glove_840b_net"]
    mixed = ordered[::-1]
    assert sorted(mixed, key=place) == ordered


def test_the_section_says_from_which_layer_on_a_kind_is_above_chance():
    one = cell("net", [0.4, 0.3, 0.3, 0.2, 0.1], [])
    early = {"f1": estimate(0.1, 0.05), "taxonomic": estimate(0.1, 0.05), "colour": estimate(0.2, 0.05)}
    late = {"f1": estimate(0.3, 0.05), "taxonomic": estimate(0.4, 0.05), "colour": Estimate()}
    one.layers = [LayerScore(name="conv", metrics=early), LayerScore(name="layer", metrics=late)]
    one.model_copy = lambda update: cell(update["model"], [0.4, 0.3, 0.3, 0.2, 0.1], [])
    said = semantics_section(SimpleNamespace(columns=(Column("decoding", "", "", "", None, (one,)),)))
    colour = "`conv` (1 of 1) | 0.200 [0.150, 0.250] (0.070) | 0.200 [0.150, 0.250] (0.070)"
    taxonomic = "`layer` (2 of 2) | 0.100 [0.050, 0.150] (0.070) | 0.400 [0.350, 0.450] (0.070)"
    assert f"| `decoding` | `net` | {colour} | {taxonomic} |" in said
