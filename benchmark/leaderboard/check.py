"""What is plainly wrong in a result: numbers that no run can give. Such a result is not shown."""

from __future__ import annotations

from collections.abc import Iterator

from benchmark.common.errors import BenchError
from benchmark.registry import Registry
from benchmark.results import TWIN, CellResult, Estimate
from benchmark.task import Metric

#: Rounding
_TOLERANCE = 1e-6
_PAIRS = (("ci_low", "ci_high"), ("chance_low", "chance_high"), ("ceiling_low", "ceiling_high"))
#: Not the ceiling: that of noisy people may lie a little beyond the range
_IN_RANGE = ("score", "ci_low", "ci_high", "chance", "chance_low", "chance_high")

#: Counts that are the sum of others, where a result has all of them
_SUMS = {
    "stimuli": ("correct", "misclassified"),
    "misclassified": ("misclassified_joined", "misclassified_no_vector", "misclassified_same_word"),
}

#: The metrics of tasks, by name of the task and of the metric
Metrics = dict[str, dict[str, Metric]]


def faults(cell: CellResult, registry: Registry, known: Metrics | None = None) -> list[str]:
    """What is plainly wrong in a result.

    Parameters
    ----------
    cell : CellResult
        A result whose checksum is right.
    registry : Registry
        Knows the metrics of the task, the suite and the binding.
    known : dict, optional
        Metrics of the tasks that were loaded for earlier results. That of this result is added.

    Returns
    -------
    list of str
        One line for each fault; empty if nothing is wrong. It is no proof that the result is right.
    """
    known = {} if known is None else known
    if cell.task not in known:
        known[cell.task] = _metrics(cell, registry)
    return [*_of_entries(cell, registry), *_of_layers(cell), *_of_numbers(cell, known[cell.task])]


def refusals(cell: CellResult, registry: Registry) -> list[str]:
    """What no submission may have. A page of one's own shows such a result all the same.

    The ends of an interval are percentiles of the score in bootstrap samples. No theorem puts the score
    between them. It was between them for every published score, of cells and of layers.

    Parameters
    ----------
    cell : CellResult
    registry : Registry
        Knows the entry of the model that the result claims.

    Returns
    -------
    list of str
        One line for each fault.
    """
    found = list(_outside("the score", cell))
    for layer in cell.layers:
        for name, estimate in layer.metrics.items():
            found += _outside(f"{name} of layer {layer.name}", estimate)
    placed = registry.models.get(cell.model.partition(TWIN)[0])
    plugin = cell.provenance.registry_entry.get("plugin") if cell.provenance else None
    if placed is not None and plugin not in (None, placed.entry.plugin):
        found.append(f"it claims model {cell.model} of {placed.entry.plugin}, but is of {plugin}")
    return found


def remarks(cell: CellResult, registry: Registry) -> list[str]:
    """What may be right in a result and should be looked at. It is shown all the same.

    Parameters
    ----------
    cell : CellResult
    registry : Registry

    Returns
    -------
    list of str
        One line each.
    """
    try:
        entry = registry.model(cell.model, cell.suite).entry.model_dump(mode="json", exclude_defaults=True)
    except BenchError as error:
        return [f"its model is not in this registry: {error}"]
    made = cell.provenance.registry_entry if cell.provenance else {}
    changed = sorted(name for name in {*entry, *made} if entry.get(name) != made.get(name))
    return [f"the entry of {cell.model} in this registry has another {', '.join(changed)}"] if changed else []


def _outside(what: str, of: CellResult | Estimate) -> Iterator[str]:
    low, score, high = of.ci_low, of.score, of.ci_high
    if low is None or score is None or high is None:
        return
    if not low - _TOLERANCE <= score <= high + _TOLERANCE:
        yield f"{what} {score:.6g} is outside its own interval, {low:.6g} to {high:.6g}"


def _metrics(cell: CellResult, registry: Registry) -> dict[str, Metric]:
    task = registry.tasks.get(cell.task)
    try:
        return {metric.name: metric for metric in task.load().metrics} if task else {}
    except BenchError:  # the numbers are still compared with one another
        return {}


def _of_entries(cell: CellResult, registry: Registry) -> Iterator[str]:
    suite = registry.suites.get(cell.suite)
    binding = suite.bindings.get(cell.binding) if suite else None
    if suite is not None and cell.miniature != suite.miniature:
        yield f"miniature is {cell.miniature}, but that of suite {cell.suite} is {suite.miniature}"
    if binding is not None and binding.task != cell.task:
        yield f"its task is {cell.task}, but that of binding {cell.binding} is {binding.task}"
    if ("@untrained:" in cell.model) > cell.untrained:
        yield "its name is that of an untrained twin, but it is not marked untrained"


def _of_layers(cell: CellResult) -> Iterator[str]:
    names = [layer.name for layer in cell.layers]
    if len(set(names)) < len(names):
        yield "two layers have one name"
    if cell.status == "scored" and cell.best_layer not in names:
        yield f"its best layer {cell.best_layer} is none of its layers"
    if cell.n is not None and cell.n < 1:
        yield f"it has {cell.n} concepts"
    if any(count < 0 for count in cell.counts.values()):
        yield "a count is below 0"
    for whole, parts in _SUMS.items():
        counted = [cell.counts.get(name) for name in (whole, *parts)]
        known = [count for count in counted if count is not None]
        if len(known) == len(counted) and known[0] != sum(known[1:]):
            yield f"{known[0]} {whole} are not the {sum(known[1:])} that {' and '.join(parts)} add up to"
    # n may count properties, of which there may be more than concepts
    joined = cell.counts.get("joined")
    if (
        cell.n is not None
        and joined is not None
        and cell.n > joined
        and cell.n != cell.counts.get("properties")
    ):
        yield f"it has {cell.n} concepts, but only {joined} joined"
    rows = cell.perturbed
    if rows is not None and len(rows[0]) != len(rows[1]):
        yield "perturbed has two rows of different lengths"


def _of_numbers(cell: CellResult, metrics: dict[str, Metric]) -> Iterator[str]:
    yield from _of_estimate("the score", cell, metrics.get(cell.metric or ""))
    for layer in cell.layers:
        for name, estimate in layer.metrics.items():
            yield from _of_estimate(f"{name} of layer {layer.name}", estimate, metrics.get(name))
        if any(p is not None and not 0 <= p <= 1 for p in (layer.p, layer.p_fdr)):
            yield f"a p-value of layer {layer.name} is not between 0 and 1"


def _of_estimate(what: str, of: CellResult | Estimate, metric: Metric | None) -> Iterator[str]:
    for low, high in _PAIRS:
        bounds = getattr(of, low), getattr(of, high)
        if None not in bounds and bounds[0] > bounds[1] + _TOLERANCE:
            yield f"{what}: {low} {bounds[0]:.6g} is above {high} {bounds[1]:.6g}"
    least, greatest = metric.range if metric else (float("-inf"), float("inf"))
    for name in _IN_RANGE:
        value = getattr(of, name)
        if value is not None and not least - _TOLERANCE <= value <= greatest + _TOLERANCE:
            yield f"{what}: {name} {value:.6g} is outside {least:g} to {greatest:g}"
