"""False alarms of the tasks on top of a fit: ``python tests/benchmarks/fitted_false_alarms.py [--worlds N]``.

Features of noise are scored in new worlds, one model a world. It prints for each task the share of p-values
of at most .05 and of .01, with the standard error that the nominal share has in so many worlds, and the mean
score in standard errors. ``docs/reference/methodology.md`` has the figures.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmark.calibration import rdm_world
from benchmark.calibration.worlds import response_world
from benchmark.datasets import join
from benchmark.registry import load_plugin, load_registry

#: Task, its parameters, number of concepts, and number of features of noise
ROWS: Mapping[str, tuple[str, dict[str, Any], int, int]] = {
    "versa": ("versa", {}, 40, 20),
    "ridge": ("reweighted_rdm", {"weights": "ridge"}, 30, 10),
    "nonnegative": ("reweighted_rdm", {"weights": "nonnegative"}, 30, 10),
}


def line(name: str, worlds: int) -> str:
    """The shares of false alarms of a row."""
    task_name, params, concepts, features = ROWS[name]
    placed = load_registry().task(task_name)
    task = load_plugin(placed.entry.plugin, placed.base)()
    ps, scores = [], []
    for seed in range(worlds):
        rng = np.random.default_rng([seed, concepts])
        draw = response_world if task_name == "versa" else rdm_world
        world = draw(rng, concepts=concepts)
        noise = rng.standard_normal((concepts, features))
        joined = join(world.stimuli, world.target)
        layer = task.score(world.view({"noise": noise}), joined, params, rng).layers["noise"]
        ps.append(layer.p)
        scores.append(float(layer.statistics["spearman"](np.ones((1, concepts)))[0]))
    found = np.array(ps)
    shares = ", ".join(
        f"{(found <= a).mean():.4f} at {a} (standard error {np.sqrt(a * (1 - a) / worlds):.4f})"
        for a in (0.05, 0.01)
    )
    mean, error = np.mean(scores), np.std(scores) / np.sqrt(worlds)
    return f"{name}, {worlds} worlds: {shares}; mean score {mean:+.4f} ({mean / error:+.1f} s.e.)"


def main() -> None:
    """Print the lines."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--worlds", type=int, default=1000)
    parser.add_argument("--rows", nargs="+", default=list(ROWS), choices=list(ROWS))
    options = parser.parse_args()
    for name in options.rows:
        print(line(name, options.worlds), flush=True)


if __name__ == "__main__":
    main()
