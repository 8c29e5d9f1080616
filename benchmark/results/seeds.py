"""Untrained twins of several seeds as one row: their mean, and the band that holds 90 % of the seeds.

The untrained twin of a model is the same network with random weights.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from benchmark.results.schema import LEVELS, CellResult, Estimate, LayerScore, Provenance

#: Stands between the name of a model and the seed of its untrained twin
TWIN = "@untrained:"
#: Quantiles of the band: the 5th and the 95th percentile
_BAND = (0.05, 0.95)


class SeedsResult(CellResult):
    """Untrained twins of one model on one binding, averaged over their seeds.

    ``score`` is the mean. ``ci_low`` and ``ci_high`` are the 5th and 95th percentile *of the seeds*: they say
    how much the score depends on the random weights. They are no confidence interval over concepts.
    ``best_layer`` is the layer that was best for most seeds.

    Attributes
    ----------
    seeds : tuple of int
        The seeds of the twins.
    """

    seeds: tuple[int, ...]

    @property
    def averaged(self) -> bool:
        """Whether the cell is a mean over untrained seeds."""
        return True


def average_seeds(cells: Sequence[CellResult]) -> list[CellResult]:
    """Average the untrained twins of one model on one binding into one cell, where there are several.

    Parameters
    ----------
    cells : sequence of CellResult
        Cells that are not scored, and cells of other models, come back unchanged.

    Returns
    -------
    list of CellResult
        In the order of ``cells``. An average takes the place of its first seed.
    """
    groups: dict[tuple[str, str, str], list[CellResult]] = {}
    for cell in cells:
        groups.setdefault(_group(cell), []).append(cell)
    return [group[0] if len(group) == 1 else _average(group) for group in groups.values()]


def _group(cell: CellResult) -> tuple[str, str, str]:
    name, twin, seed = cell.model.partition(TWIN)
    averaged = twin and seed.isdecimal() and cell.status == "scored" and cell.score is not None
    return cell.suite, cell.binding, name + twin if averaged else cell.model


def _average(cells: list[CellResult]) -> SeedsResult:
    cells = sorted(cells, key=_seed)
    seeds = tuple(_seed(cell) for cell in cells)
    first = cells[0]
    best = Counter(cell.best_layer for cell in cells).most_common(1)[0][0]
    numbers = _estimate(
        [Estimate(**{key: getattr(cell, key) for key in Estimate.model_fields}) for cell in cells]
    )
    changed = {
        **numbers.model_dump(),
        "model": f"{first.model.partition(TWIN)[0]}{TWIN}{_label(seeds)}",
        "best_layer": best,
        "layers": _layers(cells),
        "notes": (f"mean of {len(seeds)} untrained seeds, and their 5th to 95th percentile",),
        "provenance": _provenance(cells, _label(seeds)),
        "seeds": seeds,
        "arrays": None,
    }
    kept = {key: getattr(first, key) for key in CellResult.model_fields}
    return SeedsResult.model_validate({**kept, **changed})


def _provenance(cells: list[CellResult], label: str) -> Provenance:
    """The provenance of the first seed, with the time of all seeds."""
    provenances = [cell.provenance for cell in cells if cell.provenance is not None]
    seconds = sum(provenance.seconds for provenance in provenances)
    return provenances[0].model_copy(update={"weights": f"untrained:{label}", "seconds": seconds})


def _seed(cell: CellResult) -> int:
    return int(cell.model.partition(TWIN)[2])


def _label(seeds: tuple[int, ...]) -> str:
    """``0-9`` where no seed is missing, else every seed."""
    is_range = seeds == tuple(range(seeds[0], seeds[-1] + 1))
    return f"{seeds[0]}-{seeds[-1]}" if is_range else ",".join(map(str, seeds))


def _layers(cells: list[CellResult]) -> tuple[LayerScore, ...]:
    by_name = [{layer.name: layer for layer in cell.layers} for cell in cells]
    return tuple(
        _layer([layers[layer.name] for layers in by_name])
        for layer in cells[0].layers
        if all(layer.name in layers for layers in by_name)
    )


def _layer(layers: list[LayerScore]) -> LayerScore:
    metrics = {
        name: _estimate([layer.metrics[name] for layer in layers])
        for name in layers[0].metrics
        if all(name in layer.metrics for layer in layers)
    }
    undefined = None if metrics else next((x.undefined for x in layers if x.undefined), None)
    return LayerScore(name=layers[0].name, undefined=undefined, metrics=metrics)


def _estimate(estimates: list[Estimate]) -> Estimate:
    def of(key: str, summary: Callable[[np.ndarray], float]) -> float | None:
        values = [getattr(estimate, key) for estimate in estimates]
        known = np.array([value for value in values if value is not None])
        return summary(known) if len(known) == len(values) else None

    low, high = _BAND
    return Estimate(
        score=of("score", lambda x: float(x.mean())),
        ci_low=of("score", lambda x: float(np.quantile(x, low))),
        ci_high=of("score", lambda x: float(np.quantile(x, high))),
        **{key: of(key, lambda x: float(x.mean())) for key in LEVELS},
    )
