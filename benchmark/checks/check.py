"""The input and the result of a check."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import ParamSpec

from benchmark.common.errors import NotPossible, error_summary, plugin_border
from benchmark.datasets import Stimuli
from benchmark.model import Model
from benchmark.registry import IN_MEMORY
from benchmark.registry.schema import ModelEntry
from benchmark.runner.loaded import LoadedModel

P = ParamSpec("P")


class Status(str, Enum):
    """The result of a check. A note is no fault: it is something that a reader of the score should know."""

    passed = "pass"
    failed = "fail"
    note = "note"
    skipped = "skip"


@dataclass(frozen=True)
class Check:
    """The result of one check: one line of the table.

    Attributes
    ----------
    name : str
        Name of the check.
    status : Status
    detail : str
        What the check saw. For a failure: what is wrong. For a skipped check: why it was skipped.
    """

    name: str
    status: Status
    detail: str


@dataclass(frozen=True)
class Candidate:
    """The model that is checked, and the stimuli for the checks.

    Attributes
    ----------
    loaded : LoadedModel
    stimuli : Stimuli
        A few stimuli, each of another concept.
    device : str
        "cpu", "cuda" or "mps".
    """

    loaded: LoadedModel
    stimuli: Stimuli
    device: str

    @property
    def model(self) -> Model:
        """The plug-in."""
        return self.loaded.model

    @property
    def in_memory(self) -> bool:
        """Whether the model is an object made in Python. It has no entry that could say more about it."""
        return self.loaded.checkpoint.label == IN_MEMORY

    @property
    def entry(self) -> ModelEntry:
        """The model's entry, with the variant of the suite applied."""
        return self.loaded.placed.entry


def select_stimuli(stimuli: Stimuli, rows: Sequence[int]) -> Stimuli:
    """The ``stimuli`` at the positions ``rows``, in that order."""
    ids = tuple(stimuli.ids[i] for i in rows)
    open_image = stimuli.open_image
    return replace(
        stimuli,
        ids=ids,
        concepts=tuple(stimuli.concepts[i] for i in rows),
        splits=stimuli.splits and tuple(stimuli.splits[i] for i in rows),
        manifest=hashlib.sha256("\0".join((stimuli.manifest, *ids)).encode()).hexdigest(),
        whole=stimuli.whole or stimuli,
        open_image=None if open_image is None else lambda i: open_image(rows[i]),
    )


def guarded(name: str, check: Callable[P, list[Check]], *args: P.args, **kwargs: P.kwargs) -> list[Check]:
    """The results of ``check``; whatever a plug-in raises in it is one failed check of this ``name``."""
    try:
        with plugin_border():
            return check(*args, **kwargs)
    except Exception as error:  # a plug-in may raise anything
        return [Check(name, Status.failed, error_line(error))]


def why_no_features(model: Model, stimuli: Stimuli, device: str = "cpu") -> str | None:
    """Why ``model`` has no features of the ``stimuli``; None: it has, or another check reports the fault.

    Features are computed on ``device``.
    """
    try:
        with plugin_border():
            model.features(stimuli, model.layers[-1:], device=device)
    except NotPossible as error:
        return str(error)
    except Exception:  # a plug-in may raise anything; the checks report it
        return None
    return None


def error_line(error: Exception, length: int = 400) -> str:
    """The message of ``error`` in one line of at most ``length`` characters.

    The line begins with the type of the error, except for errors of this package.
    """
    return error_summary(error)[:length]


def first_few(names: Sequence[str], shown: int = 3) -> str:
    """The first ``shown`` of ``names``, and how many more there are: ``a, b, c and 4 more``."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
