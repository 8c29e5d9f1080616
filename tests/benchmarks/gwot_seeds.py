"""How often a GWOT search ends at the least distance known: ``python tests/benchmarks/gwot_seeds.py PAIR``.

PAIR is a binding of one network, ``SUITE BINDING MODEL LAYER``. The search of its layer is run with the
seeds 0 to 9, on one thread. Each seed is a row of ``docs/reference/gwot-seeds.csv``; rows that are there
already are kept. It then prints the lines of the table of ``docs/reference/performance.md``, for all pairs in
the file.
"""

from __future__ import annotations

import argparse
import csv
from itertools import groupby
from pathlib import Path
from time import process_time

import numpy as np
from gwot_search import network

from benchmark.measures import gromov_wasserstein
from benchmark.runner import Options, Session

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "gwot-seeds.csv"
HEAD = ["binding", "model", "layer", "concepts", "seed", "distance", "CPU seconds", "found again", "searches"]
SEEDS = range(10)
#: A search has found the least distance if it is within this share of it
CLOSE = 0.002


def line(name: tuple[str, ...], rows: list[list[str]]) -> str:
    """A line of the table from the rows of the seeds of a pair."""
    distances, seconds, again, searches = np.array([row[5:] for row in rows], dtype=np.float64).T
    excess = distances / distances.min() - 1
    close = f"{(excess <= CLOSE).sum()} of {len(rows)} | {100 * excess.max():.3f} %"
    found = f"{np.median(again):g} of {np.median(searches):g} | {np.median(seconds):.1f}"
    return f"| `{name[1]}`, `{name[2]}` | {name[3]} | {distances.min():.6f} | {close} | {found} |"


def main() -> None:
    """Measure the seeds that the page does not hold yet, and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("pair", nargs=4, metavar=("SUITE", "BINDING", "MODEL", "LAYER"))
    suite, binding, model, layer = parser.parse_args().pair
    rows = list(csv.reader(PAGE.open())) if PAGE.exists() else [HEAD]
    done = {(*row[:3], row[4]) for row in rows}
    c1, c2 = (
        c * (len(c) * (len(c) - 1) / c.sum())
        for c in network(Session(Options()), model, layer, suite, binding)
    )
    for seed in SEEDS:
        if (binding, model, layer, str(seed)) in done:
            continue
        began = process_time()
        found = gromov_wasserstein(c1, c2, rng=np.random.default_rng(seed), jobs=1)
        seconds = process_time() - began
        numbers = (found.found_again, found.searches)
        row = (binding, model, layer, len(c1), seed, f"{found.distance:.8f}", f"{seconds:.1f}", *numbers)
        with PAGE.open("a", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            if len(rows) == 1 and seed == SEEDS[0]:
                writer.writerow(HEAD)
            writer.writerow(row)
        print(*row, flush=True)
    rows = sorted(list(csv.reader(PAGE.open()))[1:])
    for name, seeds in groupby(rows, key=lambda row: tuple(row[:4])):
        print(line(name, list(seeds)))


if __name__ == "__main__":
    main()
