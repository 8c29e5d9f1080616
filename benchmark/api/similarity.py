"""``benchmark.api.similarity(["mini_encoder", "mini_clip"])``: layers of models compared with one another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.api.run import session_of
from benchmark.common.text import names
from benchmark.model_similarity import Similarities, model_similarity

if TYPE_CHECKING:
    import pandas as pd


class SimilarityTables:
    """How alike the layers of some models are. A notebook shows all pairs as a table.

    Attributes
    ----------
    layers : list of str
        ``MODEL LAYER`` of each row and column.
    measures : list of str
        Names of the measures.
    provenance : dict
        Everything that decides the numbers.
    """

    def __init__(self, found: Similarities) -> None:
        self.layers = list(map(str, found.layers))
        self.measures = [matrix.measure for matrix in found.matrices]
        self.provenance = found.provenance
        self._found = found

    def matrix(self, measure: str) -> np.ndarray:
        """The similarities by one measure, (m, m); greater is more alike, NaN is undefined.

        Parameters
        ----------
        measure : str
            One of :attr:`measures`.
        """
        return self._found.matrices[self.measures.index(measure)].similarity

    def to_frame(self) -> pd.DataFrame:
        """Data frame with a row for each measure and each two layers: ``bench similarity --format csv``."""
        import pandas as pd

        return pd.DataFrame(list(self._found.rows()))

    def save_figure(self, path: Path | str) -> None:
        """Draw heat maps, and maps in two dimensions.

        Parameters
        ----------
        path : path
            File to write: .png, .pdf or .svg.

        Raises
        ------
        UsageError
            If the ending is another.
        """
        from benchmark.common.figures import require_format
        from benchmark.model_similarity.figure import save_figure

        require_format(Path(path), "path")
        save_figure(Path(path), self._found)

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False))


def similarity(
    models: str | Sequence[str],
    measures: str | Sequence[str] = "rdm",
    *,
    stimuli: str | None = None,
    suite: str = "mini",
    layers: Sequence[str] = (),
    metric: str = "correlation",
    data: Path | str | None = None,
    registries: Sequence[Path | str] = (),
    device: str = "auto",
    seed: int = 0,
) -> SimilarityTables:
    """Compare layers of models with one another, as ``bench similarity`` does.

    Parameters
    ----------
    models : str or sequence of str
        Names of models in the registry, or "all".
    measures : str or sequence of str
        "rdm", "cka", "cka_rbf", "cca", "svcca", "pwcca", "procrustes", or "all".
    stimuli : str, optional
        Name of a stimulus set, or a folder of images. By default, the stimuli of the suite's first binding.
    suite : str
        Suite whose weights of the models are used.
    layers : sequence of str
        Layers to compare: names, ``/regex/``, "default" or "all". Empty: the layers that each model names.
    metric : str
        Distance between two concepts in the RDMs.
    data : path, optional
        Folder of the data. By default ``$BENCH_DATA`` if it is set, else the user's data directory.
    registries : sequence of path
        Your own registry files, used together with the shipped one.
    device : str
        Where networks run: "cpu", "cuda" or "mps". "auto" takes a GPU if there is one.
    seed : int
        Seed of all random numbers.

    Returns
    -------
    SimilarityTables

    Raises
    ------
    UsageError
        If a name is unknown.
    NotPossible
        If a layer is unknown, weights or data are missing, or there are fewer than two layers.

    Examples
    --------
    >>> from benchmark.api import similarity
    >>> found = similarity(["mini_encoder", "mini_clip"], layers=["encoder"])
    >>> found.layers
    ['mini_encoder encoder', 'mini_clip encoder']
    >>> found.matrix("rdm").round(2)
    array([[1.  , 0.66],
           [0.66, 1.  ]])
    """
    session = session_of(data, "results", registries, device, seed, layers)

    recipe: dict[str, Any] = {"measures": names(measures), "metric": metric}
    found = model_similarity(session, names(models), suite, session.options.layers, stimuli, **recipe)
    return SimilarityTables(found)
