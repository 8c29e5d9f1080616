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
        A model object, of a class that derives from :class:`benchmark.model.Model` or
        :class:`benchmark.extraction.NetworkModel`. Or names of models in the registry.
    tasks : str or sequence of str
        Names of tasks or bindings, or "all". A binding is a task with its stimuli, its target and its
        parameters.
    suite : str
        Name of the suite, a set of bindings.
    name : str, optional
        Name of a model object in the results. By default, the name in its spec, which is the name of its
        class.
    layers : sequence of str
        Layers to score: names, ``/regex/``, "default" or "all". Empty: the layers that the model names.
    data : path, optional
        Folder of the data. By default ``$BENCH_DATA`` if it is set, else the user's data directory.
    output : path
        Folder of the results.
    registries : sequence of path
        Your own registry files, used together with the shipped one.
    device : str
        Where networks run: "cpu", "cuda" or "mps".
    seed : int
        Seed of all random numbers.

    Returns
    -------
    Results
        One result for each cell: one model scored on one binding.

    Raises
    ------
    UsageError
        If a name is unknown, or the name of the object is taken.

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
    session = session_of(data, output, registries, device, seed, layers)
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
    """Check a model for the usual faults, as ``bench check-model`` does.

    Parameters
    ----------
    model : Model or str
        A model object, or the name of a model in the registry.
    suite : str, optional
        Suite whose version of the model is checked. By default, for a name, the first suite that the model
        takes part in; for an object, the first suite of the registry.
    data : path, optional
        Folder of the data. By default ``$BENCH_DATA`` if it is set, else the user's data directory.
    registries : sequence of path
        Your own registry files, used together with the shipped one.
    device : str
        Where networks run: "cpu", "cuda" or "mps".

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
    session = session_of(data, "results", registries, device, 0, ())
    if isinstance(model, str):
        return Checks(tuple(check_model(session, model, suite)))
    suite = suite or next(iter(session.registry.suites))
    with placed_model(session, model, suite, None) as (name,):
        return Checks(tuple(check_loaded(session, session.model(name, suite))))


def session_of(
    data: Path | str | None,
    output: Path | str,
    registries: Sequence[Path | str],
    device: str,
    seed: int,
    layers: Sequence[str],
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
