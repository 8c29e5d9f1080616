"""The schema of a result: one cell (one model on one binding), with all its layers and its provenance."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

#: ``BINDING@RECIPE``: the same binding under another recipe of an RDM. A registry cannot write such a name
VARIANT = "@"


def canonical(value: Any) -> Any:
    """Give ``value`` as JSON reads it back: tuples become lists, keys become text.

    Raises
    ------
    ValueError
        If JSON cannot hold the value (an array, a path, NaN).
    """
    try:
        return json.loads(json.dumps(value, sort_keys=True, allow_nan=False))
    except TypeError as error:
        raise ValueError(f"cannot be written as JSON: {error}") from error


def checksum_of(content: Mapping[str, Any]) -> str:
    """The sha256 of the ``content`` of a result file, as JSON with sorted names, without its ``checksum``.

    It shows that a file was changed by hand or by a fault. It is no signature: who wants to can make it anew.
    """
    rest = {name: value for name, value in content.items() if name != "checksum"}
    text = json.dumps(rest, sort_keys=True, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def finite_or_none(value: Any) -> Any:
    """``value`` as a number; None if it is undefined.

    JSON has no NaN, and a reader must not take NaN for a number. None and text stay as they are.

    Raises
    ------
    ValueError
        If the value is nothing of these.
    """
    if value is None or isinstance(value, str):
        return value
    try:
        number = float(value)
    except (TypeError, OverflowError):
        raise ValueError("is no number") from None
    return number if math.isfinite(number) else None


Number = Annotated[float | None, BeforeValidator(finite_or_none)]
Json = Annotated[dict[str, Any], AfterValidator(canonical)]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


#: The numbers of an estimate, and of a cell, that its score is compared with
LEVELS = ("chance", "chance_low", "chance_high", "ceiling_low", "ceiling_high")


class Estimate(_Frozen):
    """One number with its uncertainty; an undefined number is None.

    Attributes
    ----------
    score : float or None
    ci_low, ci_high : float or None
        Bounds of the 95 % interval.
    chance : float or None
        The score that chance gives.
    chance_low, chance_high : float or None
        5th and 95th percentile of the scores that chance gives, where they were simulated.
    ceiling_low, ceiling_high : float or None
        Bounds of the noise ceiling.
    """

    score: Number = None
    ci_low: Number = None
    ci_high: Number = None
    chance: Number = None
    chance_low: Number = None
    chance_high: Number = None
    ceiling_low: Number = None
    ceiling_high: Number = None


class LayerScore(_Frozen):
    """The numbers of one layer.

    Attributes
    ----------
    name : str
    undefined : str or None
        Why the layer has no score.
    p : float or None
        p-value of the first metric, against its permutation null.
    p_fdr : float or None
        The same p-value, adjusted over the layers (Benjamini & Hochberg 1995).
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
    """Everything that says where a result came from.

    Attributes
    ----------
    registry_entry : dict
        The model's entry, with the variant of the suite applied.
    weights_sha256 : str or None
    weights : str
        Label of the checkpoint: its file, "hub:...", "untrained:0", "no weights".
    preprocessing : str
    stimuli_manifest, target_hash : str
        sha256.
    task_version : int
    params : dict
        Parameters of the binding.
    seed : int
    packages : dict of str to str
        Version of each package.
    python, device, dtype : str
    code_version : str
        sha256 over the code that can change an answer.
    created : str
        Time in UTC, ISO 8601.
    seconds : float
        Wall time of the cell. It includes the extraction of features if this cell needed it.
    peak_memory_mb : float or None
        Greatest memory of the process up to that time, in MiB.
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
    """The result of a cell: one model on one binding.

    Attributes
    ----------
    schema_version : int
    model : str
        Name of the model; of an untrained twin with ``@untrained:SEED``.
    task, binding, suite : str
    miniature : bool
        Whether the suite is the embedded drawn world: a calibration, not a claim about people.
    untrained : bool
        Whether the weights are random.
    trained_on : bool
        Whether the model was trained with the target of this cell.
    status : "scored", "failed" or "not_possible"
    reason : str or None
        Why the cell is not scored.
    metric : str or None
        Name of the metric of ``score``: the first metric of the task.
    score, ci_low, ci_high, chance, chance_low, chance_high, ceiling_low, ceiling_high : float or None
        The score of the cell, as in :class:`Estimate`.
    best_layer : str or None
        The layer with the best score on all concepts, or the layer that the task fixed.
    selection : "split-half", "fixed", "single" or None
        How the layer of ``score`` was chosen. "split-half": on one half of the concepts, and scored on the
        other half. "fixed": before scoring (the head of a network). "single": no other layer has a score.
    layers : tuple of LayerScore
        In the model's order.
    n : int or None
        Number of concepts scored.
    counts : dict of str to int
        How many were joined, dropped, tied.
    notes : tuple of str
    perturbed : tuple of two tuples of float, or None
        How the score of the best layer on all concepts changes with the weights of concepts and of pairs
        (:class:`benchmark.inference.Perturbed`), with six digits: what the comparison of two models needs.
    key : dict
        Everything that can change the answer. The engine uses a stored result again only if its whole key is
        equal.
    provenance : Provenance or None
        None: the cell was not computed.
    checksum : str or None
        sha256 over everything else in the file (:func:`checksum_of`). The store sets it.
    arrays : str or None
        Name of the npz file beside the result. It ends with the first 12 digits of the sha256 of that file.
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
    chance_low: Number = None
    chance_high: Number = None
    ceiling_low: Number = None
    ceiling_high: Number = None
    best_layer: str | None = None
    selection: Literal["split-half", "fixed", "single"] | None = None
    layers: tuple[LayerScore, ...] = ()
    n: int | None = None
    counts: dict[str, int] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    perturbed: tuple[tuple[Number, ...], tuple[Number, ...]] | None = None
    key: Json = Field(default_factory=dict)
    provenance: Provenance | None = None
    checksum: str | None = None
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
