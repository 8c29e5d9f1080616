"""``benchmark.compare(["mini_encoder", "pixels"])``: do models differ, from stored results alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.api.tables import differences
from benchmark.common.text import names
from benchmark.leaderboard.compare import cells_to_compare

if TYPE_CHECKING:
    import pandas as pd


def compare(
    models: str | Sequence[str], *, suite: str = "mini", output: Path | str = "results"
) -> pd.DataFrame:
    """Compare every two models on every binding on which both have a score, as ``bench compare`` does.

    Parameters
    ----------
    models : str or sequence of str
        Two or more names.
    suite : str
        The suite.
    output : Path or str
        Folder of the results.

    Returns
    -------
    DataFrame
        One row for each binding and pair, with the columns of
        :class:`benchmark.leaderboard.compare.Difference`.

    Raises
    ------
    UsageError
        If fewer than two models are named, one has no result, or no two share a binding.

    Examples
    --------
    >>> import benchmark
    >>> results = benchmark.run(["pixels", "mini_encoder"], "area_late_rdm", output="compared")
    >>> found = benchmark.compare(["pixels", "mini_encoder"], output="compared")
    >>> found[["binding", "first", "second"]].to_numpy().tolist()
    [['area_late_rdm', 'pixels', 'mini_encoder']]
    """
    named = list(dict.fromkeys(names(models)))
    return differences(cells_to_compare(Path(output), named, suite), named)
