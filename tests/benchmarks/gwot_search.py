"""The whole GWOT search beside an earlier one and POT's: ``python tests/benchmarks/gwot_search.py OLD``.

OLD is a checkout of the suite as it was before searches among assignments were compiled (commit c99829d). For
each pair of real RDMs and each seed the least distance and the CPU seconds of the three are measured, each in
a process of its own, and written to ``docs/reference/gwot-search.csv``. Rows that are there already are kept,
so a run that was stopped goes on. With nothing else running it takes some hours on one core, nearly all of it
in the two others.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

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


def pairs(session: Session) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Pairs of real RDMs, and two of the miniature, each scaled to a mean dissimilarity of one."""
    for model, layer in (("mini_encoder", "output"), ("swow_assoc", "output")):
        yield network(session, model, layer, "mini", "people_gwot")
    choices = session.target("things_rdm48")
    yield "choices, SPoSE", choices.rdms[0], session.target("things_spose49").select(choices.ids).rdms[0]
    yield network(session, "mobilenetv2_100", "output", "human", "hit_rdm")
    groups = [np.load(session.data.path / "things" / "gwtune" / f"group{i}.npy") for i in (1, 2)]
    spose = session.target("things_spose66").rdms[0]
    for n in (92, 166, 334):
        some = np.random.default_rng(n).permutation(len(spose))[:n]
        yield "two groups", *(rdm(group[some], "euclidean") for group in groups)
        yield "a group, SPoSE", rdm(groups[0][some], "euclidean"), spose[np.ix_(some, some)]
    for model, layer in (("squeezenet1_0", "features.9"), ("mobilenetv2_100", "output")):
        yield network(session, model, layer, "human", "things_gwot_334")


def network(
    session: Session, model: str, layer: str, suite: str, binding: str
) -> tuple[str, np.ndarray, np.ndarray]:
    """The RDM of a layer, and the mean RDM of the people of a binding."""
    entry = session.registry.binding(suite, binding)
    rdms = model_rdms(session, model, suite, (layer,), entry.stimuli, by="concept")
    joined = join(session.stimuli(entry.stimuli), session.target(entry.target), on=entry.on)
    rows = [rdms.concepts.index(concept) for concept in joined.concepts]
    return f"{model} {layer}, people", rdms.rdms[0][np.ix_(rows, rows)], joined.target.rdms.mean(axis=0)


def searched(code: str, tree: Path, file: Path, seed: int) -> list[str]:
    """What ``code`` prints of the RDMs in ``file``, with the suite in ``tree``, on one thread."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", "-c", code, str(file), str(seed)]
    done = subprocess.run(command, env=environment, cwd=tree, capture_output=True, text=True, check=True)
    return done.stdout.split()


def main() -> None:
    """Measure what the page does not hold yet."""
    here, old = Path(__file__).parents[2], Path(sys.argv[1]).resolve()
    rows = list(csv.reader(PAGE.open())) if PAGE.exists() else [list(HEAD)]
    done = {tuple(row[:4]) for row in rows}
    session = Session(Options())
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pair.npz"
        for name, *rdms in sorted(pairs(session), key=lambda pair: len(pair[1])):
            n = len(rdms[0])
            np.savez(file, *(c * (n * (n - 1) / c.sum()) for c in rdms))
            for seed, (search, code, tree) in product(
                SEEDS, (("ours", OURS, here), ("before", OURS, old), ("POT", POTS, here))
            ):
                if (name, str(n), search, str(seed)) in done:
                    continue
                distance, seconds, *again = searched(code, tree, file, seed)
                row = [name, str(n), search, str(seed), f"{float(distance):.6f}", f"{float(seconds):.1f}"]
                rows.append((row + again + ["", ""])[: len(HEAD)])
                with PAGE.open("w", newline="") as out:
                    csv.writer(out, lineterminator="\n").writerows(rows)
                print(*rows[-1], flush=True)


if __name__ == "__main__":
    main()
