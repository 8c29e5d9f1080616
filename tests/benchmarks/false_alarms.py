"""False alarms and power beside real targets: ``python tests/benchmarks/false_alarms.py BINDING...``.

For each binding of the suite human, people and models are simulated as in ``bench calibrate``, in ten worlds
(``--worlds``). The networks of the suite are not needed. It prints lines of a table of
``docs/reference/calibration.md``: the share of equally good models that are reported as different, the share
of models of noise whose p-value against chance is .05 or less (18 models a world), the least difference that
is found in 80 % of simulations, and the mean score.
"""

from __future__ import annotations

import argparse

import numpy as np

from benchmark.calibration.parts import load_binding, part_seed
from benchmark.calibration.power import ALPHA, pilot, power, trial
from benchmark.calibration.simulate import Simulation, simulation
from benchmark.datasets import join
from benchmark.runner import Options, Session
from benchmark.task import Task

SUITE = "human"
#: Noise of a model of noise, in standard deviations of the signal, and number of such models a world
NOISE, MODELS = 1e4, 18
#: Permutations of the p-value of 2 vs 2, whose score does not depend on them
FEWER = {"permutations": 99}


def against_chance(task: Task, params: dict, simulated: Simulation, rng: np.random.Generator) -> list[bool]:
    """Whether each model of noise is reported as better than chance, in one world."""
    joined = join(simulated.stimuli, simulated.people(rng))
    ps = [
        layer.p
        for view in simulated.views([NOISE] * MODELS, rng)
        for layer in task.score(view, joined, params, rng).layers.values()
    ]
    return [p is not None and p <= ALPHA for p in ps]


def line(session: Session, binding: str, worlds: int) -> str:
    """The line of a binding."""
    task, joined, params = load_binding(session, SUITE, binding)
    params = {**params, **(FEWER if "permutations" in task.parameters else {})}
    simulated = simulation(joined, session.stimuli(session.registry.binding(SUITE, binding).stimuli))

    def seed(part: str) -> int:
        return part_seed(session.options, SUITE, f"{part}/{binding}")

    levels = pilot(task, params, simulated, seed("pilot"))
    trials = [trial(task, params, simulated, levels, seed(f"trial/{number}")) for number in range(worlds)]
    found = power(levels, trials, seed("power"))
    rng = np.random.default_rng(seed("chance"))
    alarms = [alarm for _ in range(worlds) for alarm in against_chance(task, params, simulated, rng)]
    least = f"over {found.greatest:.3f}" if found.least is None else f"{found.least:.3f}"
    concepts, people = len(joined.concepts), getattr(joined.target, "subjects", "")
    return (
        f"| `{binding}` | {concepts} | {len(people) or '-'} | {worlds} | {found.false_alarms:.3f} "
        f"| {np.mean(alarms):.3f} | {least} | {found.middle:.3f} |"
    )


def main() -> None:
    """Print the lines."""
    parser = argparse.ArgumentParser()
    parser.add_argument("bindings", nargs="+")
    parser.add_argument("--worlds", type=int, default=10)
    options = parser.parse_args()
    session = Session(Options())
    for binding in options.bindings:
        print(line(session, binding, options.worlds), flush=True)


if __name__ == "__main__":
    main()
