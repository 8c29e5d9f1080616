"""Run the cell of a result again, and compare the two."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmark.common.errors import UsageError
from benchmark.results import VARIANT, CellResult, ResultStore, diff_keys
from benchmark.runner import Options, Session, execute, plan

#: Numbers nearer than this are equal. A correlation moves by up to 2e-6 with another release of torch, whose
#: float32 features differ in their last digits
TOLERANCE = 1e-5
#: What stands in a result beside the answer
_BESIDE = {"key", "provenance", "checksum", "arrays", "notes", "perturbed"}
#: What a run can differ in that is no part of its key, or is a part of it that says less
_OF_RUN = ("packages", "python", "device", "dtype")


@dataclass(frozen=True)
class Reproduction:
    """The result of a cell that was run again, beside the old one.

    Attributes
    ----------
    old, new : CellResult
    gap : float
        Greatest difference over all their numbers; infinite where a name, or the set of layers, differs.
    numbers : tuple of str
        What differs by more than :data:`TOLERANCE`: "score: 0.41 -> 0.42".
    changes : tuple of (str, object, object)
        Dotted name, old and new value of what decided the two: code, versions, weights, data.
    """

    old: CellResult
    new: CellResult
    gap: float
    numbers: tuple[str, ...]
    changes: tuple[tuple[str, Any, Any], ...]

    @property
    def same(self) -> bool:
        """Whether every number is equal within the tolerance."""
        return self.gap <= TOLERANCE


def reproduce(file: Path, options: Options) -> Reproduction:
    """Run the cell of a result again, with its seed and its layers, and compare.

    Parameters
    ----------
    file : Path
        The result, SUITE/BINDING/MODEL.json.
    options : Options
        Registries, data root and device. Seed and layers are those of the result. Nothing is written into the
        folder of the result.

    Returns
    -------
    Reproduction

    Raises
    ------
    BenchError
        If the file is no result of a scored cell, or the cell cannot be run here.
    """
    old = ResultStore(file.resolve().parent).read(file.resolve())
    if old.status != "scored" or old.provenance is None:
        raise UsageError(f"{file}: its cell has no score ({old.reason}): there is nothing to reproduce")
    if VARIANT in old.binding:
        binding = old.binding.partition(VARIANT)[0]
        raise UsageError(f"{file}: of another recipe: bench robustness --binding {binding} computes it")
    layers = old.key.get("layers")
    with TemporaryDirectory() as folder:
        session = Session(
            replace(
                options,
                output=Path(folder),
                seed=old.provenance.seed,
                layers=None if layers is None else tuple(layers),
            )
        )
        cells = plan(session.registry, [old.model], [old.binding], old.suite)
        (outcome,) = (one for one in execute(cells, session) if one.cell.binding == old.binding)
    new = outcome.cell
    if new.status != "scored":
        raise UsageError(f"{old.model}, {old.binding}: {new.status.replace('_', ' ')} here: {new.reason}")
    found = list(_gaps(_answer(old), _answer(new), ""))
    moved = tuple(f"{name}: {a} -> {b}" for name, gap, a, b in found if gap > TOLERANCE)
    return Reproduction(
        old, new, max((gap for _, gap, _, _ in found), default=0.0), moved, _changes(old, new)
    )


def difference(old: CellResult, new: CellResult) -> float:
    """The greatest difference of two results of one cell, over all their numbers and names.

    Parameters
    ----------
    old, new : CellResult

    Returns
    -------
    float
        0 where they are the same; infinite where a name, or the set of layers, differs.
    """
    return max((gap for _, gap, _, _ in _gaps(_answer(old), _answer(new), "")), default=0.0)


def _answer(cell: CellResult) -> Any:
    return cell.model_dump(mode="json", exclude=_BESIDE)


def _gaps(old: Any, new: Any, name: str) -> Iterator[tuple[str, float, Any, Any]]:
    """Name, difference, and both values of everything in which two results can differ."""
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        for key in old:
            inner = f"{name}.{key}" if name else key
            if key == "undefined":  # a reason in words
                yield inner, 0.0 if (old[key] is None) == (new[key] is None) else math.inf, old[key], new[key]
            else:
                yield from _gaps(old[key], new[key], inner)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (before, after) in enumerate(zip(old, new, strict=True)):
            named = before.get("name", i) if isinstance(before, dict) else i
            yield from _gaps(before, after, f"{name}[{named}]")
    elif isinstance(old, (int, float)) and isinstance(new, (int, float)):
        yield name, abs(old - new), old, new
    elif old != new:
        yield name, math.inf, old, new


def _changes(old: CellResult, new: CellResult) -> tuple[tuple[str, Any, Any], ...]:
    """What decided the two results and differs: parts of their keys, then of their provenance."""
    parts = [(part, *(_at(cell.key, part) for cell in (old, new))) for part in diff_keys(old.key, new.key)]
    known = {part.rpartition(".")[2] for part, _, _ in parts}
    made = [cell.provenance.model_dump(include=set(_OF_RUN)) for cell in (old, new) if cell.provenance]
    of_run = [(part, *(_at(one, part) for one in made)) for part in diff_keys(*made)]
    return (*parts, *((part, a, b) for part, a, b in of_run if part.rpartition(".")[2] not in known))


def _at(key: Any, part: str) -> Any:
    for name in part.split("."):
        key = key.get(name) if isinstance(key, dict) else None
    return key
