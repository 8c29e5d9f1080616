"""Kill runs at random moments, run them again, and compare: ``python killed_runs.py FOLDER MOMENTS [WHO]``.

WHO is "run" (the only process of a run), "first" (the first process of several) or "worker". The runs are
forked from one process that has everything imported, so that a moment takes no more than its two runs.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

PLUGIN = """
import numpy as np
from benchmark.model import Model


class Noise(Model):
    layers = ("a", "b")

    def features(self, stimuli, layers, *, device="cpu", progress=None):
        # a layer does not depend on which others are asked for: those that a killed run stored are not
        return {
            layer: np.random.default_rng([self.spec.params["seed"], ord(layer)])
            .normal(size=(len(stimuli), 3000)).astype(np.float32)
            for layer in layers
        }
"""
REGISTRY = """
models:
  one: {plugin: "noise.py:Noise", description: d, params: {seed: 1}}
  two: {plugin: "noise.py:Noise", description: d, params: {seed: 2}}
suites:
  own:
    models: [one, two]
    miniature: true
    bindings:
      people: {task: rdm_correlation, stimuli: mini_images, target: mini_people}
      early: {task: rdm_correlation, stimuli: mini_images, target: mini_area_early}
"""


def answers(folder: Path) -> dict[str, str | bytes]:
    """Every file of the results; of JSON without times and the machine."""
    found: dict[str, str | bytes] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = str(path.relative_to(folder))
        if path.suffix == ".json":
            content = json.loads(path.read_text())
            del content["provenance"], content["checksum"]
            found[name] = json.dumps(content)
        else:
            found[name] = path.read_bytes()
    return found


def start(folder: Path, jobs: int) -> int:
    """Fork a run; its number."""
    child = os.fork()
    if child:
        return child
    status = 70
    try:
        os.environ["BENCH_CACHE"] = str(folder / "cache")
        log = os.open(folder / "log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        own = folder.parent / "own.yaml"
        sys.argv = ["bench", "run", "--model", "one,two", "--task", "all", "--suite", "own"]
        sys.argv += ["--registry", str(own), "--output", str(folder / "results"), "--jobs", str(jobs)]
        from benchmark.cli import main

        try:
            main()
        except SystemExit as stop:
            status = int(stop.code or 0)
    finally:
        os._exit(status)


def workers(process: int) -> list[int]:
    """The processes that ``process`` started to score cells."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        return [int(c) for c in children if b"loky" in Path(f"/proc/{c}/cmdline").read_bytes()]
    except FileNotFoundError:
        return []


def status(process: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def interrupted(folder: Path, who: str, seconds: float, draw: random.Random, whole: dict) -> int:
    """One run that is killed, and the next one; the number of cells that the first had finished."""
    folder.mkdir()
    jobs = 1 if who == "run" else 2
    process = start(folder, jobs)
    time.sleep(draw.uniform(0, seconds))
    if who == "worker":
        lost = workers(process)
        if lost:
            os.kill(draw.choice(lost), signal.SIGKILL)
        status(process)
    else:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    results = folder / "results"
    finished = {path: path.stat() for path in results.rglob("*.json")}
    ended = status(start(folder, jobs))
    assert ended == 0, (ended, (folder / "log").read_text())
    for path, was in finished.items():
        now = path.stat()
        assert (now.st_ino, now.st_mtime_ns) == (was.st_ino, was.st_mtime_ns), f"{path} was scored again"
    if who != "run":  # workers whose first process was killed end what they do, and then themselves
        for _ in range(100):
            if not list(folder.rglob("*.tmp")) and not list(folder.rglob("*.claim")):
                break
            time.sleep(0.1)
    found = answers(results)
    assert found.keys() == whole.keys(), sorted(found.keys() ^ whole.keys())
    assert found == whole
    assert not list((folder / "cache").rglob("*.damaged"))
    return len(finished)


def main(folder: Path, moments: int, who: str = "run") -> None:
    import benchmark.runner.summary  # noqa: F401 - imported once, for all that are forked

    (folder / "noise.py").write_text(PLUGIN)
    (folder / "own.yaml").write_text(REGISTRY)
    draw = random.Random(0)
    first = folder / "whole"
    first.mkdir()
    begin = time.perf_counter()
    assert status(start(first, 1 if who == "run" else 2)) == 0, (first / "log").read_text()
    seconds = time.perf_counter() - begin
    whole = answers(first / "results")
    for i in range(moments):
        done = interrupted(folder / str(i), who, seconds, draw, whole)
        print(f"moment {i + 1}: {done} cells were finished; the results are equal", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
