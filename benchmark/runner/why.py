"""Explain why a stored result is out of date: which parts of its key changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmark.common.errors import BenchError
from benchmark.results import diff_keys
from benchmark.runner import score as scoring
from benchmark.runner.key import unchanged
from benchmark.runner.plan import Cell
from benchmark.runner.session import Session

#: Names of the parts of a key for users. Of several that fit a part, the longest is used.
_PARTS = {
    "features": "features",
    "features.plugin": "plug-in",
    "features.source": "code of the plug-in",
    "features.modules": "code that the plug-in imports:",
    "features.imported_packages": "package that the plug-in imports:",
    "features.params": "params of the entry",
    "features.params.layers": "layers of the entry",
    "features.params.pooling": "pooling",
    "features.pooling": "pooling of the binding",
    "features.params.preprocessing": "preprocessing of the entry",
    "features.weights": "weights",
    "features.preprocessing": "preprocessing",
    "features.fingerprint": "fingerprint",
    "features.fingerprint.pixels": "fingerprint of the preprocessed pixels",
    "features.fingerprint.output": "fingerprint of the output of the model",
    "features.stimuli": "stimuli",
    "features.device": "device",
    "features.dtype": "precision",
    "features.code": "code of the extraction",
    "features.packages": "package",
    "features.built_from": "built from",
    "references": "reference model",
    "layers": "layers asked for",
    "associations": "rule for association profiles",
    "associations.norms": "norms of the rule for association profiles",
    "binding": "binding",
    "binding.params": "params of the binding",
    "functions": "code of the function that the binding names:",
    "stimuli": "stimuli",
    "stimuli.plugin": "reader of the stimuli",
    "stimuli.params": "params of the stimuli's entry",
    "stimuli.source": "code of the reader of the stimuli",
    "stimuli.modules": "code that the reader of the stimuli imports:",
    "stimuli.imported_packages": "package that the reader of the stimuli imports:",
    "target": "target",
    "target.plugin": "reader of the target",
    "target.params": "params of the target's entry",
    "target.source": "code of the reader of the target",
    "target.modules": "code that the reader of the target imports:",
    "target.imported_packages": "package that the reader of the target imports:",
    "target.features": "network of the target:",
    "task_version": "version of the task",
    "task_source": "code of the task",
    "task_modules": "code that the task imports:",
    "task_imported_packages": "package that the task imports:",
    "seed": "seed",
    "code": "code of the suite",
}


@dataclass(frozen=True)
class Change:
    """One part of a key that changed.

    Attributes
    ----------
    part : str
        Dotted name in the key.
    label : str
        The same in words.
    old, new : object
        The two values; None where the key does not have the part.
    """

    part: str
    label: str
    old: Any
    new: Any

    @property
    def of_features(self) -> bool:
        """Whether features must be extracted again, not only scored again."""
        return self.part.split(".")[0] == "features"


@dataclass(frozen=True)
class Reason:
    """Whether the stored result of a cell is still current, and if not, why.

    Attributes
    ----------
    cell : Cell
    status : "current", "stale", "never scored" or "not possible"
    scored : str or None
        When the stored result was made.
    changes : tuple of Change
        What changed; empty if the result is not stale.
    why : str or None
        Why a cell is not possible.
    """

    cell: Cell
    status: str
    scored: str | None = None
    changes: tuple[Change, ...] = ()
    why: str | None = None


def why(session: Session, cell: Cell) -> Reason:
    """Compare the key of a cell's stored result with the key that a result would have at present.

    Parameters
    ----------
    session : Session
    cell : Cell

    Returns
    -------
    Reason
    """
    stored = session.results.last(cell.suite, cell.binding, cell.model)
    created = stored.cell.provenance.created if stored and stored.cell.provenance else None
    try:
        if unchanged(session, cell) is not None:
            return Reason(cell, "current", created)
        new = scoring.assemble(session, cell).key
    except BenchError as error:
        return Reason(cell, "not possible", created, why=str(error))
    if stored is None or stored.cell.status != "scored":
        return Reason(cell, "never scored")
    old = stored.cell.key
    changes = tuple(Change(part, label(part), _at(old, part), _at(new, part)) for part in diff_keys(old, new))
    return Reason(cell, "stale" if changes else "current", created, changes)


def label(part: str) -> str:
    """The words for a part of a key: "pooling" for ``features.params.pooling``, for example.

    Parameters
    ----------
    part : str
        Dotted name in the key. ``features.packages.torch`` gives "package torch".

    Returns
    -------
    str
    """
    known = max((p for p in _PARTS if part == p or part.startswith(f"{p}.")), key=len, default=None)
    if known is None:
        return part
    return f"{_PARTS[known]} {part[len(known) + 1 :]}".rstrip()


def _at(key: Mapping[str, Any], part: str) -> Any:
    """The value at a dotted name; None if there is none. A name in a user's params may have a dot in it."""
    value: Any = key
    rest = part
    while rest and isinstance(value, Mapping):
        name = next((n for n in value if rest == n or rest.startswith(f"{n}.")), None)
        if name is None:
            return None
        value, rest = value[name], rest[len(name) + 1 :]
    return value
