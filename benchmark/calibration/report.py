"""What a calibration found, and how it is written to a file."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmark.calibration.power import Power
from benchmark.calibration.recovery import Recovery
from benchmark.task import Control


@dataclass(frozen=True)
class BindingPower:
    """Power of one binding; ``power`` is None where it is not possible, and ``reason`` says why."""

    task: str
    metric: str
    concepts: int
    subjects: int | None
    power: Power | None = None
    reason: str | None = None


@dataclass
class Calibration:
    """Everything that was found.

    Attributes
    ----------
    suite : str
    controls : dict of str to list of Control
        By task.
    power : dict of str to BindingPower
        By binding.
    recovery : dict of str to Recovery
        By binding; empty where no binding has an RDM of several subjects, or too few models can be had.
    notes : list of str
        What could not be done, and why.
    """

    suite: str
    controls: dict[str, list[Control]] = field(default_factory=dict)
    power: dict[str, BindingPower] = field(default_factory=dict)
    recovery: dict[str, Recovery] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every control found what was expected."""
        return all(control.passed for controls in self.controls.values() for control in controls)

    def as_json(self) -> dict[str, Any]:
        """The same as plain values; what is not finite is null."""
        content = {
            "suite": self.suite,
            "passed": self.passed,
            "controls": {task: [asdict(c) for c in controls] for task, controls in self.controls.items()},
            "power": {name: asdict(found) for name, found in self.power.items()},
            "recovery": {name: _recovery(found) for name, found in self.recovery.items()},
            "notes": self.notes,
        }
        plain: dict[str, Any] = _plain(content)
        return plain


def _recovery(found: Recovery) -> dict[str, Any]:
    return {
        "models": found.models,
        "layers": found.layers,
        "chance": found.chance,
        "recovered": found.recovered,
        "people": found.people,
        "wins": found.wins.tolist(),
        "scores": found.scores.tolist(),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
