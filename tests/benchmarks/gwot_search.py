"""The whole GWOT search beside an earlier one and POT's.

``python tests/benchmarks/gwot_search.py OLD --concepts 48,92 --minutes 30``

OLD is a checkout of the suite as it was before searches among assignments were compiled (commit c99829d). For
each pair of real RDMs and each seed the least distance and the CPU seconds of the three are measured, each in
a process of its own, and written to ``docs/reference/gwot-search.csv``. Rows that are there already are kept,
so a run that was stopped, or whose minutes are over, goes on. All of it takes some hours on one core with
nothing else running, nearly all of it in the two others.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from time import monotonic

import numpy as np

from benchmark.datasets import join
from benchmark.export import model_rdms
from benchmark.measures import rdm
from benchmark.runner import Options, Session

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "gwot-search.csv"
HEAD = ("pair", "concepts", "search", "seed", "distance", "CPU seconds", "found again", "searches")
SEEDS = range(3)
#: What each process does with the two RDMs in a file
OURS = """
import sys
from time import process_time
import numpy as np
from benchmark.measures import gromov_wasserstein
c1, c2 = np.load(sys.argv[1]).values()
gromov_wasserstein(c1[:5, :5], c2[:5, :5], rng=np.random.default_rng(0), jobs=1)  # compiled, imported
began = process_time()
found = gromov_wasserstein(c1, c2, rng=np.random.default_rng(int(sys.argv[2])), jobs=1)
again = [getattr(found, name) for name in ("found_again", "searches") if hasattr(found, name)]
print(found.distance, process_time() - began, *again)
"""
POTS = """
import sys
from time import process_time
import numpy as np, ot
c1, c2 = np.load(sys.argv[1]).values()
rng, n = np.random.default_rng(int(sys.argv[2])), len(c1)
began, distances = process_time(), []
for start in range(10):
    initial = rng.random((n, n))
    for _ in range(200):
        initial /= initial.sum(axis=1, keepdims=True) * n
        initial /= initial.sum(axis=0) * n
    log = ot.gromov.gromov_wasserstein(c1, c2, ot.unif(n), ot.unif(n), G0=initial, log=True)[1]
    distances.append(float(log["gw_dist"]))
print(min(distances), process_time() - began)
"""


Pair = tuple[np.ndarray, np.ndarray]


def pairs(session: Session) -> Iterator[tuple[int, str, Callable[[], Pair]]]:
    """Number of concepts, name and maker of each pair of RDMs: real ones, and two of the miniature."""
    for model, layer in (("mini_encoder", "output"), ("swow_assoc", "output")):
        yield 48, f"{model} {layer}, people", partial(network, session, model, layer, "mini", "people_gwot")
    yield 48, "choices, SPoSE", partial(choices, session)
    name = "mobilenetv2_100"
    yield 92, f"{name} output, people", partial(network, session, name, "output", "human", "hit_rdm")
    for n in (92, 166, 334):
        yield n, "two groups", partial(groups, session, n)
        yield n, "a group, SPoSE", partial(group_and_spose, session, n)
    for model, layer in (("squeezenet1_0", "features.9"), ("mobilenetv2_100", "output")):
        make = partial(network, session, model, layer, "human", "things_gwot_334")
        yield 334, f"{model} {layer}, people", make


def choices(session: Session) -> Pair:
    """The choices among 48 objects, and SPoSE of the same."""
    measured = session.target("things_rdm48")
    return measured.rdms[0], session.target("things_spose49").select(measured.ids).rdms[0]


def group(session: Session, number: int, n: int) -> np.ndarray:
    """The RDM of a group of people, of ``n`` of its objects."""
    embedding = np.load(session.data.path / "things" / "gwtune" / f"group{number}.npy")
    return rdm(embedding[some(n, len(embedding))], "euclidean")


def groups(session: Session, n: int) -> Pair:
    """The RDMs of two groups of people, of the same ``n`` objects."""
    return group(session, 1, n), group(session, 2, n)


def group_and_spose(session: Session, n: int) -> Pair:
    """The RDM of a group of people, and SPoSE of the same ``n`` objects."""
    spose = session.target("things_spose66").rdms[0]
    kept = some(n, len(spose))
    return group(session, 1, n), spose[np.ix_(kept, kept)]


def some(n: int, total: int) -> np.ndarray:
    """``n`` of all objects, the same for every pair."""
    return np.random.default_rng(n).permutation(total)[:n]


def network(session: Session, model: str, layer: str, suite: str, binding: str) -> Pair:
    """The RDM of a layer, and the mean RDM of the people of a binding."""
    entry = session.registry.binding(suite, binding)
    rdms = model_rdms(session, model, suite, (layer,), entry.stimuli, by="concept")
    joined = join(session.stimuli(entry.stimuli), session.target(entry.target), on=entry.on)
    rows = [rdms.concepts.index(concept) for concept in joined.concepts]
    return rdms.rdms[0][np.ix_(rows, rows)], joined.target.rdms.mean(axis=0)


def searched(code: str, tree: Path, file: Path, seed: int) -> list[str]:
    """What ``code`` prints of the RDMs in ``file``, with the suite in ``tree``, on one thread."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", "-c", code, str(file), str(seed)]
    done = subprocess.run(command, env=environment, cwd=tree, capture_output=True, text=True, check=True)
    return done.stdout.split()


def main() -> None:
    """Measure what the page does not hold yet."""
    parser = argparse.ArgumentParser()
    parser.add_argument("old", type=Path)
    parser.add_argument("--concepts", default="48,92,166,334")
    parser.add_argument("--minutes", type=float, default=np.inf)
    options = parser.parse_args()
    sizes, end = set(map(int, options.concepts.split(","))), monotonic() + 60 * options.minutes
    here, old = Path(__file__).parents[2], options.old.resolve()
    rows = list(csv.reader(PAGE.open())) if PAGE.exists() else [list(HEAD)]
    done = {tuple(row[:4]) for row in rows}
    asked = [pair for pair in pairs(Session(Options())) if pair[0] in sizes]
    with tempfile.TemporaryDirectory() as folder:
        for seed, (number, (n, name, make)) in product(SEEDS, enumerate(asked)):
            for search, code, tree in (("ours", OURS, here), ("before", OURS, old), ("POT", POTS, here)):
                if (name, str(n), search, str(seed)) in done or monotonic() > end:
                    continue
                file = Path(folder) / f"{number}.npz"
                if not file.exists():
                    np.savez(file, *(c * (n * (n - 1) / c.sum()) for c in make()))
                distance, seconds, *again = searched(code, tree, file, seed)
                row = [name, str(n), search, str(seed), f"{float(distance):.6f}", f"{float(seconds):.1f}"]
                rows.append((row + again + ["", ""])[: len(HEAD)])
                with PAGE.open("w", newline="") as out:
                    csv.writer(out, lineterminator="\n").writerows(rows)
                print(*rows[-1], flush=True)


if __name__ == "__main__":
    main()
