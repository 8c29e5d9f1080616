"""``bench train``: run the training with a progress bar, and print a summary."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.progress import TimeRemainingColumn

from benchmark.association.pipeline import (
    CHECKPOINT,
    REGISTRY,
    TrainingOutcome,
    TrainingPlan,
    train_associations,
)
from benchmark.association.recommended import OUTPUT
from benchmark.cli.console import progress_bars, say
from benchmark.datasets import DataRoot
from benchmark.extraction.devices import resolve_device
from benchmark.registry import load_registry

if TYPE_CHECKING:
    from pathlib import Path

    from rich.progress import TaskID

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
    root = DataRoot.find(data).path
    plan = replace(plan, command=shlex.join(["bench", *sys.argv[1:]]))
    with progress_bars(TimeRemainingColumn()) as bar:
        tasks: dict[str, TaskID] = {}
        lines = None if bar.console.is_terminal else _Lines()

        def report(phase: str, done: int, total: int) -> None:
            if phase not in tasks:
                tasks[phase] = bar.add_task(phase)
            bar.update(tasks[phase], completed=done, total=total)
            if lines is not None:
                lines.report(phase, done, total)

        try:
            outcome = train_associations(
                plan, load_registry(registries), root, resolve_device(device), report
            )
        except KeyboardInterrupt:
            kept = f"finished epochs are stored in {plan.output}"
            raise KeyboardInterrupt(f"{kept}; the same command goes on from there") from None
    _print_summary(plan, outcome, root)


class _Lines:
    """The progress as lines on standard error, where no bar can be shown: ten for each phase."""

    def __init__(self) -> None:
        self._tenths: dict[str, int] = {}

    def report(self, phase: str, done: int, total: int) -> None:
        """Print a line if another tenth of the ``phase`` is done."""
        tenths = 10 * done // max(total, 1)
        if tenths > self._tenths.get(phase, 0):
            self._tenths[phase] = tenths
            say(f"{phase}: {done} of {total}", error=True)


def _print_summary(plan: TrainingPlan, outcome: TrainingOutcome, data: Path) -> None:
    sample = outcome.sample
    for image_id, fault in list(outcome.unreadable.items())[:_NAMED]:
        say(f"skipped {image_id}: {fault}", error=True)
    say(f"{len(outcome.unreadable)} images could not be decoded and were skipped")
    say(f"{len(sample.unmatched)} classes have no cue and were left out")
    counts = [f"{len(sample.with_role(role))} for {role}" for role in ("train", "validation", "test")]
    words = len(outcome.targets.vocabulary)
    say(f"images: {', '.join(counts)}; {len(sample.cues)} cues, {words} responses")
    if not sample.with_role("validation"):
        say(
            f"no image decided when training stopped: --validation {plan.shares.validation:g} of the images "
            "of a cue rounds down to none, so the weights of the last epoch are kept"
        )
    say(f"{plan.output / CHECKPOINT}")
    own = ["--registry", str(plan.output / REGISTRY), "--suite", plan.name, "--model", plan.name]
    if plan.output == data / OUTPUT:
        own = ["--suite", "human", "--data", str(data), "--model", "swow_assoc"]
    say(shlex.join(["bench", "run", *own, "--task", "all"]))
    say(shlex.join(["bench", "associate", *own, "PHOTO"]))
