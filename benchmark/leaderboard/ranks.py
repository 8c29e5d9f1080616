"""Rank intervals of the models of a binding, from paired comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from benchmark.inference import fdr, paired_difference
from benchmark.results import CellResult, perturbed_of, same_concepts

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
    scores = {}
    full = [cell for cell in ranked if cell.n == most]
    for cell in max(([b for b in full if same_concepts(a, b)] for a in full), key=len, default=[]):
        found = perturbed_of(cell)
        if found is None or np.isnan(found.concepts).all():
            return {}
        scores[cell.model] = found
    if len(scores) < 2:
        return {}
    pairs = list(combinations(scores, 2))
    differences = [paired_difference(scores[a], scores[b]) for a, b in pairs]
    corrected = np.nan_to_num(fdr(np.array([difference.p for difference in differences])), nan=1.0)
    better, worse = dict.fromkeys(scores, 0), dict.fromkeys(scores, 0)
    for (a, b), difference, p in zip(pairs, differences, corrected, strict=True):
        if p < ALPHA:
            first, second = (a, b) if (difference.difference > 0) is higher else (b, a)
            worse[first] += 1
            better[second] += 1
    return {model: RankInterval(1 + better[model], len(scores) - worse[model]) for model in scores}
