"""Paired comparison of models on every binding on which they have a score, from results alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from benchmark.common.errors import UsageError
from benchmark.inference import fdr, paired_difference
from benchmark.results import VARIANT, CellResult, ResultStore, perturbed_of, same_concepts


@dataclass(frozen=True)
class Difference:
    """The difference of two models on one binding.

    Attributes
    ----------
    binding, metric : str
    first, second : str
        The two models.
    first_score, second_score : float
        Their scores, each with the layer chosen on one half of the concepts.
    n : int or None
        Number of concepts; None where the two were scored on different concepts.
    difference, low, high : float
        First less second, both with their best layer on all concepts, with its 95 % interval. NaN where the
        two cannot be compared.
    p, p_fdr : float
        Two-sided p, and the same corrected over all comparisons of the answer (Benjamini & Hochberg 1995).
    why : str
        Why the two cannot be compared; empty where they can.
    """

    binding: str
    metric: str
    first: str
    second: str
    first_score: float
    second_score: float
    n: int | None
    difference: float = np.nan
    low: float = np.nan
    high: float = np.nan
    p: float = np.nan
    p_fdr: float = np.nan
    why: str = ""


def compare(cells: Sequence[CellResult], models: Sequence[str]) -> list[Difference]:
    """Compare every two of the models on every binding on which both have a score.

    Parameters
    ----------
    cells : sequence of CellResult
        Cells of one suite.
    models : sequence of str
        Two or more names.

    Returns
    -------
    list of Difference
        Binding by binding, in the order of the cells.

    References
    ----------
    See :func:`benchmark.inference.paired_difference`.
    """
    scored = {(cell.binding, cell.model): cell for cell in cells if cell.score is not None}
    found = [
        _difference(scored[binding, a], scored[binding, b])
        for binding in dict.fromkeys(binding for binding, _ in scored)
        for a, b in combinations(models, 2)
        if (binding, a) in scored and (binding, b) in scored
    ]
    corrected: np.ndarray = fdr(np.array([one.p for one in found])) if found else np.empty(0)
    return [replace(one, p_fdr=float(p)) for one, p in zip(found, corrected, strict=True)]


def cells_to_compare(results: Path, models: Sequence[str], suite: str) -> list[CellResult]:
    """The cells of a suite among stored results, for :func:`compare`.

    Parameters
    ----------
    results : Path
        Folder that ``bench run --output`` wrote.
    models : sequence of str
        Two or more names.
    suite : str
        The suite.

    Returns
    -------
    list of CellResult
        Of all models of the suite.

    Raises
    ------
    UsageError
        If fewer than two models are named, one has no result, or no two share a binding.
    """
    stored, _ = ResultStore(results).all()
    cells = [s.cell for s in stored if s.cell.suite == suite and VARIANT not in s.cell.binding]
    if len(models) < 2:
        raise UsageError("bench compare needs two models or more, with commas between them")
    for model in models:
        if not any(cell.model == model for cell in cells):
            raise UsageError(
                f"no result of model {model!r} in suite {suite!r} under {results}: "
                f"bench run --suite {suite} --model {model} --task all --output {results}"
            )
    bindings = Counter(c.binding for c in cells if c.model in models and c.score is not None)
    if not bindings or max(bindings.values()) < 2:
        raise UsageError(
            f"no two of {', '.join(models)} have a result on the same binding of suite {suite!r}"
        )
    return cells


def _difference(first: CellResult, second: CellResult) -> Difference:
    known = Difference(
        binding=first.binding,
        metric=str(first.metric),
        first=first.model,
        second=second.model,
        first_score=float(first.score or 0),
        second_score=float(second.score or 0),
        n=first.n if same_concepts(first, second) else None,
    )
    a, b = perturbed_of(first), perturbed_of(second)
    if a is None or b is None:
        return replace(known, why="a result holds no changes of its score: run it again")
    if a.n != b.n:
        return replace(known, why=f"scored on {a.n} and on {b.n} concepts")
    if known.n is None:
        return replace(known, why=f"scored on {a.n} concepts each, which are not the same")
    paired = paired_difference(a, b)
    why = "" if np.isfinite(paired.p) else "the task has no paired comparison, or a score is undefined"
    return replace(known, difference=paired.difference, low=paired.low, high=paired.high, p=paired.p, why=why)
