"""The commands of ``bench data``. Nothing heavy is imported at the top."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from benchmark.cli import data_options as opt
from benchmark.cli.commands import Commands
from benchmark.cli.options import DataOption

data = typer.Typer(cls=Commands, help="Bring data of your own.", no_args_is_help=True)
new = typer.Typer(
    cls=Commands, help="Check data of your own, and write their registry entry.", no_args_is_help=True
)
data.add_typer(new, name="new")

_DEFAULT = (Path("mine.yaml"),)


@new.command("rdm")
def new_rdm(
    name: opt.NewNameArgument,
    files: opt.FilesArgument,
    stimuli: opt.SeenStimuliOption,
    ids: opt.IdsOption = None,
    column: opt.ColumnOption = None,
    array: opt.ArrayOption = None,
    order: opt.OrderOption = None,
    similarity: opt.SimilarityOption = None,
    on: opt.KeyOption = None,
    data: DataOption = None,
    registry: opt.NewDataRegistryOption = None,
) -> None:
    """Bring RDMs of your own, as a target of RDM correlation.

    Forms: npy, npz, mat of any version, csv and tsv with or without names,
    HDF5 of rsatoolbox. A square, a stack (subjects, n, n), or the pairs of the
    upper triangle. What can be read in two ways is refused with the option
    that decides it. A picture and a text are saved before the entry is written.
    """
    registries = _expanded(registry)
    base = registries[0].resolve().parent
    from benchmark.submission.own_data import own_files

    paths = own_files(files, base)
    params = {
        "files": paths,
        "ids": None if ids is None else own_files([ids], base)[0],
        "column": column,
        "array": array,
        "order": order and order.value,
        "similarity": similarity and similarity.value,
    }
    what = f"RDMs of {', '.join(paths[:2])}"
    plugin = "benchmark.datasets.readers.rdm_files:rdm_files"
    _add_target(name, plugin, params, what, registries, "rdm_correlation", stimuli=stimuli, on=on, data=data)


def _expanded(registries: list[Path] | None) -> list[Path]:
    return [path.expanduser() for path in registries or _DEFAULT]


def _add_target(
    name: str,
    plugin: str,
    params: dict[str, Any],
    what: str,
    registries: list[Path],
    task: str,
    **options: Any,
) -> None:
    from benchmark.cli.data import add_data
    from benchmark.submission.own_data import own_target

    add_data(own_target(name, plugin, params, what, registries, **options), registries, task)
