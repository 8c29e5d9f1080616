"""Rank intervals of the models of a binding, from paired comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from benchmark.inference import fdr, paired_differences
from benchmark.results import CellResult, concepts_of, perturbed_of

#: False discovery rate over all pairs of models of a binding
ALPHA = 0.05


class RankInterval(NamedTuple):
    """Between which ranks a model lies; 1 is the best.

    Attributes
    ----------
    best : int
        1 and the number of models that are significantly better.
    worst : int
        Number of models that are ranked, less those that are significantly worse.
    """

    best: int
    worst: int


def is_ranked(cell: CellResult) -> bool:
    """Whether a cell takes part in ranks: its model was not trained on the target, and is no twin."""
    return not (cell.trained_on or cell.untrained or cell.averaged) and cell.score is not None


def rank_intervals(cells: Sequence[CellResult], *, higher: bool) -> dict[str, RankInterval]:
    """Rank interval of each model, from paired comparisons of every two, corrected over the pairs.

    Two models without a significant difference share ranks. Cells over other concepts than most are left out:
    a score on an easy part of the concepts is no better score.

    Parameters
    ----------
    cells : sequence of CellResult
        The cells of one binding.
    higher : bool
        Whether a higher score is better.

    Returns
    -------
    dict of str to RankInterval
        By model. Empty where a cell holds no changes, and where fewer than two are left.

    References
    ----------
    Benjamini, Y., & Hochberg, Y. (1995). Controlling the false discovery rate. *J. R. Stat. Soc. B*.
    """
    ranked = [cell for cell in cells if is_ranked(cell)]
    most = max((cell.n or 0 for cell in ranked), default=0)
    on: dict[object, list[CellResult]] = {}
    for cell in ranked:
        if cell.n == most:
            on.setdefault(concepts_of(cell), []).append(cell)
    group = max(on.values(), key=len, default=[])
    scores = [perturbed_of(cell) for cell in group]
    found = [score for score in scores if score is not None and not np.isnan(score.concepts).all()]
    if len(found) < max(2, len(group)):
        return {}
    differences = paired_differences(found)
    corrected = np.nan_to_num(fdr(differences.p), nan=1.0)
    first, second = np.triu_indices(len(group), 1)
    above = (corrected < ALPHA) & ((differences.difference > 0) == higher)
    below = (corrected < ALPHA) & ~above
    many = len(group)
    won = np.bincount(first[above], minlength=many) + np.bincount(second[below], minlength=many)
    lost = np.bincount(second[above], minlength=many) + np.bincount(first[below], minlength=many)
    return {cell.model: RankInterval(1 + int(lost[i]), many - int(won[i])) for i, cell in enumerate(group)}
