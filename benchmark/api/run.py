"""``benchmark.run(model=MyModel(), tasks="all")`` and ``benchmark.check(MyModel())``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import track

from benchmark.api.features import is_features, written_features
from benchmark.api.modules import ModuleModel
from benchmark.api.objects import placed_model
from benchmark.api.tables import Checks, Plan, Results
from benchmark.checks import check_loaded, check_model
from benchmark.common.errors import UsageError
from benchmark.common.text import names
from benchmark.runner import Cell, Options, Session, execute, plan, prospects
from benchmark.runner.layers import split_layers

#: From a PIL image to the tensor that a network takes
Preprocess = Callable[[Any], torch.Tensor]


def run(
    model: Any,
    tasks: str | Sequence[str] = "all",
    *,
    suite: str = "mini",
    name: str | None = None,
    preprocess: Preprocess | None = None,
    ids: Sequence[str] | None = None,
    layers: Sequence[str] = (),
    data: Path | str | None = None,
    output: Path | str = "results",
    registries: Sequence[Path | str] = (),
    device: str = "auto",
    seed: int = 0,
    jobs: int = 1,
    progress: bool = True,
    dry_run: bool = False,
) -> Results | Plan:
    """Score a model, as ``bench run`` does.

    Parameters
    ----------
    model : str, sequence of str, Model, torch module, array, data frame or dict
        Names of models in the registry. Or a model object, of a class that derives from
        :class:`benchmark.model.Model` or :class:`benchmark.extraction.NetworkModel`. Or a torch module, with
        ``preprocess``: its blocks are the layers. Or features, as :func:`benchmark.score` takes them.
    tasks : str or sequence of str
        Names of tasks or bindings, or "all". A binding is a task with its stimuli, its target and its
        parameters.
    suite : str
        Name of the suite, a set of bindings.
    name : str, optional
        Name of a model object in the results. By default, the name in its spec, which is the name of its
        class; of features "features".
    preprocess : callable, optional
        For a torch module: PIL image (RGB) to tensor, float32, shape (c, h, w), as its weights were trained
        with.
    ids : sequence of str, optional
        For features: as in :func:`benchmark.score`.
    layers : sequence of str
        Layers to score: names, ``/regex/``, "default" or "all". Empty: the layers that the model names.
    data : path, optional
        Folder of the data. By default ``$BENCH_DATA`` if it is set, else the user's data directory.
    output : path
        Folder of the results.
    registries : sequence of path
        Your own registry files, used together with the shipped one.
    device : str
        Where networks run: "cpu", "cuda" or "mps". "auto" takes a GPU if there is one.
    seed : int
        Seed of all random numbers.
    jobs : int
        Number of processes, each with one model at a time. An object in memory takes one.
    progress : bool
        Whether a terminal or a notebook shows how many cells are done.
    dry_run : bool
        Whether to score nothing, and say which cells are missing and what they cost.

    Returns
    -------
    Results or Plan
        One result for each cell: one model scored on one binding. With ``dry_run`` the cells of the run.

    Raises
    ------
    UsageError
        If a name is unknown, the name of the object is taken, or a torch module comes without ``preprocess``.

    Notes
    -----
    The cache key of an object holds the source of its class and its whole state, with the weights
    (:func:`benchmark.api.identity.identity`). If these cannot be hashed, the features are not kept, and the
    log gives the reason.

    Examples
    --------
    >>> import benchmark
    >>> results = benchmark.run("pixels", "people_rdm")
    >>> cell = results[0]
    >>> cell.model, cell.binding, cell.status, cell.n
    ('pixels', 'people_rdm', 'scored', 48)
    >>> round(cell.score, 2)
    0.02
    >>> results.to_frame()[["model", "binding", "metric"]]
        model     binding    metric
    0  pixels  people_rdm  spearman
    """
    if is_features(model):
        with written_features(model, ids, name or "features") as own:
            session = session_of(data, output, (*registries, own), device, seed, layers)
            return run_or_plan([name or "features"], tasks, suite, session, jobs, progress, dry_run)
    session = session_of(data, output, registries, device, seed, layers)
    placed = _as_model(model, preprocess)
    if jobs > 1 and not isinstance(placed, str | Sequence):
        raise UsageError(f"jobs={jobs}: an object in memory is scored in one process; leave out jobs")
    with placed_model(session, placed, suite, name) as models:
        return run_or_plan(models, tasks, suite, session, jobs, progress, dry_run)


def run_or_plan(
    models: Sequence[str],
    tasks: str | Sequence[str],
    suite: str,
    session: Session,
    jobs: int,
    progress: bool,
    dry_run: bool,
) -> Results | Plan:
    """Score models that the ``session`` knows by the names ``models``; with ``dry_run`` only look ahead.

    ``tasks``, ``suite``, ``jobs``, ``progress`` and ``dry_run`` are those of :func:`run`.
    """
    cells = plan(session.registry, models, names(tasks), suite)
    if dry_run:
        return Plan(tuple(prospects(session, cells)))
    out = Console(stderr=True)
    watched = progress and (out.is_terminal or out.is_jupyter)
    done = execute(cells, session, jobs)
    shown = track(done, "cells", len(cells), console=out, transient=True, disable=not watched)
    place = {cell: i for i, cell in enumerate(cells)}  # several processes end in another order
    return Results(
        tuple(sorted(shown, key=lambda one: place[Cell(one.cell.model, one.cell.binding, one.cell.suite)]))
    )


def _as_model(model: Any, preprocess: Preprocess | None) -> Any:
    """``model``; a torch module becomes a model."""
    if isinstance(model, torch.nn.Module):
        return ModuleModel(model, preprocess)  # type: ignore[arg-type]  # it refuses None
    if preprocess is not None:
        raise UsageError("preprocess= belongs to a torch module; other models have their own")
    return model


def check(
    model: Any,
    *,
    suite: str | None = None,
    preprocess: Preprocess | None = None,
    data: Path | str | None = None,
    registries: Sequence[Path | str] = (),
    device: str = "auto",
) -> Checks:
    """Check a model for the usual faults, as ``bench check-model`` does.

    Parameters
    ----------
    model : str, Model or torch module
        The name of a model in the registry, a model object, or a torch module with ``preprocess``.
    suite : str, optional
        Suite whose version of the model is checked. By default, for a name, the first suite that the model
        takes part in; for an object, the first suite of the registry.
    preprocess : callable, optional
        For a torch module, as in :func:`run`.
    data : path, optional
        Folder of the data. By default ``$BENCH_DATA`` if it is set, else the user's data directory.
    registries : sequence of path
        Your own registry files, used together with the shipped one.
    device : str
        Where networks run: "cpu", "cuda" or "mps". "auto" takes a GPU if there is one.

    Returns
    -------
    Checks
        For each check its name, its status and a text.

    Examples
    --------
    >>> import benchmark
    >>> checks = benchmark.check("pixels")
    >>> checks.passed
    True
    >>> [check.name for check in checks if check.status == "fail"]
    []
    """
    session = session_of(data, "results", registries, device)
    placed = _as_model(model, preprocess)
    if isinstance(placed, str):
        return Checks(tuple(check_model(session, placed, suite)))
    suite = suite or next(iter(session.registry.suites))
    with placed_model(session, placed, suite, None) as (name,):
        return Checks(tuple(check_loaded(session, session.model(name, suite))))


def session_of(
    data: Path | str | None,
    output: Path | str,
    registries: Sequence[Path | str],
    device: str = "auto",
    seed: int = 0,
    layers: Sequence[str] = (),
) -> Session:
    """The session of a function of this room, from arguments as a user gives them.

    They are ``data``, ``output``, ``registries``, ``device``, ``seed`` and ``layers`` of :func:`run`.
    """
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
