"""Which conditions of two sides belong together: what a search is judged by, and never led by."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.measures._checks import Float64
from benchmark.measures.matching import category_codes, greatest_share


@dataclass(frozen=True)
class Labels:
    """Which conditions of the two sides are the same, and which are of the same category.

    Attributes
    ----------
    places : ndarray of int, shape (n,), or None
        Column of each row's condition, if both sides have the same conditions.
    categories : tuple of ndarray of int, shapes (n,) and (m,), or None
        Category of each row and of each column, -1 without one.
    """

    places: np.ndarray | None
    categories: tuple[np.ndarray, np.ndarray] | None

    @classmethod
    def of_conditions(
        cls, n: int, categories: Sequence[Hashable] | None, order: np.ndarray, swapped: bool
    ) -> Labels:
        """Labels of a problem between ``n`` rows and shuffled columns, or with both sides exchanged.

        Parameters
        ----------
        n : int
            Number of conditions of the first side.
        categories : sequence of hashable or None, length n, or None
            Category of each condition, None without one.
        order : ndarray of int, shape (m,)
            Condition of the second side that stands at each place.
        swapped : bool
            Whether the shuffled side is that of the rows.
        """
        places = None
        if n == len(order):
            places = order if swapped else np.argsort(order)
        if categories is None:
            return cls(places, None)
        codes = category_codes(categories)
        return cls(places, (codes[order], codes) if swapped else (codes, codes[order]))

    def rates(self, plan: Float64) -> tuple[float, float]:
        """Top-1 matching rate of ``plan`` (n, m), of conditions and of categories, ties in expectation."""
        share = greatest_share(plan)
        matching = category = float("nan")
        if self.places is not None:
            matching = float(share[np.arange(len(plan)), self.places].mean())
        if self.categories is not None:
            rows, columns = self.categories
            same = (rows[:, None] == columns) & (rows[:, None] >= 0)
            category = float((share * same).sum(axis=1)[rows >= 0].mean())
        return matching, category
