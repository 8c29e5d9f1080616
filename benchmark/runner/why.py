"""Why a stored result does not stand for what a command asks now: which part of its key changed."""

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

#: What the parts of a key are called in front of a user; the longest that fits counts.
_PARTS = {
    "features": "features",
    "features.plugin": "plug-in",
    "features.source": "code of the plug-in",
    "features.params": "params of the entry",
    "features.params.layers": "layers of the entry",
    "features.params.pooling": "pooling",
    "features.params.preprocessing": "preprocessing of the entry",
    "features.weights": "weights",
    "features.preprocessing": "preprocessing",
    "features.stimuli": "stimuli",
    "features.device": "device",
    "features.dtype": "precision",
    "features.code": "code of the extraction",
    "features.packages": "package",
    "features.built_from": "built from",
    "layers": "layers asked for",
    "binding": "binding",
    "binding.params": "params of the binding",
    "target": "target",
    "task_version": "version of the task",
    "task_source": "code of the task",
    "seed": "seed",
    "code": "code of the suite",
}


@dataclass(frozen=True)
class Change:
    """One part of a key.

    Attributes
    ----------
    part : str
        Dotted name in the key.
    label : str
        The same in words.
    old, new : object
        None where the part was, or is, not there.
    """

    part: str
    label: str
    old: Any
    new: Any

    @property
    def of_features(self) -> bool:
        """Whether features are extracted again, and not only compared again."""
        return self.part.split(".")[0] == "features"


@dataclass(frozen=True)
class Reason:
    """How a stored result stands to what would be computed now.

    Attributes
    ----------
    cell : Cell
    status : "current", "stale", "never scored" or "not possible"
    scored : str or None
        When the stored result was made.
    changes : tuple of Change
        Of a stale one.
    why : str or None
        Of a cell that is not possible.
    """

    cell: Cell
    status: str
    scored: str | None = None
    changes: tuple[Change, ...] = ()
    why: str | None = None


def why(session: Session, cell: Cell) -> Reason:
    """Compare the key of the stored result of a cell with the key it would have now."""
    stored = session.results.last(cell.suite, cell.binding, cell.model)
    made = stored.cell.provenance.created if stored and stored.cell.provenance else None
    try:
        if unchanged(session, cell) is not None:
            return Reason(cell, "current", made)
        now = scoring.assemble(session, cell).key
    except BenchError as error:
        return Reason(cell, "not possible", made, why=str(error))
    if stored is None or stored.cell.status != "scored":
        return Reason(cell, "never scored")
    old = stored.cell.key
    changes = tuple(Change(part, label(part), _at(old, part), _at(now, part)) for part in diff_keys(old, now))
    return Reason(cell, "stale" if changes else "current", made, changes)


def label(part: str) -> str:
    """``features.params.pooling`` as "pooling", ``features.packages.torch`` as "package torch"."""
    known = max((p for p in _PARTS if part == p or part.startswith(f"{p}.")), key=len, default=None)
    if known is None:
        return part
    return f"{_PARTS[known]} {part[len(known) + 1 :]}".rstrip()


def _at(key: Mapping[str, Any], part: str) -> Any:
    """The value at a dotted name; names of packages have no dot, those of a user's params may have."""
    found: Any = key
    rest = part
    while rest and isinstance(found, Mapping):
        name = next((n for n in found if rest == n or rest.startswith(f"{n}.")), None)
        if name is None:
            return None
        found, rest = found[name], rest[len(name) + 1 :]
    return found
