from __future__ import annotations

import sys

import numpy as np
import pytest

from benchmark.calibration import ArrayView, plain_score, synthetic_stimuli
from benchmark.common.cost import Cost
from benchmark.common.errors import UsageError
from benchmark.datasets.join import join
from benchmark.datasets.types import RDMTarget
from benchmark.measures import category_matching_rate, rdm
from benchmark.task import LongWork

K = 20
CONCEPTS = tuple(f"c{i:02d}" for i in range(K))
CATEGORIES = tuple("abcd"[i // 5] for i in range(K))
FAST = {"starts": 3, "epsilons": [0.03, 0.003]}


@pytest.fixture
def task(plugin):
    return plugin("gwot_matching").GWOTMatching()


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.fixture
def space(rng):
    return rng.standard_normal((K, 12))


def people(space, rng, subjects=1, noise=0.0, categories=CATEGORIES):
    rdms = np.stack([rdm(space + noise * rng.standard_normal(space.shape)) for _ in range(subjects)])
    names = tuple(f"s{i}" for i in range(subjects))
    return RDMTarget("people", CONCEPTS, "h", rdms=rdms, subjects=names, categories=categories)


def score(task, features, target, **params):
    view = ArrayView(synthetic_stimuli(CONCEPTS), features)
    return task.score(view, join(view.stimuli, target), FAST | params, np.random.default_rng(1))


def test_an_isometric_copy_finds_every_match_whatever_its_order(task, space, rng):
    target = people(space, rng)
    order = rng.permutation(K)
    shuffled = RDMTarget(
        "people",
        tuple(CONCEPTS[i] for i in order),
        "h",
        rdms=target.rdms[:, order][:, :, order],
        subjects=("s0",),
        categories=tuple(CATEGORIES[i] for i in order),
    )
    copy = {"copy": 2.0 * space[:, ::-1] + 1.0}
    for given in (target, shuffled):
        result = score(task, copy, given)
        for metric in ("top1", "top5", "top10", "category"):
            assert plain_score(result, "copy", metric) == 1.0
        assert result.layers["copy"].p == pytest.approx(1 / 1001)
        assert result.layers["copy"].values["gw_distance"] < 1e-6


def test_the_oracle_is_no_score(task, space, rng):
    features = {"layer": space + 1.5 * rng.standard_normal(space.shape)}
    result = score(task, features, people(space, rng))
    values = result.layers["layer"].values
    assert values["oracle_top1"] >= plain_score(result, "layer", "top1")
    assert values["oracle_gw_distance"] >= values["gw_distance"]
    assert set(result.layers["layer"].statistics) == {"top1", "top5", "top10", "category"}


def test_chance_is_k_over_n_and_the_odds_of_a_category(task, space, rng):
    categories = ("a",) * 15 + ("b",) * 4 + (None,)
    result = score(task, {"layer": space}, people(space, rng, categories=categories))
    assert result.chance["top1"] == pytest.approx(1 / K, abs=0.01)
    assert result.chance["top5"] == pytest.approx(5 / K, abs=0.02)
    assert result.chance["top10"] == pytest.approx(10 / K, abs=0.02)
    assert result.chance["category"] == pytest.approx((15 * 15 + 4 * 4) / 19 / K, abs=0.02)
    assert result.counts["with_category"] == 19


def test_without_categories_there_is_no_category_rate(task, space, rng):
    result = score(task, {"layer": space}, people(space, rng, categories=None))
    assert "category" not in result.layers["layer"].statistics
    assert "category" not in result.chance
    assert not {"category_p", "oracle_category"} & set(result.layers["layer"].values)


def test_categories_have_a_rate_a_null_and_an_oracle_of_their_own(task, rng):
    """Concepts of a category are alike: noise exchanges them, and no category."""
    space = np.repeat(rng.standard_normal((4, 12)), 5, axis=0) + 0.1 * rng.standard_normal((K, 12))
    noisy = {"layer": space + 0.1 * rng.standard_normal(space.shape)}
    result = score(task, noisy, people(space, rng), starts=6)
    layer = result.layers["layer"]
    assert plain_score(result, "layer", "category") == 1.0 == layer.values["oracle_category"]
    assert plain_score(result, "layer", "top1") < 1
    assert layer.values["category_p"] == pytest.approx(1 / 1001)
    unrelated = score(task, {"layer": rng.standard_normal(space.shape)}, people(space, rng), starts=6)
    assert unrelated.layers["layer"].values["category_p"] > 0.05


def test_the_band_of_chance_holds_nine_of_ten_random_plans(task, space, rng):
    result = score(task, {"layer": space}, people(space, rng))
    assert set(result.chance_band) == set(result.chance) == {"top1", "top5", "top10", "category"}
    for name, (low, high) in result.chance_band.items():
        assert low <= result.chance[name] <= high
    rates = [category_matching_rate(rng.random((K, K)), CATEGORIES) for _ in range(2000)]
    low, high = result.chance_band["category"]
    assert np.mean(np.array(rates) < low) < 0.06
    assert np.mean(np.array(rates) > high) < 0.06


def test_the_likeliest_matches_of_each_concept_are_kept(task, space, rng):
    result = score(task, {"layer": space + 0.5 * rng.standard_normal(space.shape)}, people(space, rng))
    likeliest, probability = (result.arrays[f"{name}/layer"] for name in ("likeliest", "probability"))
    assert likeliest.shape == probability.shape == (K, 10)
    assert (np.diff(probability, axis=1) <= 0).all()
    assert (probability.sum(axis=1) <= 1 + 1e-6).all()
    for k in (5, 10):
        hits = (likeliest[:, :k] == np.arange(K)[:, None]).any(axis=1)
        assert plain_score(result, "layer", f"top{k}") == pytest.approx(hits.mean())


def test_the_protocol_of_the_reference_polishes_nothing(task, space, rng):
    features = {"layer": space + rng.standard_normal(space.shape)}
    target = people(space, rng)
    faithful = score(task, features, target, polish=False, starts=6)
    sweep = faithful.arrays["sweep/layer"]
    assert len(sweep) == 6 * len(FAST["epsilons"])
    assert set(sweep[:, 0]) == set(FAST["epsilons"])
    values = faithful.layers["layer"].values
    assert values["gw_distance"] == sweep[:, 2].min()
    assert values["searches"] == 6
    assert values["entropic_epsilon"] == sweep[sweep[:, 2].argmin(), 0]
    polished = score(task, features, target, starts=6)
    assert polished.layers["layer"].values["gw_distance"] <= values["gw_distance"]


def test_the_ceiling_falls_with_the_noise_and_needs_four_subjects(task, space, rng):
    features = {"layer": space}
    clear = score(task, features, people(space, rng, subjects=4, noise=0.05)).ceiling["top1"]
    vague = score(task, features, people(space, rng, subjects=4, noise=2.0)).ceiling["top1"]
    assert clear == (1.0, 1.0)
    assert vague[0] < 0.7
    alone = score(task, features, people(space, rng, subjects=3, noise=0.05))
    assert alone.ceiling == {}
    assert any("no ceiling" in note for note in alone.notes)


def test_few_subjects_are_matched_one_by_one(task, space, rng):
    """The last of four sees another geometry: the others cannot be matched with it."""
    target = people(space, rng, subjects=4, noise=0.05)
    target.rdms[3] = rdm(rng.standard_normal(space.shape))
    result = score(task, {"layer": space}, target)
    alone = result.arrays["ceiling_by_part/top1"]
    assert alone.shape == (4, 2)
    assert alone[:3, 0].min() > 0.9
    assert alone[3, 0] < 0.5
    assert result.ceiling["top1"] == pytest.approx(tuple(alone.mean(axis=0)))
    assert f"s3 {alone[3, 0]:.3f}" in result.notes[0]


def test_many_subjects_are_halved(task, space, rng):
    result = score(task, {"layer": space}, people(space, rng, subjects=8, noise=0.05))
    assert result.arrays["ceiling_by_part/top1"].shape == (3, 2)
    assert len(result.notes) == 1
    assert "found_again" in result.notes[0], "what the interval covers"


def test_a_layer_does_not_depend_on_the_others(task, space, rng):
    target = people(space, rng)
    noisy = space + rng.standard_normal(space.shape)
    together = score(task, {"copy": space, "noisy": noisy}, target)
    alone = score(task, {"noisy": noisy}, target)
    assert together.layers["noisy"].values == alone.layers["noisy"].values
    assert together.layers["noisy"].p == alone.layers["noisy"].p


def test_the_scale_of_an_rdm_changes_nothing(task, space, rng):
    target = people(space, rng)
    larger = RDMTarget("people", CONCEPTS, "h", rdms=50 * target.rdms, subjects=("s0",))
    features = {"layer": space + rng.standard_normal(space.shape)}
    distances = [score(task, features, t).layers["layer"].values["gw_distance"] for t in (target, larger)]
    assert distances[0] == pytest.approx(distances[1], rel=1e-6)


def test_constant_features_are_undefined(task, space, rng):
    result = score(task, {"flat": np.ones((K, 4)), "layer": space}, people(space, rng))
    assert "constant" in result.layers["flat"].undefined
    assert result.layers["layer"].undefined is None
    assert not any(name.endswith("/flat") for name in result.arrays)


def test_the_whole_sweep_is_kept(task, space, rng):
    result = score(task, {"layer": space}, people(space, rng), epsilons=[0.1, 0.01])
    sweep = result.arrays["sweep/layer"]
    assert sweep.shape[1] == 6
    assert sweep[:, 4].max() == result.layers["layer"].values["oracle_category"]
    assert {0.1, 0.01} <= set(sweep[:, 0])
    assert sweep[:, 2].min() == pytest.approx(result.layers["layer"].values["gw_distance"])
    np.testing.assert_allclose(result.arrays["plan/layer"].sum(axis=0), 1 / K, atol=1e-6)


class Bar:
    """What a user sees of the work."""

    def __init__(self) -> None:
        self.costs: list[Cost] = []

    def expect(self, cost: Cost) -> None:
        self.costs.append(cost)

    def __call__(self, done: int, total: int) -> None:
        pass


def test_searches_go_to_the_accelerator_of_the_run(task, space, rng):
    """Torch on the processor stands in for one: another way to the same plan."""
    features = {"a": space + 0.3 * rng.standard_normal(space.shape)}
    target = people(space, rng)
    view = ArrayView(synthetic_stimuli(CONCEPTS), features, work=LongWork(device="cpu"))
    there = task.score(view, join(view.stimuli, target), FAST, np.random.default_rng(1)).layers["a"].values
    here = score(task, features, target).layers["a"].values
    assert there["gw_distance"] == pytest.approx(here["gw_distance"], rel=1e-6)
    nowhere = ArrayView(synthetic_stimuli(CONCEPTS), features, work=LongWork(device="nowhere"))
    with pytest.raises(ValueError, match="device is 'nowhere'"):
        task.score(nowhere, join(view.stimuli, target), FAST, np.random.default_rng(1))


@pytest.mark.parametrize(("seconds", "said"), [(30.0, []), (60.0, [2 * 60.0])])
def test_the_cost_of_long_searches_is_said_before_they_start(task, space, rng, monkeypatch, seconds, said):
    # of each of two layers
    monkeypatch.setattr(sys.modules[type(task).__module__], "gw_search_seconds", lambda *_, **__: seconds)
    bar = Bar()
    view = ArrayView(
        synthetic_stimuli(CONCEPTS), {"a": space, "b": space[:, ::-1]}, work=LongWork(progress=bar)
    )
    task.score(view, join(view.stimuli, people(space, rng)), FAST, np.random.default_rng(1))
    assert [cost.seconds for cost in bar.costs] == said


def test_what_was_found_is_not_searched_again_and_plans_of_starts_are_let_go(task, space, rng, monkeypatch):
    target = people(space, rng, subjects=4, noise=0.5)
    memo: dict[str, dict[str, np.ndarray]] = {}
    view = ArrayView(synthetic_stimuli(CONCEPTS), {"a": space}, work=LongWork(memo=memo))

    def scored():
        return task.score(view, join(view.stimuli, target), FAST, np.random.default_rng(1))

    first = scored()
    assert len(memo) == 2, "the layer and the ceiling"
    assert sum(array.nbytes for record in memo.values() for array in record.values()) < 10 * K * K * 8
    alone = score(task, {"a": space}, target)
    monkeypatch.setattr(sys.modules[type(task).__module__], "gromov_wasserstein", None)
    again = scored()
    for other in (again, alone):
        assert other.ceiling == first.ceiling
        assert other.layers["a"].values == first.layers["a"].values
        assert other.layers["a"].p == first.layers["a"].p
        assert plain_score(other, "a", "category") == plain_score(first, "a", "category")
        for name, array in first.arrays.items():
            np.testing.assert_array_equal(array, other.arrays[name])


@pytest.mark.parametrize(
    "params", [{"epsilons": []}, {"epsilons": [0.1, -1]}, {"epsilons": 0.1}, {"starts": 0}, {"starts": 2.5}]
)
def test_useless_parameters_are_refused(task, space, rng, params):
    with pytest.raises(UsageError, match=next(iter(params))):
        score(task, {"layer": space}, people(space, rng), **params)
