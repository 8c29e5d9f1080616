"""Parts of a variance for models with several layers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from benchmark.measures import variance_partition
from benchmark.partition import best_layer_shares


def random_rdm(rng, n=30):
    return squareform(pdist(rng.standard_normal((n, 40))))


def standard(rdm):
    above = rdm[np.triu_indices(len(rdm), 1)]
    return squareform(squareform((rdm - above.mean()) / above.std(), checks=False))


def shares(target, models, method="pearson", seed=0):
    rng = np.random.default_rng(seed)
    return best_layer_shares(target, models, method, rng, draws=20, permutations=19)


@pytest.mark.parametrize("method", ["spearman", "pearson"])
@pytest.mark.parametrize("names", ["ab", "abc"])
def test_with_one_layer_each_the_parts_are_those_of_the_measure(names, method):
    rng = np.random.default_rng(1)
    target = np.stack([random_rdm(rng) for _ in range(2)])
    rdms = {name: random_rdm(rng) + 0.3 * target[0] for name in names}
    found = shares(target, {name: {"layer": rdm} for name, rdm in rdms.items()}, method)
    known = variance_partition(target, rdms, method)
    for parts, expected in ((found.components, known.components), (found.explained, known.corrected)):
        assert {group: share.estimate.score for group, share in parts.items()} == pytest.approx(expected)
    assert found.components["a",].p is not None
    assert found.explained[tuple(names)].ceiling is not None
    assert shares(target[:1], {name: {"layer": rdm} for name, rdm in rdms.items()}).components[
        "a",
    ].ceiling is None  # fmt: skip


def test_a_known_mix_is_recovered_and_the_right_layers_are_chosen():
    """Of the sum of d, e and f, uncorrelated and of the same variance, each explains a third."""
    found = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        d, e, f = (standard(random_rdm(rng)) for _ in range(3))
        models = {
            "one": {"noise": random_rdm(rng), "right": d},
            "two": {"right": d + e, "noise": random_rdm(rng)},
        }
        result = shares((d + e + f)[None], models)
        assert result.layers == {"one": "right", "two": "right"}
        found.append([share.estimate.score for share in result.components.values()])
    assert np.mean(found, axis=0) == pytest.approx([0, 1 / 3, 1 / 3], abs=0.05)


def test_a_choice_among_many_layers_of_noise_explains_nothing():
    found = []
    for seed in range(15):
        rng = np.random.default_rng(seed)
        models = {name: {str(i): random_rdm(rng, 16) for i in range(5)} for name in ("first", "second")}
        result = shares(random_rdm(rng, 16)[None], models)
        found.append([result.explained[group].estimate.score for group in result.explained])
    error = np.std(found, axis=0, ddof=1) / np.sqrt(len(found))
    assert (np.abs(np.mean(found, axis=0)) < 3 * error).all()


def test_a_copy_has_nothing_of_its_own():
    rng = np.random.default_rng(3)
    target, rdm = random_rdm(rng), random_rdm(rng)
    mixed = rdm + target
    found = shares(target[None], {"model": {"layer": mixed}, "copy": {"layer": 2 * mixed}})
    for name in ("model", "copy"):
        share = found.components[name,]
        assert share.estimate.score == pytest.approx(0, abs=1e-9)
        assert share.p == 1
