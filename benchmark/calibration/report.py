"""The report of a calibration, and its form as JSON."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmark.calibration.power import Power
from benchmark.calibration.recovery import Recovery
from benchmark.task import Control


@dataclass(frozen=True)
class BindingPower:
    """Power of one binding.

    Attributes
    ----------
    task, metric : str
    concepts : int
        Number of concepts.
    subjects : int or None
        Number of subjects of an RDM target; None: another kind of target.
    power : Power or None
        None: power cannot be computed.
    reason : str or None
        Why not.
    """

    task: str
    metric: str
    concepts: int
    subjects: int | None
    power: Power | None = None
    reason: str | None = None


@dataclass
class CalibrationReport:
    """The results of a calibration.

    Attributes
    ----------
    suite : str
    controls : dict of str to list of Control
        By task.
    power : dict of str to BindingPower
        By binding.
    recovery : dict of str to Recovery
        By binding. Empty where no binding has an RDM target of several subjects, or fewer than two models
        can be loaded.
    notes : list of str
        What was not possible, and why.
    """

    suite: str
    controls: dict[str, list[Control]] = field(default_factory=dict)
    power: dict[str, BindingPower] = field(default_factory=dict)
    recovery: dict[str, Recovery] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every task has controls, and every control passed."""
        return all(
            bool(controls) and all(control.passed for control in controls)
            for controls in self.controls.values()
        )

    def as_json(self) -> dict[str, Any]:
        """The same as plain values for JSON; a number that is not finite becomes null."""
        content = {
            "suite": self.suite,
            "passed": self.passed,
            "controls": {task: [asdict(c) for c in controls] for task, controls in self.controls.items()},
            "power": {name: asdict(power) for name, power in self.power.items()},
            "recovery": {name: _recovery(recovery) for name, recovery in self.recovery.items()},
            "notes": self.notes,
        }
        plain: dict[str, Any] = _plain(content)
        return plain


def _recovery(recovery: Recovery) -> dict[str, Any]:
    return {
        "models": recovery.models,
        "layers": recovery.layers,
        "chance": recovery.chance,
        "recovered": recovery.recovered,
        "people": recovery.people,
        "wins": recovery.wins.tolist(),
        "scores": recovery.scores.tolist(),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
