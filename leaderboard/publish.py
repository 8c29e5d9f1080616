"""Publish the results of a run: ``python leaderboard/publish.py RESULTS [--moved]``.

RESULTS is a folder that ``bench run --output RESULTS`` wrote with the code of this checkout. Each of
its cells takes the place of the published one in ``leaderboard/results``; arrays stay behind. A cell
whose numbers differ from the published ones is refused. ``--moved`` says that they are meant to differ
(then the version of the task is raised too).

A published cell that could not be run here, because its weights may not be passed on, keeps its numbers. Its
key takes the present code if the numbers of every cell of the same task in RESULTS are equal to the published
ones: then the code changed and the scores did not.
"""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmark.registry import Registry, load_registry, plugin_source_hash
from benchmark.results import CellResult, ResultStore, code_version, extraction_version

PUBLISHED = Path(__file__).parent / "results"
#: Numbers nearer than this are equal. A correlation moves by up to 2e-6 with another release of torch, whose
#: float32 features differ in their last digits
TOLERANCE = 1e-5
#: What stands in a result beside the answer
_BESIDE = {"key", "provenance", "arrays", "notes"}


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
    sides = (cell.model_dump(mode="json", exclude=_BESIDE) for cell in (old, new))
    return max(_differences(*sides), default=0.0)


def _differences(old: Any, new: Any) -> Iterator[float]:
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        for name in old:
            if name == "undefined":  # a reason in words
                yield 0.0 if (old[name] is None) == (new[name] is None) else math.inf
            else:
                yield from _differences(old[name], new[name])
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for before, after in zip(old, new, strict=True):
            yield from _differences(before, after)
    elif isinstance(old, (int, float)) and isinstance(new, (int, float)):
        yield abs(old - new)
    elif old != new:
        yield math.inf


def with_present_code(cell: CellResult, registry: Registry) -> CellResult:
    """A result under the key of the present code; its numbers and its provenance stay.

    Parameters
    ----------
    cell : CellResult
    registry : Registry
        Names the plug-ins of its model and its task.
    """
    model, task = registry.model(cell.model, cell.suite), registry.task(cell.task)
    features = {
        **cell.key["features"],
        "code": extraction_version(),
        "source": plugin_source_hash(str(model.entry.plugin), model.base),
    }
    key = {
        **cell.key,
        "features": features,
        "code": code_version(),
        "task_source": plugin_source_hash(task.entry.plugin, task.base),
    }
    return cell.model_copy(update={"key": key})


def publish(
    results: Path, published: Path, registry: Registry, *, moved: bool = False
) -> tuple[list[str], bool]:
    """Publish every scored cell of a run.

    Parameters
    ----------
    results, published : Path
        Folders of results.
    registry : Registry
    moved : bool
        Whether numbers may differ from the published ones.

    Returns
    -------
    lines : list of str
        What was done, a line for each task and for each cell that is refused.
    complete : bool
        Whether every cell was published, or was put under the present code.
    """
    old, new = ResultStore(published), ResultStore(results)
    lines, complete = [], True
    greatest: dict[str, list[float]] = defaultdict(list)
    fresh = {s.path.relative_to(results): s.cell for s in new.all()[0] if s.cell.status == "scored"}
    for path, cell in fresh.items():
        before = published / path
        gap = difference(old.read(before), cell) if before.exists() else 0.0
        greatest[cell.task].append(gap)
        if gap > TOLERANCE and not moved:
            lines.append(f"refused {path}: its numbers differ from the published ones by up to {gap:.3g}")
            complete = False
        else:
            old.write(cell)
    for stored in old.all()[0]:
        path, cell = stored.path.relative_to(published), stored.cell
        if path in fresh:
            continue
        if greatest[cell.task] and max(greatest[cell.task]) <= TOLERANCE:
            old.write(with_present_code(cell, registry))
        else:
            lines.append(f"left {path}: no equal cell of task {cell.task} in {results} speaks for it")
            complete = False
    for task, gaps in greatest.items():
        if gaps:
            lines.append(f"{task}: {len(gaps)} cells, greatest difference from the published {max(gaps):.3g}")
    return lines, complete


if __name__ == "__main__":
    flags = {"--moved"} & set(sys.argv[1:])
    (folder,) = (argument for argument in sys.argv[1:] if argument not in flags)
    report, done = publish(Path(folder), PUBLISHED, load_registry(), moved=bool(flags))
    print("\n".join(report))
    sys.exit(0 if done else 1)
