"""``bench train``: run the training with a progress bar, and print a summary."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmark.association.pipeline import (
    CHECKPOINT,
    REGISTRY,
    TrainingOutcome,
    TrainingPlan,
    train_associations,
)
from benchmark.datasets import DataRoot
from benchmark.extraction.devices import resolve_device
from benchmark.registry import load_registry

if TYPE_CHECKING:
    from pathlib import Path

#: Number of unreadable images that are named
_NAMED = 5


def train(plan: TrainingPlan, registries: tuple[Path, ...], data: Path | None, device: str) -> None:
    """Train an association network and print a summary.

    Parameters
    ----------
    plan : TrainingPlan
        What to train, on what, and where to write it. Its ``command`` is replaced by the command line.
    registries : tuple of Path
        The user's registry files.
    data : Path or None
        The data root; None: the default one.
    device : str
        Where the network is trained: "cpu", "cuda" or "mps".

    Raises
    ------
    BenchError
        If the images, the norms, the start or the folder cannot be used.
    """
    plan = replace(plan, command=shlex.join(["bench", *sys.argv[1:]]))
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        tasks: dict[str, int] = {}

        def report(phase: str, done: int, total: int) -> None:
            if phase not in tasks:
                tasks[phase] = bar.add_task(phase)
            bar.update(tasks[phase], completed=done, total=total)  # type: ignore[arg-type]

        outcome = train_associations(
            plan, load_registry(registries), DataRoot.find(data).path, resolve_device(device), report
        )
    _print_summary(plan, outcome, console)


def _print_summary(plan: TrainingPlan, outcome: TrainingOutcome, console: Console) -> None:
    sample = outcome.sample
    for image_id, fault in list(outcome.unreadable.items())[:_NAMED]:
        console.print(f"skipped {image_id}: {fault}", highlight=False, markup=False)
    print(f"{len(outcome.unreadable)} images could not be decoded and were skipped")
    print(f"{len(sample.unmatched)} classes have no cue and were left out")
    counts = [f"{len(sample.with_role(role))} for {role}" for role in ("train", "validation", "test")]
    words = len(outcome.targets.vocabulary)
    print(f"images: {', '.join(counts)}; {len(sample.cues)} cues, {words} responses")
    print(f"{plan.output / CHECKPOINT}")
    print(f"bench run --registry {plan.output / REGISTRY} --suite {plan.name} --model {plan.name} --task all")
