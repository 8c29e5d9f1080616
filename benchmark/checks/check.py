"""What a check gives, and what it is given."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from benchmark.common.errors import BenchError
from benchmark.datasets import Stimuli
from benchmark.model import Model
from benchmark.registry.schema import ModelEntry
from benchmark.runner.loaded import LoadedModel


class Status(str, Enum):
    """What came of a check. A note is no fault, but something a reader of the score should know."""

    passed = "pass"
    failed = "fail"
    note = "note"
    skipped = "skip"


@dataclass(frozen=True)
class Check:
    """One line of the table.

    Attributes
    ----------
    name : str
        What was looked at.
    status : Status
    detail : str
        What was found; of a failure what is wrong, of a skipped check why.
    """

    name: str
    status: Status
    detail: str


@dataclass(frozen=True)
class Subject:
    """The model that is checked, and what it is shown.

    Attributes
    ----------
    loaded : LoadedModel
    stimuli : Stimuli
        A few, each of another concept.
    device : str
    """

    loaded: LoadedModel
    stimuli: Stimuli
    device: str

    @property
    def model(self) -> Model:
        """The plug-in."""
        return self.loaded.model

    @property
    def entry(self) -> ModelEntry:
        """Its entry, as it stands in the suite."""
        return self.loaded.placed.entry


def of_rows(stimuli: Stimuli, rows: Sequence[int]) -> Stimuli:
    """The stimuli of some rows, in that order."""
    ids = tuple(stimuli.ids[i] for i in rows)
    opened = stimuli.open_image
    return replace(
        stimuli,
        ids=ids,
        concepts=tuple(stimuli.concepts[i] for i in rows),
        splits=stimuli.splits and tuple(stimuli.splits[i] for i in rows),
        manifest=hashlib.sha256("\0".join((stimuli.manifest, *ids)).encode()).hexdigest(),
        whole=stimuli.whole or stimuli,
        open_image=None if opened is None else lambda i: opened(rows[i]),
    )


def said(error: Exception, length: int = 400) -> str:
    """An error in one line; that of a user's own code with its type."""
    text = " ".join(str(error).split())
    return (text if isinstance(error, BenchError) else f"{type(error).__name__}: {text}")[:length]


def some(names: Sequence[str], shown: int = 3) -> str:
    """``a, b, c and 4 more``."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
