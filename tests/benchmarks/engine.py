"""What the engine costs: ``python tests/benchmarks/engine.py [MODELS [TASKS]]``, with nothing else running.

MODELS and TASKS are names with commas between; the default is eight models and all tasks of the miniature.
Each way of doing the same cells is a process of its own with an empty cache, and every process has one
thread: the bare computation (features in memory, the tasks and their statistics; no keys, no store, no
files), one process, ``--jobs 2``, and dask with two workers. The goals are printed beside what was measured,
and the exit status says whether they are reached.

``--dry-run`` is measured too: the time, memory and disk that it foretells for the features of a network,
beside what they then take. ``engine.py foretold`` measures this alone.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

MODELS = (
    "swow_assoc,mini_encoder,mini_classifier,mini_clip,swow_assoc@untrained:0,mini_encoder@untrained:0,"
    "mini_classifier@untrained:0,mini_clip@untrained:0"
)
SUITE = "mini"


class Memory:
    """Features in memory, with the methods of a feature store that a view uses."""

    def __init__(self) -> None:
        self.features: dict[tuple[str, str], np.ndarray] = {}

    def get(self, key: Mapping[str, Any], layer: str) -> np.ndarray | None:
        return self.features.get((repr(key), layer))

    def put(self, key: Mapping[str, Any], features: Mapping[str, np.ndarray], _about: object) -> None:
        self.features.update({(repr(key), layer): array for layer, array in features.items()})

    def claim(self, _key: Mapping[str, Any], _waiting: str) -> nullcontext[bool]:
        return nullcontext(True)


def bare(models: str, tasks: str) -> None:
    """Every cell that is possible, by the plug-ins and the statistics alone."""
    from benchmark.common.errors import NotPossible
    from benchmark.runner import Cell, Options, Session, plan
    from benchmark.runner.references import load_references, reference_views
    from benchmark.runner.score import require
    from benchmark.runner.session import binding_seed
    from benchmark.runner.shown import covered_stimuli
    from benchmark.runner.summary import summarise
    from benchmark.runner.view import StoredView

    session = Session(Options())
    vars(session)["features"] = memory = Memory()

    def score(cell: Cell) -> None:
        binding = session.registry.binding(cell.suite, cell.binding)
        task, loaded = session.task(binding.task), session.model(cell.model, cell.suite, binding.pooling)
        stimuli = covered_stimuli(loaded, session.stimuli(binding.stimuli))
        references = load_references(session, cell, task.references(binding.params))
        parts: Any = Cells(cell, binding, loaded, task, stimuli, session.target_of(binding))
        joined = require(session, parts)
        at = (binding.stimuli, binding.pooling)
        keys = {word: {"of": (other.placed.name, *at)} for word, other in references.items()}
        view = StoredView(
            loaded.model,
            stimuli,
            memory,  # type: ignore[arg-type]
            {"of": (cell.model, *at)},
            references=reference_views(session, binding, references, keys, stimuli, joined.concepts),
            rule=lambda: session.rule(binding),
            compared=joined.concepts,
        )
        seed = binding_seed(0, cell.suite, cell.binding)
        result = task.score(view, joined, session.params(binding), np.random.default_rng(seed))
        summarise(result, task.metrics, seed)

    for cell in plan(session.registry, models.split(","), tasks.split(","), SUITE):
        with suppress(NotPossible):
            score(cell)


class Cells:
    """What :func:`benchmark.runner.score.require` asks of the parts of a cell."""

    def __init__(self, *parts: object) -> None:
        self.cell, self.binding, self.model, self.task, self.stimuli, self.target = parts


def timed(command: Callable[[Path], list[str]]) -> tuple[float, float]:
    """Seconds on the clock, and of the processors, of a command with an empty cache."""
    with tempfile.TemporaryDirectory() as folder:
        threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        environment = {**os.environ, **threads, "BENCH_CACHE": str(Path(folder) / "cache")}
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
        done = subprocess.run(
            [sys.executable, *command(Path(folder) / "results")],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        wall, after = perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def run(models: str, tasks: str, *options: str) -> Callable[[Path], list[str]]:
    asked = ("run", "--suite", SUITE, "--model", models, "--task", tasks, *options)
    return lambda output: ["-m", "benchmark", *asked, "--output", str(output)]


def goal(what: str, value: float, limit: float, *, at_least: bool = False) -> bool:
    reached = value >= limit if at_least else value <= limit
    print(f"{what}: {value:.2f} (goal: at {'least' if at_least else 'most'} {limit:g})", flush=True)
    return reached


def main(models: str, tasks: str) -> int:
    ways = {
        "bare": lambda _: [__file__, "bare", models, tasks],
        "one process": run(models, tasks),
        "two processes": run(models, tasks, "--jobs", "2"),
        "dask, two workers": run(models, tasks, "--jobs", "2", "--backend", "dask"),
    }
    taken = {}
    for name, command in ways.items():
        wall, cpu = taken[name] = timed(command)
        print(f"{name}: {wall:.1f} s, {cpu:.1f} s of the processors", flush=True)
    reached = [
        goal(
            "two processes, times faster than one",
            taken["one process"][0] / taken["two processes"][0],
            1.6,
            at_least=True,
        ),
        goal(
            "the engine over the bare computation, seconds of the processors",
            taken["one process"][1] / taken["bare"][1],
            1.1,
        ),
        goal("dask over loky, on the clock", taken["dask, two workers"][0] / taken["two processes"][0], 1.15),
        foretold(),
    ]
    return 0 if all(reached) else 1


#: A cell whose dry run is compared with what the extraction then takes
FORETOLD = ("mini_encoder@untrained:0", "people_rdm")


def foretold() -> bool:
    """Look ahead at a cell, then extract its features: each cost must be foretold within a factor of two."""
    from benchmark.common.cost import peak_memory
    from benchmark.common.files import cache_folder
    from benchmark.runner import Cell, Options, Session, prospects
    from benchmark.runner.score import assemble, view

    cell = Cell(FORETOLD[0], FORETOLD[1], SUITE)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BENCH_CACHE"] = str(Path(folder) / "cache")
        session = Session(Options(output=Path(folder) / "results"))
        (prospect,) = prospects(session, [cell])
        assert prospect.cost is not None
        seen = view(session, assemble(session, cell))
        start = perf_counter()
        seen.features(seen.layers[0])
        seconds, memory = perf_counter() - start, peak_memory()
        disk = sum(path.stat().st_size for path in cache_folder().rglob("*.npy"))
    cost = prospect.cost
    pairs = {"seconds": (cost.seconds, seconds), "bytes on disk": (cost.disk, disk)}
    if cost.memory is not None and memory is not None:
        pairs["bytes of memory"] = (cost.memory, memory)
    for what, (said, taken) in pairs.items():
        print(f"the dry run said {said:.4g} {what}; it took {taken:.4g}", flush=True)
    return goal(
        "the dry run's greatest error, as a factor",
        max(max(said / taken, taken / said) for said, taken in pairs.values()),
        2,
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["bare"]:
        bare(*sys.argv[2:4])
    elif sys.argv[1:2] == ["foretold"]:
        sys.exit(not foretold())
    else:
        sys.exit(main(*(sys.argv[1:3] if len(sys.argv) > 2 else (MODELS, "all"))))
