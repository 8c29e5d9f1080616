"""Several untrained seeds are one row: their mean, and the band of the seeds."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.common.errors import UsageError
from benchmark.registry import expand_seeds
from benchmark.results import CellResult, Estimate, LayerScore, Provenance, average_seeds


def cell(model: str, score: float | None, binding: str = "people_rdm", best: str = "late") -> CellResult:
    early = Estimate(score=0.0 if score is None else score / 2, ci_low=-1, ci_high=1)
    layers = (
        LayerScore(name="early", metrics={"spearman": early}),
        LayerScore(name="late", metrics={"spearman": Estimate(score=score, ci_low=-1, ci_high=1)}),
    )
    return CellResult.model_construct(
        model=model,
        task="rdm_correlation",
        binding=binding,
        suite="mini",
        untrained="@" in model,
        status="scored",
        metric="spearman",
        score=score,
        ci_low=-1.0,
        ci_high=1.0,
        chance=0.0,
        ceiling_low=0.5,
        ceiling_high=0.75,
        best_layer=best,
        layers=layers,
        n=48,
        provenance=PROVENANCE,
    )


PROVENANCE = Provenance.model_validate(
    {
        "registry_entry": {},
        "weights_sha256": None,
        "weights": "untrained:0",
        "preprocessing": "none",
        "stimuli_manifest": "m",
        "target_hash": "t",
        "task_version": 1,
        "params": {},
        "seed": 0,
        "packages": {},
        "python": "3",
        "device": "cpu",
        "dtype": "float32",
        "code_version": "c",
        "created": "now",
        "seconds": 1.0,
    }
)


def test_ten_seeds_are_their_mean_and_their_band() -> None:
    scores = np.random.default_rng(0).normal(size=10)
    cells = [cell(f"net@untrained:{seed}", float(s)) for seed, s in enumerate(scores)]
    (found,) = average_seeds(cells[::-1])
    assert found.model == "net@untrained:0-9"
    assert found.averaged
    assert not cells[0].averaged
    assert found.provenance.seconds == 10
    assert found.score == pytest.approx(scores.mean())
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(np.quantile(scores, [0.05, 0.95])))
    assert (found.chance, found.ceiling_low, found.ceiling_high) == (0.0, 0.5, 0.75)
    early = found.layers[0].metrics["spearman"]
    assert early.score == pytest.approx(scores.mean() / 2)
    assert early.ci_high == pytest.approx(np.quantile(scores / 2, 0.95))


def test_the_best_layer_is_that_of_most_seeds() -> None:
    cells = [cell(f"net@untrained:{i}", 0.1, best=best) for i, best in enumerate(["early", "late", "late"])]
    assert average_seeds(cells)[0].best_layer == "late"


def test_only_twins_of_one_model_on_one_binding_are_averaged() -> None:
    cells = [
        cell("net", 0.9),
        cell("net@untrained:0", 0.1),
        cell("other@untrained:0", 0.5),
        cell("net@untrained:3", 0.3),
        cell("net@untrained:0", 0.7, binding="area_rdm"),
    ]
    found = average_seeds(cells)
    assert [(c.model, c.binding) for c in found] == [
        ("net", "people_rdm"),
        ("net@untrained:0,3", "people_rdm"),
        ("other@untrained:0", "people_rdm"),
        ("net@untrained:0", "area_rdm"),
    ]
    assert found[1].score == pytest.approx(0.2)
    assert found[0] is cells[0]


def test_a_seed_without_a_score_is_not_averaged_away() -> None:
    found = average_seeds([cell("net@untrained:0", 0.1), cell("net@untrained:1", None)])
    assert [c.model for c in found] == ["net@untrained:0", "net@untrained:1"]


def test_a_range_of_seeds_is_one_name_each() -> None:
    assert expand_seeds("net@untrained:8-10") == ["net@untrained:8", "net@untrained:9", "net@untrained:10"]
    assert expand_seeds("net@untrained:3-3") == ["net@untrained:3"]
    for name in ("net", "net@untrained:3", "net@trained:0-9", "a-b"):
        assert expand_seeds(name) == [name]


@pytest.mark.parametrize("text", ["net@untrained:9-0", "net@untrained:0-1000", "net@untrained:0-9999999999"])
def test_a_range_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="FIRST-LAST"):
        expand_seeds(text)
