"""Long work of a task: how far it is, and what of it is done when a run is broken off."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass

import numpy as np

from benchmark.cost import Cost
from benchmark.model import Announcing, Progress


@dataclass(frozen=True)
class LongWork:
    """What the engine lends a task that takes long; a task that is soon done leaves it alone.

    Attributes
    ----------
    progress : callable or None
        ``progress(done, total)`` moves the bar of the cell; None where nobody looks.
    memo : mutable mapping of str to dict of ndarray, or None
        What is put here is there again when the same cell is scored after a run that was killed. The engine
        empties it once the result is stored; what goes in must not change the result. None: nothing is kept.
    device : str or None
        The accelerator of the run, "cuda" or "mps"; None where there is none.
    """

    progress: Progress | None = None
    memo: MutableMapping[str, dict[str, np.ndarray]] | None = None
    device: str | None = None

    def expect(self, cost: Cost) -> None:
        """Say what the work will cost, before it starts."""
        if isinstance(self.progress, Announcing):
            self.progress.expect(cost)
