"""Score cells on the workers of a dask cluster: one on this machine, or any that has a scheduler.

Workers write the results themselves, so the folders of the results and of the data have to be the same on all
machines. A worker with another version of the code, or without these folders, is refused.
"""

from __future__ import annotations

import logging
import platform
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmark.common.errors import UsageError
from benchmark.common.processes import ProcessEnded
from benchmark.datasets.root import DataRoot
from benchmark.results import code_version
from benchmark.results.provenance import versions
from benchmark.runner.plan import Cell
from benchmark.runner.session import Options

#: Stands for a cluster that is started on this machine for one run
LOCAL = "local"
#: Where dask's configuration has the variables of the environment in which a worker starts
_ENVIRONMENT = "distributed.nanny.pre-spawn-environ"
#: Seconds to wait for the scheduler, and for its first worker
_PATIENCE = 30

Answer = Any
Work = Callable[[Cell, Options], Answer]


def on_cluster(
    work: Work, batches: Sequence[Sequence[Cell]], options: Options, scheduler: str, jobs: int
) -> Iterator[tuple[Cell, Answer | ProcessEnded]]:
    """Do some work for every cell, on the workers of a cluster.

    A batch whose worker is lost is done again by another worker. What it had stored is found there.

    Parameters
    ----------
    work : callable
        A function of a module. It gets a cell and the options.
    batches : sequence of sequence of Cell
        One worker takes all cells of a batch, in order, so that it can keep what they share.
    options : Options
        Relative paths are those of this process.
    scheduler : str
        Address of a scheduler, such as ``tcp://node1:8786``; :data:`LOCAL`: start one here.
    jobs : int
        Number of workers that are started for :data:`LOCAL`.

    Yields
    ------
    cell, answer
        As soon as its batch is done. :class:`benchmark.common.processes.ProcessEnded` stands for the answer
        of a batch of which several workers in a row were lost.

    Raises
    ------
    UsageError
        If dask is not installed, the scheduler does not answer, it has no worker, or a worker has another
        version or other folders.
    """
    try:
        dask: Any = import_module("distributed")  # an extra, and slow to import
    except ImportError:
        raise UsageError("--backend dask needs dask: pip install 'semantic-benchmark[cluster]'") from None
    options = _absolute(options)
    with _client(dask, scheduler, jobs) as client, _token(options.output) as token:
        identity = identify(options, token)
        for worker, other in client.run(identify, options, token).items():
            _require_equal(worker, other, identity)
        futures = {
            client.submit(_batch, work, list(batch), options, token, identity, pure=False): batch
            for batch in batches
        }
        for future in dask.as_completed(futures):
            error = future.exception()
            if isinstance(error, dask.scheduler.KilledWorker):
                yield from ((cell, ProcessEnded("its workers were lost")) for cell in futures[future])
            elif error is not None:
                raise error
            else:
                yield from zip(futures[future], future.result(), strict=True)


def identify(options: Options, token: Path) -> dict[str, Any]:
    """What has to be the same on every machine of a cluster.

    Parameters
    ----------
    options : Options
        With absolute paths.
    token : Path
        A file in the folder of the results.

    Returns
    -------
    dict
        The hash of the code, the versions of Python and of the packages, and which paths are there.
    """
    needed = [token, *options.registries, DataRoot.find(options.data).path]
    return {
        "code of the suite": code_version(),
        "Python": ".".join(platform.python_version_tuple()[:2]),
        **versions(),
        **{str(path): "there" if path.exists() else "missing" for path in needed},
    }


def _require_equal(worker: str, other: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    for what, value in own.items():
        if other.get(what) != value:
            raise UsageError(
                f"worker {worker}: {what} is {str(other.get(what))[:12]}, and {str(value)[:12]} here; give "
                "all workers the same installation, the same data and a shared folder for the results"
            )


def _batch(
    work: Work, cells: list[Cell], options: Options, token: Path, expected: dict[str, Any]
) -> list[Answer]:
    """The answers of a batch, computed on a worker. It may have joined after the others were compared."""
    _require_equal(platform.node(), identify(options, token), expected)
    return [work(cell, options) for cell in cells]


def _absolute(options: Options) -> Options:
    return replace(
        options,
        registries=tuple(path.resolve() for path in options.registries),
        data=DataRoot.find(options.data).path.resolve(),
        output=options.output.resolve(),
    )


@contextmanager
def _token(folder: Path) -> Iterator[Path]:
    """A file in the folder of the results, by which a worker shows that it sees the same folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f".cluster-{uuid.uuid4().hex}"
    path.touch()
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def _client(dask: Any, scheduler: str, jobs: int) -> Iterator[Any]:
    """A client of the scheduler, which has a worker; a local cluster ends with it."""
    logging.getLogger("distributed").setLevel(logging.ERROR)  # it tells of every connection
    cluster = None
    if scheduler == LOCAL:
        # dask has the C library give memory back at once; for many short steps that takes more than the work
        with import_module("dask").config.set({f"{_ENVIRONMENT}.MALLOC_TRIM_THRESHOLD_": None}):
            cluster = dask.LocalCluster(
                n_workers=jobs, threads_per_worker=1, memory_limit=None, dashboard_address=None
            )
    try:
        client = dask.Client(cluster or scheduler, timeout=_PATIENCE)
    except (OSError, TimeoutError, ValueError) as error:
        raise UsageError(f"--scheduler {scheduler}: no scheduler answers there ({error})") from None
    try:
        _wait_for_a_worker(client, scheduler)
        yield client
    finally:
        with suppress(Exception):  # a scheduler that is gone has nothing left to stop
            client.close()
        if cluster is not None:
            cluster.close()


def _wait_for_a_worker(client: Any, scheduler: str) -> None:
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError:
        raise UsageError(
            f"--scheduler {scheduler}: it has no worker; start one with: dask worker {scheduler} --nthreads 1"
        ) from None
