"""``benchmark.score(features, ids)``: features that are in memory, scored as a file of them would be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmark.api.features import written_features
from benchmark.api.run import run_or_plan, session_of
from benchmark.api.tables import Plan, Results


def score(
    features: Any,
    ids: Sequence[str] | None = None,
    *,
    name: str = "features",
    tasks: str | Sequence[str] = "all",
    suite: str = "mini",
    data: Path | str | None = None,
    output: Path | str = "results",
    registries: Sequence[Path | str] = (),
    seed: int = 0,
    keep: Path | str | None = None,
    jobs: int = 1,
    progress: bool = True,
    dry_run: bool = False,
) -> Results | Plan:
    """Score features that were computed anywhere.

    Parameters
    ----------
    features : array, data frame or dict of them
        Features (n, d) of one layer; or of several, by name of the layer, from the input to the output. A
        torch tensor is an array too. The index of a data frame are its ids.
    ids : sequence of str, length n, optional
        Id of the stimulus, or of the concept, of each row. Without it the features are data frames.
    name : str
        Name of the model in the results.
    tasks, suite, data, output, registries, seed, jobs, progress, dry_run
        As in :func:`benchmark.run`.
    keep : path, optional
        Folder in which the features are kept, as NAME.npz with an entry in NAME.yaml. With it a result can
        be run again: ``bench reproduce RESULT --registry KEEP/NAME.yaml``.

    Returns
    -------
    Results or Plan
        As :func:`benchmark.run` gives them. A binding whose stimuli have other ids is
        not possible, and says so.

    Raises
    ------
    UsageError
        If the features are no arrays of numbers with one row for each id.

    Examples
    --------
    >>> import benchmark
    >>> import numpy as np
    >>> from benchmark.datasets.mini.concepts import CONCEPTS
    >>> names = [concept.id for concept in CONCEPTS]
    >>> layers = {"early": np.random.default_rng(0).random((48, 20)), "late": np.eye(48)}
    >>> results = benchmark.score(layers, names, tasks="area_late_rdm", output="scores")
    >>> results[0].n, [layer.name for layer in results[0].layers]
    (48, ['early', 'late'])
    """
    with written_features(features, ids, name, keep) as own:
        return run_or_plan(
            [name],
            tasks,
            suite,
            session_of(data, output, (*registries, own), seed=seed),
            jobs,
            progress,
            dry_run,
        )
