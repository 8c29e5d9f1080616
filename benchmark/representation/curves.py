"""Curves of models along an axis: tests, intervals, latencies and arrays, for any task that has them."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from benchmark.common.errors import NotPossible
from benchmark.datasets.rdm_series import RDMSeriesTarget
from benchmark.inference import (
    AxisTest,
    SeriesScores,
    agreement_p,
    bootstrap_weights,
    concept_permutation_test,
    curve_interval,
    latencies,
    mean_rdms,
    permutations_for,
    series_scores,
    sign_flip_test,
    stretched,
)
from benchmark.inference.axis_tests import FEWEST_SUBJECTS, FEWEST_TO_AGREE

_ALPHA = 0.05
_DRAWS = 1000
#: Rows of the array of a curve
ROWS = ("score", "low", "high", "p_subjects", "p_concepts", "p", "p_fdr")


def places_of_agreement(target: RDMSeriesTarget, between: np.ndarray) -> np.ndarray:
    """The places at which subjects agree, (t,), found without looking at any model.

    Parameters
    ----------
    target : RDMSeriesTarget
        The RDMs along an axis.
    between : ndarray, shape (t, s (s - 1) / 2)
        Correlation of every two subjects (:func:`benchmark.inference.series_scores`).

    Returns
    -------
    ndarray of bool, shape (t,)
        All places if there are too few subjects for a test.

    Raises
    ------
    NotPossible
        If subjects agree nowhere.
    """
    subjects, axis = len(target.subjects), target.axis
    if subjects < FEWEST_TO_AGREE:
        return np.ones(len(axis), dtype=bool)
    counted: np.ndarray = agreement_p(between) < _ALPHA
    if not counted.any():
        raise NotPossible(
            f"target {target.name!r}: at none of {len(axis)} places of axis {axis.name!r} do "
            f"its {subjects} subjects have anything in common (p < .05, FDR), so there is no score"
        )
    return counted


def agreed_rdms(target: RDMSeriesTarget, method: str = "spearman") -> np.ndarray:
    """The mean RDM of each subject over the places of agreement, (s, k, k).

    Parameters
    ----------
    target : RDMSeriesTarget
        The RDMs along an axis.
    method : {"spearman", "pearson"}
        Whether dissimilarities are ranked.

    Raises
    ------
    NotPossible
        If subjects agree nowhere.
    """
    average = target.pairs.mean(axis=(0, 1), dtype=np.float64)[None]
    between = series_scores(average, target.pairs, method).between
    return mean_rdms(target.pairs, places_of_agreement(target, between), method)


class Curves:
    """The curves of all layers, with their tests and intervals.

    Parameters
    ----------
    target : RDMSeriesTarget
        The RDMs along an axis.
    found : SeriesScores
        What is tested, of all layers.
    seed : int
        Of flips, permutations and draws.
    method : {"spearman", "pearson"}
        Whether the mean RDMs are of ranks.
    shown : ndarray, shape (m, s, t), optional
        The curves that are shown. Default: those that are tested.
    draws : ndarray, shape (b, m, t), optional
        Curves in resamples of the concepts. Default: intervals are over subjects.

    Attributes
    ----------
    counted : ndarray of bool, shape (t,)
        The places at which subjects agree. They are found without looking at any model.
    """

    def __init__(
        self,
        target: RDMSeriesTarget,
        found: SeriesScores,
        seed: int,
        method: str = "spearman",
        *,
        shown: np.ndarray | None = None,
        draws: np.ndarray | None = None,
    ) -> None:
        self._target, self._method = target, method
        self._axis, self._seed, self._found = target.axis, seed, found
        self._subjects = len(target.subjects)
        self._permutations = permutations_for(len(target.ids))
        self._shown = found.scores if shown is None else shown
        self._draws = draws
        self.counted = places_of_agreement(target, found.between)
        self._tests = [self._test(i) for i in range(len(found.models))]

    @cached_property
    def means(self) -> np.ndarray:
        """The mean RDM of each subject over the places that count, (s, k, k)."""
        return mean_rdms(self._target.pairs, self.counted, self._method)

    def _test(self, i: int) -> tuple[AxisTest | None, AxisTest]:
        """Over subjects, if there are enough of them, and over concepts."""
        over_concepts = concept_permutation_test(
            self._found.models[i],
            self._found.mean,
            np.random.default_rng([self._seed, 1]),
            n=self._permutations,
            ordered=self._axis.ordered,
        )
        if self._subjects < FEWEST_SUBJECTS:
            return None, over_concepts
        rng = np.random.default_rng([self._seed, 2])
        return sign_flip_test(self._found.scores[i], rng, ordered=self._axis.ordered), over_concepts

    def _both(self, i: int) -> AxisTest:
        over_subjects, over_concepts = self._tests[i]
        return over_concepts if over_subjects is None else over_concepts.and_also(over_subjects)

    def _p(self, test: AxisTest) -> np.ndarray:
        return test.p_cluster if self._axis.ordered else test.p_fdr

    def values(self, i: int) -> dict[str, float]:
        """Number of significant places, greatest value, onset and peak with intervals, of layer ``i``."""
        significant = self._p(self._both(i)) < _ALPHA
        curve = self._shown[i].mean(axis=0)
        values = {"significant_places": float(significant.sum()), "peak_score": float(curve.max())}
        if not self._axis.ordered or not significant.any():
            return values
        at = latencies(curve[None], self._axis.places)
        values |= {"onset": float(at.onset[0]), "peak_latency": float(at.peak[0])}
        if self._draws is None and self._subjects < 2:
            return values
        if self._draws is None:
            draws = bootstrap_weights(self._subjects, _DRAWS, self._seed) / self._subjects @ self._shown[i]
        else:
            draws = self._draws[:, i]
        moved = latencies(draws, self._axis.places)
        for name, found in (("onset", moved.onset), ("peak_latency", moved.peak)):
            defined = found[~np.isnan(found)]
            if len(defined):
                low, high = np.percentile(defined, [2.5, 97.5])
                if name == "onset" and self._draws is None:
                    low, high = stretched(values[name], low, high, self._subjects)
                values |= {f"{name}_low": float(low), f"{name}_high": float(high)}
        return values

    def rows(self, i: int) -> np.ndarray:
        """The curve of layer ``i``: :data:`ROWS`, shape (7, t)."""
        scores = self._shown[i]
        low, high = (
            curve_interval(scores)
            if self._draws is None
            else np.nanpercentile(self._draws[:, i], [2.5, 97.5], axis=0)
        )
        over_subjects, over_concepts = self._tests[i]
        both = self._both(i)
        missing = np.full(len(self._axis), np.nan)
        of_subjects = missing if over_subjects is None else self._p(over_subjects)
        rows = (
            scores.mean(axis=0),
            low,
            high,
            of_subjects,
            self._p(over_concepts),
            self._p(both),
            both.p_fdr,
        )
        return np.array(rows, dtype=np.float32)

    def shared_arrays(self) -> dict[str, np.ndarray]:
        """The axis, the places that count, and the ceiling at each place, (2, t)."""
        ceiling = np.array([self._found.lower.mean(axis=0), self._found.upper.mean(axis=0)])
        return {
            "axis": np.array(self._axis.places),
            "axis_name": np.array([self._axis.name, self._axis.unit]),
            "axis_counted": self.counted,
            "curve_rows": np.array(ROWS),
            "curve_ceiling": ceiling.astype(np.float32),
            "curve_population": np.array(["subjects" if self._draws is None else "concepts"]),
        }

    def notes(self) -> list[str]:
        """Over which places the score is, and which tests could not be made."""
        counted, axis = np.flatnonzero(self.counted), self._axis
        shown = f"{axis.label(counted[0])} to {axis.label(counted[-1])}" if axis.ordered else axis.name
        notes = [f"the score is over {len(counted)} of {len(axis)} places ({shown}), where subjects agree"]
        if self._subjects < FEWEST_TO_AGREE:
            notes = [f"{self._subjects} subjects: whether they agree is not tested, and every place counts"]
        if self._subjects < FEWEST_SUBJECTS:
            notes.append(
                f"{self._subjects} subjects: the curve is tested over concepts, not over subjects "
                f"(that needs {FEWEST_SUBJECTS})"
            )
        if self._subjects == 1:
            notes.append("one subject: there is no noise ceiling")
        return notes
