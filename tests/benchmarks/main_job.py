"""Stages of the main job, as after the install: ``python tests/benchmarks/main_job.py``.

It runs ``bench run --model swow_assoc --task all`` in an empty folder with empty caches: on one thread,
again in that folder, and in others on two threads and in two processes (``--jobs 2``). For each stage of the
first run it prints the CPU seconds that are spent in it and in no other stage. The second run finds all its
cells scored. Elapsed seconds are those of a user only where nothing else runs. CPU seconds are some tens of
per cent more on a busy machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

JOB = ("run", "--model", "swow_assoc", "--task", "all")
REST = "start, imports, keys"
#: Functions with a clock of their own; the time of a function called in another one is not that of the other
STAGES = {
    "benchmark.runner.view:StoredView._extract": "images to features",
    "benchmark.runner.summary:summarise": "bootstrap, choice of a layer",
    "numba.core.dispatcher:Dispatcher.compile": "compiling, or loading what is compiled",
    "benchmark.measures.gromov_wasserstein.search:entropic": "people_gwot: entropic solutions",
    "benchmark.measures.gromov_wasserstein.exchange:annealed_exchange": "people_gwot: exchanges and kicks",
}
#: Runs the job with the clocks, and prints their seconds
CLOCK = """
import functools, importlib, sys
from time import process_time
seconds, running, last = {}, [sys.argv[1]], [0.0]
def spend():
    now = process_time()
    seconds[running[-1]] = seconds.get(running[-1], 0.0) + now - last[0]
    last[0] = now
def clock(where, name_of):
    module, _, names = where.partition(":")
    *owners, name = names.split(".")
    owner = functools.reduce(getattr, owners, importlib.import_module(module))
    function = getattr(owner, name)
    @functools.wraps(function)
    def clocked(*args, **kwargs):
        spend()
        running.append(name_of(*args))
        try:
            return function(*args, **kwargs)
        finally:
            spend()
            running.pop()
    setattr(owner, name, clocked)
clock("benchmark.runner.score:score", lambda session, parts, *_: parts.cell.binding)
for argument in sys.argv[2].split(";"):
    where, stage = argument.split("=")
    clock(where, lambda *_, stage=stage: stage)
from benchmark.cli import main
sys.argv = ["bench", *sys.argv[3:]]
try:
    main()
finally:
    spend()
    for stage, spent in sorted(seconds.items(), key=lambda item: -item[1]):
        print(f"| {stage} | {spent:.1f} |", file=sys.stderr)
"""


def seconds(threads: int, *command: str, folder: Path | None = None) -> float:
    """Elapsed seconds of a command in a folder, with its caches there. Default: an empty one."""
    if folder is None:
        with tempfile.TemporaryDirectory() as empty:
            return seconds(threads, *command, folder=Path(empty))
    caches = {"BENCH_CACHE": str(folder / "cache"), "NUMBA_CACHE_DIR": str(folder / "numba")}
    environment = {**os.environ, **caches, "OMP_NUM_THREADS": str(threads)}
    began = perf_counter()
    subprocess.run([sys.executable, *command], cwd=folder, env=environment, check=True)
    return perf_counter() - began


def main() -> None:
    """Print the stages of the job, and the time of all of it."""
    stages = ";".join(f"{where}={stage}" for where, stage in STAGES.items())
    run = ("-m", "benchmark", *JOB)
    with tempfile.TemporaryDirectory() as first:
        one = seconds(1, "-c", CLOCK, REST, stages, *JOB, folder=Path(first))
        again = seconds(1, *run, folder=Path(first))
    two, apart = seconds(2, *run), seconds(1, *run, "--jobs", "2")
    print(
        f"elapsed: {one:.1f} s on one thread, {two:.1f} s on two, {apart:.1f} s in two processes, "
        f"{again:.1f} s again"
    )


if __name__ == "__main__":
    main()
