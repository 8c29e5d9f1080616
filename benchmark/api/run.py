"""``benchmark.run(model=MyModel(), tasks="all")`` and ``benchmark.check(MyModel())``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmark.api.objects import placed_model
from benchmark.api.tables import Checks, Results
from benchmark.checks import check_loaded, check_model
from benchmark.model import Model
from benchmark.runner import Options, Session, execute, plan
from benchmark.runner.layers import split_layers


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
    (:func:`benchmark.api.identity.identity`). Where these cannot be hashed the features are not kept, and the
    log says so.
    """
    session = _session(data, output, registries, device, seed, layers)
    with placed_model(session, model, suite, name) as names:
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
    with placed_model(session, model, suite, None) as (name,):
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
