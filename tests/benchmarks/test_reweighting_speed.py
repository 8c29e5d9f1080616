"""Feature-reweighted RSA beside frrsa, the package of its authors. Skipped where it cannot be imported.

It is not on the Python Package Index: put a checkout of ViCCo-Group/frrsa on PYTHONPATH.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmark.measures import FeatureDissimilarities, rdm, reweighted_rdms
from benchmark.representation.rows import dealt_folds

pytestmark = pytest.mark.benchmark

FEATURES, FOLDS, SIGNALS = 512, 5, 40


def world(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, f), and a noisy RDM of which few features decide most."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, SIGNALS)) @ rng.normal(size=(SIGNALS, FEATURES)) + rng.normal(size=(n, FEATURES))
    known = rdm(x * rng.gamma(0.5, size=FEATURES), metric="sqeuclidean")
    noise = rng.normal(size=(n, n)) * known.std()
    target = known + np.abs(noise + noise.T)
    np.fill_diagonal(target, 0)
    return x, target


def score(x: np.ndarray, target: np.ndarray, seed: int, nonnegative: bool) -> float:
    """Mean Pearson correlation over the test folds of one deal."""
    folds = dealt_folds(np.arange(len(x)), FOLDS, seed, "reweighting")
    found = reweighted_rdms(FeatureDissimilarities(x), target, folds, nonnegative=nonnegative)
    known = [target[np.ix_(test, test)][np.triu_indices(len(test), 1)] for test in found.folds]
    pairs = zip(found.predicted, known, strict=True)
    return float(np.mean([np.corrcoef(fitted[:, 0], there)[0, 1] for fitted, there in pairs]))


def their_score(x: np.ndarray, target: np.ndarray, seed: int, nonnegative: bool, repeats: int = 1) -> float:
    """The same of frrsa, whose folds are drawn anew and whose fits choose in 25 inner splits."""
    frrsa = pytest.importorskip("frrsa").frrsa
    measures = ["sqeuclidean", "minkowski"]
    options = {"cv": [FOLDS, repeats], "score_type": "pearson", "random_state": seed + 1}
    return float(frrsa(target, x.T, False, nonnegative, measures, **options)[0]["score"].mean())


@pytest.mark.filterwarnings("ignore")  # frrsa's own
@pytest.mark.parametrize("nonnegative", [False, True], ids=["ridge", "nonnegative"])
@pytest.mark.parametrize("n", [92, 334])
def test_beside_frrsa(n: int, nonnegative: bool, beside: Any) -> None:
    pytest.importorskip("frrsa")
    x, target = world(n)
    kind = "not negative" if nonnegative else "ridge"
    beside(
        f"feature-reweighted RSA, {n} stimuli x {FEATURES} features, 5 folds, weights {kind}",
        "frrsa",
        ours=lambda: score(x, target, 0, nonnegative),
        peer=lambda: their_score(x, target, 0, nonnegative),
        at_least=30,  # the aim is 50; for 92 stimuli 58 (ridge) and 49 were measured
        rounds=1,
    )
