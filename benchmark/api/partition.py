"""``benchmark.api.partition(["mini_encoder", "pixels"], "people_rdm")``: what models explain of a target."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.api.run import session_of
from benchmark.partition import ModelPartition, model_partition

if TYPE_CHECKING:
    import pandas as pd


class PartitionTable:
    """What two or three models explain of a target, alone and together. A notebook shows it as a table.

    Attributes
    ----------
    models : tuple of str
        Names of the models.
    layers : dict of str to str
        The layer of each model that explains most.
    provenance : dict
        Everything that decides the numbers.
    """

    def __init__(self, found: ModelPartition) -> None:
        self.models = found.models
        self.layers = found.shares.layers
        self.provenance = found.provenance
        self._found = found

    def to_frame(self) -> pd.DataFrame:
        """Data frame with a row for each part: ``bench partition --format csv``."""
        import pandas as pd

        return pd.DataFrame(list(self._found.rows()))

    def save_figure(self, path: Path | str) -> None:
        """Draw bars and, where the areas can be true, an Euler diagram.

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
        from benchmark.partition.figure import save_figure

        require_format(Path(path), "path")
        save_figure(Path(path), self._found)

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False))


def partition(
    models: Sequence[str],
    target: str,
    *,
    suite: str = "mini",
    layers: Sequence[str] = (),
    data: Path | str | None = None,
    registries: Sequence[Path | str] = (),
    device: str = "auto",
    seed: int = 0,
) -> PartitionTable:
    """Divide the variance of a target's RDM between two or three models, as ``bench partition`` does.

    Parameters
    ----------
    models : sequence of str
        Names of two or three models in the registry.
    target : str
        Name of a binding whose target is an RDM, or of such a target: then the first binding with it counts.
    suite : str
        Suite of the binding, whose weights of the models are used.
    layers : sequence of str
        Layers among which the best is chosen: names, ``/regex/``, "default" or "all". Empty: the layers that
        each model names.
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
    PartitionTable

    Raises
    ------
    UsageError
        If a name is unknown, a model is named twice, or there are other than two or three.
    NotPossible
        If the target is no RDM, a layer is unknown, or weights or data are missing.

    Examples
    --------
    >>> from benchmark.api import partition
    >>> found = partition(["mini_encoder", "pixels"], "people_rdm", layers=["output"])
    >>> unique = found.to_frame().query("part == 'unique'")
    >>> unique[["models", "variance"]].round(2)
             models  variance
    2  mini_encoder      0.19
    3        pixels      0.00
    """
    session = session_of(data, "results", registries, device, seed, layers)
    return PartitionTable(model_partition(session, models, target, suite, session.options.layers))
