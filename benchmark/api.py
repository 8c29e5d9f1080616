"""The suite from Python: ``benchmark.run(model=MyModel(), tasks="all")``, ``benchmark.check(MyModel())``."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.checks import Check, Status, check_loaded, check_model
from benchmark.errors import UsageError
from benchmark.identity import identity
from benchmark.model import Model, ModelSpec
from benchmark.registry import Placed, ResolvedCheckpoint
from benchmark.registry.names import check_name
from benchmark.registry.schema import ModelEntry
from benchmark.results import CellResult, row
from benchmark.runner import Options, Outcome, Session, execute, plan
from benchmark.runner.layers import split_layers
from benchmark.runner.loaded import LoadedModel
from benchmark.store import FeatureStore

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)
_SHOWN = ["model", "binding", "metric", "score", "ci_low", "ci_high", "chance", "best_layer", "reason"]


@dataclass(frozen=True)
class Results(Sequence[CellResult]):
    """Cells in the order of the plan; a notebook shows them as a table.

    Attributes
    ----------
    outcomes : tuple of Outcome
        Each with its cell, the file it stands in, and whether it was there already.
    """

    outcomes: tuple[Outcome, ...]

    def __len__(self) -> int:
        return len(self.outcomes)

    def __getitem__(self, index: Any) -> Any:
        found = self.outcomes[index]
        return [outcome.cell for outcome in found] if isinstance(found, tuple) else found.cell

    def to_frame(self) -> pd.DataFrame:
        """One row a cell: the columns of ``bench run --format json``."""
        import pandas as pd

        return pd.DataFrame([row(o.cell, cached=o.cached, path=o.path) for o in self.outcomes])

    def _repr_html_(self) -> str:
        return str(self.to_frame()[_SHOWN].to_html(index=False))


@dataclass(frozen=True)
class Checks(Sequence[Check]):
    """What the checks of a model found; a notebook shows them as a table."""

    found: tuple[Check, ...]

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, index: Any) -> Any:
        return self.found[index]

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return all(check.status is not Status.failed for check in self.found)

    def to_frame(self) -> pd.DataFrame:
        """One row a check."""
        import pandas as pd

        rows = [{"check": c.name, "result": c.status.value, "detail": c.detail} for c in self.found]
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False))


def run(
    model: Model | str | Sequence[str],
    tasks: str | Sequence[str] = "all",
    *,
    suite: str = "mini",
    name: str | None = None,
    layers: Sequence[str] = (),
    data: Path | str | None = None,
    output: Path | str = "results",
    registries: Sequence[Path | str] = (),
    device: str = "cpu",
    seed: int = 0,
) -> Results:
    """Score a model, as ``bench run`` does.

    Parameters
    ----------
    model : Model or str or sequence of str
        An object of a class that derives from :class:`benchmark.model.Model` or
        :class:`benchmark.extraction.NetworkModel`; or names out of the registry.
    tasks : str or sequence of str
        Tasks or bindings, or "all".
    suite : str
    name : str, optional
        What an object is called in the results; else the name in its spec, which is that of its class.
    layers : sequence of str
        As ``--layers``; empty: the model's own.
    data, output, registries, device, seed
        As the options of ``bench run``.

    Returns
    -------
    Results

    Raises
    ------
    UsageError
        If a name is unknown, or that of the object is taken.

    Notes
    -----
    The cache key of an object holds its class's source and its whole state, weights and all
    (:func:`benchmark.identity.identity`). Where that cannot be had its features are not kept, which is said
    in the log.
    """
    session = _session(data, output, registries, device, seed, layers)
    with _placed(session, model, suite, name) as names:
        cells = plan(session.registry, names, [tasks] if isinstance(tasks, str) else list(tasks), suite)
        return Results(tuple(execute(cells, session)))


def check(
    model: Model | str,
    *,
    suite: str | None = None,
    data: Path | str | None = None,
    registries: Sequence[Path | str] = (),
    device: str = "cpu",
) -> Checks:
    """Look for the usual faults of a model, as ``bench check-model`` does.

    Returns
    -------
    Checks
    """
    session = _session(data, "results", registries, device, 0, ())
    if isinstance(model, str):
        return Checks(tuple(check_model(session, model, suite)))
    suite = suite or next(iter(session.registry.suites))
    with _placed(session, model, suite, None) as (name,):
        return Checks(tuple(check_loaded(session, session.model(name, suite))))


def _session(
    data: Path | str | None,
    output: Path | str,
    registries: Sequence[Path | str],
    device: str,
    seed: int,
    layers: Sequence[str],
) -> Session:
    return Session(
        Options(
            registries=tuple(Path(path) for path in registries),
            data=None if data is None else Path(data),
            output=Path(output),
            layers=split_layers(layers),
            device=device,
            seed=seed,
        )
    )


@contextmanager
def _placed(
    session: Session, model: Model | str | Sequence[str], suite: str, name: str | None
) -> Iterator[list[str]]:
    """Names of the models, an object among the session's; what must not be kept is gone after."""
    if not isinstance(model, Model):
        if isinstance(model, type) or not isinstance(model, (str, Sequence)):
            raise UsageError(f"model is {model!r}; give an object of a benchmark.model.Model, or a name")
        yield [model] if isinstance(model, str) else list(model)
        return
    if not hasattr(model, "spec"):  # its __init__ did not call ours
        model.spec = ModelSpec(type(model).__name__)
    called = _free_name(session, name or model.spec.name)
    model.spec = replace(model.spec, name=called)
    found = identity(model)
    with tempfile.TemporaryDirectory() as scratch:
        if found.reason is not None:
            _log.warning("%s: %s: its features are not kept", called, found.reason)
            session.features = FeatureStore(Path(scratch))
        _place(session, model, suite, found.source, found.state)
        yield [called]


def _free_name(session: Session, name: str) -> str:
    try:
        check_name(name)
    except ValueError as error:
        raise UsageError(f"model: {error}; give name=") from error
    if name in session.registry.models:
        where = session.registry.models[name].where
        raise UsageError(f"the name {name} is taken, at {where}; give another with name=")
    return name


def _place(session: Session, model: Model, suite: str, source: str, state: str) -> None:
    """Put an object where the session has what it loaded from the registry."""
    name, kind = model.spec.name, type(model)
    entry = ModelEntry(
        plugin=f"{kind.__module__}:{kind.__name__}",
        description=f"An object of {kind.__qualname__}",
        params=dict(model.spec.params),
    )
    placed = Placed(name, entry, Path(), "a Python object")
    checkpoint = ResolvedCheckpoint(untrained=model.spec.untrained, sha256=state, label="in memory")
    session.registry = replace(session.registry, models={**session.registry.models, name: placed})
    session.adopt(LoadedModel(model, placed, checkpoint, source), suite)
