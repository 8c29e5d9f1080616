"""RDMs beside rsatoolbox: 1,854 conditions, narrow and wide; and all images of THINGS."""

from __future__ import annotations

import resource
from typing import Any

import numpy as np
import pytest

from benchmark.measures import rdm

pytestmark = pytest.mark.benchmark

N = 1854
RSATOOLBOX = "rsatoolbox calc_rdm, float64"


def peer_rdm(x: np.ndarray) -> Any:
    from rsatoolbox.data import Dataset
    from rsatoolbox.rdm import calc_rdm

    return calc_rdm(Dataset(x), "correlation")


@pytest.mark.parametrize("dtype, at_least", [(np.float64, 25), (np.float32, 25)])
def test_narrow(beside: Any, dtype: type, at_least: float) -> None:
    x = np.random.default_rng(0).standard_normal((N, 2048))
    ours = x.astype(dtype)
    beside(
        f"correlation RDM, 1,854 x 2,048, {dtype.__name__}",
        RSATOOLBOX,
        ours=lambda: rdm(ours),
        peer=lambda: peer_rdm(x),
        at_least=at_least,
        rounds=5,
    )


@pytest.mark.parametrize("dtype, at_least", [(np.float64, 35), (np.float32, 35)])
def test_wide(beside: Any, dtype: type, at_least: float) -> None:
    x = np.random.default_rng(0).standard_normal((N, 25_088))
    half = x[: N // 2].copy()  # a quarter of the pairs: the peer takes a minute for all of them
    ours = x.astype(dtype, copy=False)
    beside(
        f"correlation RDM, 1,854 x 25,088, {dtype.__name__}",
        RSATOOLBOX,
        ours=lambda: rdm(ours),
        peer=lambda: peer_rdm(half),
        at_least=at_least,
        rounds=2,
        peer_scale=4,
    )


def test_all_images_of_things_within_16_gib() -> None:
    x = np.random.default_rng(0).standard_normal((26_107, 512), dtype=np.float32)
    result = rdm(x)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 < 16 * 2**30
    rows = [0, 13_000, 26_106]
    np.testing.assert_allclose(result[np.ix_(rows, rows)], 1 - np.corrcoef(x[rows]), atol=1e-5)
