"""GWOT on the data of GWTune's tutorials: ``python tests/benchmarks/gwtune.py CHECKOUT``, CHECKOUT of GWTune.

It prints a table in Markdown for ``docs/reference/methodology.md``: the least distance, that of the true
matching, and the rates. Their notebooks print some of the rates that they found. Data and notebooks are at
github.com/oizumi-lab/GWTune.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmark.measures import gromov_wasserstein, matching_rate, rdm

#: Name, files and sides, dissimilarity, starts, and the top-1, 5 and 10 that GWTune prints
PAIRS = (
    ("simulation 1", "simulation/simulation1_embedding{}.npy", ("1", "2"), "euclidean", 12, "38 / 96 / 100"),
    ("simulation 2", "simulation/simulation2_embedding{}.npy", ("1", "2"), "euclidean", 12, "-"),
    ("simulation 3", "simulation/simulation3_embedding{}.npy", ("1", "2"), "euclidean", 12, "-"),
    (
        "two areas, 90 images",
        "AllenBrain/pseudo_{}.npy",
        ("a_VISal", "b_VISam"),
        "cosine",
        12,
        "88.9 / 95.6 / 100",
    ),
    (
        "THINGS, men and women",
        "THINGS/{}_embeddings.npy",
        ("male", "female"),
        "euclidean",
        4,
        "64.7 / 85.5 / 91.5",
    ),
)
COLOURS, GROUPS = "color/num_groups_5_seed_0_fill_val_3.5.pickle", (1, 2, 3)


def pairs(data: Path) -> Iterator[tuple[str, list[np.ndarray], int, str]]:
    """Name, the two RDMs, number of starts, and the rates that GWTune prints."""
    for name, files, sides, metric, starts, printed in PAIRS:
        embeddings = [np.load(data / files.format(side)).squeeze().astype(np.float64) for side in sides]
        yield name, [rdm(embedding, metric) for embedding in embeddings], starts, printed
    with (data / COLOURS).open("rb") as file:
        groups = [(c + c.T) / 2 for c in pickle.load(file)["group_ave_mat"]]
    for c in groups:
        np.fill_diagonal(c, 0)
    for group in GROUPS:
        yield f"93 colours, groups 1 and {group + 1}", [groups[0], groups[group]], 12, "-"


def main() -> None:
    """Print the table."""
    print("| data | concepts | least distance | that of the true matching | top-1 / 5 / 10 | GWTune prints |")
    print("|---|---:|---:|---:|---|---|")
    for name, (c1, c2), starts, printed in pairs(Path(sys.argv[1]) / "data"):
        found = gromov_wasserstein(c1, c2, starts=starts, rng=np.random.default_rng(0))
        plans = {1: found.plan, 5: found.entropic_plan, 10: found.entropic_plan}
        rates = " / ".join(f"{100 * matching_rate(plan, k):.1f}" for k, plan in plans.items())
        true = float(np.mean((c1 - c2) ** 2))
        print(f"| {name} | {len(c1)} | {found.distance:.5f} | {true:.5f} | {rates} | {printed} |", flush=True)


if __name__ == "__main__":
    main()
