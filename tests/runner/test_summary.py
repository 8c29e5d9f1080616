"""From statistics to numbers with their uncertainty."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta

from benchmark.inference import mean_statistic
from benchmark.runner.summary import DRAWS, summarise
from benchmark.task import LayerResult, Metric, TaskResult

N = 40
RATE = Metric("rate", "rate", (0.0, 1.0), "half")


def result(headline=None, ceiling=None, **values) -> TaskResult:
    layers = {
        name: LayerResult(undefined=v)
        if isinstance(v, str)
        else LayerResult({"rate": mean_statistic(v)}, p=0.01)
        for name, v in values.items()
    }
    concepts = tuple(f"c{i}" for i in range(N))
    return TaskResult(concepts, layers, {"rate": 0.5}, ceiling or {}, headline)


def noise(seed: int, mean: float) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 0.1, N)


def test_scores_of_layers_are_those_of_all_concepts():
    values = noise(0, 0.6)
    made = summarise(result(one=values, ceiling={"rate": (0.7, 0.8)}), (RATE,), 0)
    found = made.layers[0].metrics["rate"]
    assert found.score == pytest.approx(values.mean())
    assert (found.chance, found.ceiling_low, found.ceiling_high) == (0.5, 0.7, 0.8)
    standard_error = values.std(ddof=1) / np.sqrt(N)
    assert found.ci_high - found.ci_low == pytest.approx(2 * 1.96 * standard_error, rel=0.15)
    assert made.headline == found
    assert made.selection == "single"


def test_the_best_of_many_equal_layers_is_not_flattered():
    """Fifty layers of noise: the best of them is above its mean, a layer chosen on other concepts is not."""
    values = {f"l{i}": np.random.default_rng(i).normal(0.5, 0.3, N) for i in range(50)}
    made = summarise(result(**values), (RATE,), 0)
    best = max(v.mean() for v in values.values())
    assert made.selection == "split-half"
    assert best > 0.57
    assert abs(made.headline.score - 0.5) < 0.05


def test_lower_may_be_better():
    distance = Metric("rate", "distance", (0.0, 1.0), "half", higher_is_better=False)
    made = summarise(result(far=noise(1, 0.8), near=noise(2, 0.2)), (distance,), 0)
    assert made.best_layer == "near"
    assert made.headline.ci_low < made.headline.score < made.headline.ci_high
    assert made.headline.score == pytest.approx(0.2, abs=0.05)


def test_a_headline_fixed_beforehand_is_taken_though_another_layer_is_higher():
    made = summarise(result(headline="head", head=noise(1, 0.3), other=noise(2, 0.9)), (RATE,), 0)
    assert (made.best_layer, made.selection) == ("head", "fixed")
    assert made.headline.score == pytest.approx(0.3, abs=0.05)


def test_draws_of_two_models_are_paired_however_many_layers_they_have():
    values = noise(3, 0.5)
    one = summarise(result(a=values), (RATE,), 7)
    shifted = summarise(result(headline="a", a=values + 0.01, b=noise(4, 0.1)), (RATE,), 7)
    assert one.draws.shape == (DRAWS,)
    np.testing.assert_allclose(shifted.draws - one.draws, 0.01)
    chosen = summarise(result(a=values, b=noise(4, -9.0)), (RATE,), 7)
    assert np.corrcoef(one.draws, chosen.draws)[0, 1] > 0.95
    other_seed = summarise(result(a=values), (RATE,), 8)
    assert abs(np.corrcoef(one.draws, other_seed.draws)[0, 1]) < 0.2


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_a_rate_at_its_end_is_not_certain(rate):
    found = summarise(result(one=np.full(N, rate)), (RATE,), 0).headline
    hits = round(rate * N)
    exact = (
        0.0 if hits == 0 else beta.ppf(0.025, hits, N - hits + 1),
        1.0 if hits == N else beta.ppf(0.975, hits + 1, N - hits),
    )
    assert (found.ci_low, found.ci_high) == pytest.approx(exact)


def test_undefined_layers_keep_their_reason_and_are_never_chosen():
    made = summarise(result(bad="constant", good=noise(0, 0.1)), (RATE,), 0)
    assert made.best_layer == "good"
    assert made.layers[0].undefined == "constant"
    assert made.layers[0].p_fdr is None
    nothing = summarise(result(bad="constant"), (RATE,), 0)
    assert nothing.best_layer is None
    assert nothing.headline.score is None
