"""The coarse-to-fine GWOT search beside the full one: ``python tests/benchmarks/quantised.py [full|large]``.

Without an argument: three seeds of the coarse-to-fine search on pairs of 1,854 objects of THINGS (SPoSE and
itself with noise, two groups of people, SPoSE and CLIP). ``full``: the full search on the same pairs, with
four starts, which takes long. ``large``: 26,107 conditions, the 1,854 objects 14 times with noise of their
own, and the same with more noise. Cosine distance; the data root is ``$BENCH_DATA``.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time

import numpy as np

from benchmark.measures import gromov_wasserstein, quantised_gromov_wasserstein

Pair = tuple[np.ndarray, np.ndarray]
Found = tuple[np.ndarray, float]


def pairs(things: Path) -> dict[str, Pair]:
    spose = np.loadtxt(things / "spose_embedding_66d_sorted.txt")
    groups = [np.load(things / "gwtune" / f"group{i}.npy").astype(float) for i in (1, 2)]
    clip = np.load(things / "features" / "clip_vit_b32_openai.npy").astype(float)
    return {
        "SPoSE, itself with noise": (spose, noisy(spose, 0.3)),
        "two groups": (groups[0], groups[1]),
        "SPoSE, CLIP": (spose, clip),
    }


def noisy(space: np.ndarray, share: float) -> np.ndarray:
    """The space with normal noise, a share of its standard deviation."""
    return space + share * space.std() * np.random.default_rng(0).standard_normal(space.shape)


def large(things: Path) -> dict[str, Pair]:
    n = 26_107
    spose = np.loadtxt(things / "spose_embedding_66d_sorted.txt")
    images = noisy(spose[np.arange(n) % len(spose)], 0.5)
    return {"26,107 conditions": (images, noisy(images, 0.3))}


def full(x: np.ndarray, y: np.ndarray, seed: int) -> Found:
    found = gromov_wasserstein(x, y, metric="cosine", starts=4, rng=np.random.default_rng(seed), jobs=1)
    return found.plan.argmax(axis=1), found.distance


def quantised(x: np.ndarray, y: np.ndarray, seed: int) -> Found:
    found = quantised_gromov_wasserstein(x, y, "cosine", rng=np.random.default_rng(seed))
    return found.assigned, found.distance


def show(pairs: dict[str, Pair], search: Callable[[np.ndarray, np.ndarray, int], Found], seeds: int) -> None:
    for name, (x, y) in pairs.items():
        for seed in range(seeds):
            start = process_time()
            assigned, distance = search(x, y, seed)
            seconds, kib = process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            right = np.mean(assigned == np.arange(len(x)))
            print(
                f"{name}, seed {seed}: distance {distance:.6f}, {right:.1%} matched with themselves, "
                f"{seconds:.1f} s of the processor, {kib / 2**20:.1f} GiB",
                flush=True,
            )


if __name__ == "__main__":
    folder = Path(os.environ["BENCH_DATA"]) / "things"
    if sys.argv[1:] == ["large"]:
        show(large(folder), quantised, 1)
    elif sys.argv[1:] == ["full"]:
        show(pairs(folder), full, 1)
    else:
        show(pairs(folder), quantised, 3)
