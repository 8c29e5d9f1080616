"""What a result is: one cell, a model on a binding, with every layer in it and where it came from."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator


def canonical(value: Any) -> Any:
    """``value`` as JSON gives it back: tuples are lists, keys are text; equal values compare equal.

    Raises
    ------
    ValueError
        If JSON cannot hold it (an array, a path, NaN).
    """
    try:
        return json.loads(json.dumps(value, sort_keys=True, allow_nan=False))
    except TypeError as error:
        raise ValueError(f"cannot be written as JSON: {error}") from error


def _finite(value: Any) -> Any:
    # undefined is null: JSON has no NaN, and a reader must not meet one as a number
    if value is None or isinstance(value, str):
        return value
    number = float(value)
    return number if math.isfinite(number) else None


Number = Annotated[float | None, BeforeValidator(_finite)]
Json = Annotated[dict[str, Any], AfterValidator(canonical)]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Estimate(_Frozen):
    """One number with its uncertainty; None where it is undefined.

    Attributes
    ----------
    score : float or None
    ci_low, ci_high : float or None
        95 % interval.
    chance : float or None
    ceiling_low, ceiling_high : float or None
        Noise ceiling.
    """

    score: Number = None
    ci_low: Number = None
    ci_high: Number = None
    chance: Number = None
    ceiling_low: Number = None
    ceiling_high: Number = None


class LayerScore(_Frozen):
    """What was found in one layer.

    Attributes
    ----------
    name : str
    undefined : str or None
        Why the layer has no score.
    p : float or None
        Of the first metric, against its permutation null.
    p_fdr : float or None
        The same, adjusted over the layers (Benjamini & Hochberg 1995).
    metrics : dict of str to Estimate
    values : dict of str to (float or None)
        Further numbers without an interval.
    """

    name: str
    undefined: str | None = None
    p: Number = None
    p_fdr: Number = None
    metrics: dict[str, Estimate] = Field(default_factory=dict)
    values: dict[str, Number] = Field(default_factory=dict)


class Provenance(_Frozen):
    """Everything needed to say where a result came from.

    Attributes
    ----------
    registry_entry : dict
        The model's entry as it stood in the suite.
    weights_sha256 : str or None
    weights : str
        Label of the checkpoint: its file, "hub:...", "untrained:0", "no weights".
    preprocessing : str
    stimuli_manifest, target_hash : str
        sha256.
    task_version : int
    params : dict
        The binding's.
    seed : int
    packages : dict of str to str
        Versions.
    python, device, dtype : str
    code_version : str
        sha256 over the code that can change an answer.
    created : str
        UTC, ISO 8601.
    seconds : float
        Wall time of the cell, features included if they were computed for it.
    peak_memory_mb : float or None
        Of the process, up to then.
    """

    registry_entry: Json
    weights_sha256: str | None
    weights: str
    preprocessing: str
    stimuli_manifest: str
    target_hash: str
    task_version: int
    params: Json
    seed: int
    packages: dict[str, str]
    python: str
    device: str
    dtype: str
    code_version: str
    created: str
    seconds: float
    peak_memory_mb: float | None = None


class CellResult(_Frozen):
    """One model on one binding.

    Attributes
    ----------
    schema_version : int
    model : str
        As asked for, with ``@untrained:SEED``.
    task, binding, suite : str
    miniature : bool
        Whether the suite is the embedded drawn world: a calibration, not a claim about people.
    untrained : bool
        Whether the weights are random.
    trained_on : bool
        Whether the model was trained with the target of this cell.
    status : "scored", "failed" or "not_possible"
    reason : str or None
        Why it is not scored.
    metric : str or None
        The first metric of the task: what ``score`` is.
    score, ci_low, ci_high, chance, ceiling_low, ceiling_high : float or None
    best_layer : str or None
    selection : "split-half", "fixed", "single" or None
        How the layer came to be *the* layer: chosen on one half of the concepts and scored on the other;
        fixed beforehand (a head); the only one.
    layers : tuple of LayerScore
        In the model's order.
    n : int or None
        Concepts scored.
    counts : dict of str to int
        What was joined, dropped, tied.
    notes : tuple of str
    key : dict
        Everything that can change the answer; a cached result counts only if all of it is equal.
    provenance : Provenance or None
        None for a cell that never got to be computed.
    arrays : str or None
        Name of the npz file beside the result.
    """

    schema_version: Literal[1] = 1
    model: str
    task: str
    binding: str
    suite: str
    miniature: bool = False
    untrained: bool = False
    trained_on: bool = False
    status: Literal["scored", "failed", "not_possible"]
    reason: str | None = None
    metric: str | None = None
    score: Number = None
    ci_low: Number = None
    ci_high: Number = None
    chance: Number = None
    ceiling_low: Number = None
    ceiling_high: Number = None
    best_layer: str | None = None
    selection: Literal["split-half", "fixed", "single"] | None = None
    layers: tuple[LayerScore, ...] = ()
    n: int | None = None
    counts: dict[str, int] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    key: Json = Field(default_factory=dict)
    provenance: Provenance | None = None
    arrays: str | None = None

    @property
    def averaged(self) -> bool:
        """Whether the cell is a mean over untrained seeds (:mod:`benchmark.results.seeds`)."""
        return False

    @model_validator(mode="after")
    def _consistent(self) -> CellResult:
        if self.status == "scored" and (self.metric is None or self.provenance is None):
            raise ValueError("a scored cell needs its metric and its provenance")
        if self.status != "scored" and not self.reason:
            raise ValueError(f"a cell that is {self.status} needs a reason")
        return self
