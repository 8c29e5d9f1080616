"""The commands of ``bench data``. Nothing heavy is imported at the top."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from benchmark.cli import data_options as opt
from benchmark.cli.commands import Commands
from benchmark.cli.options import DataOption, IdsOption, RegistryOption

data = typer.Typer(
    cls=Commands, help="List, get, check and cite data, and bring data of your own.", no_args_is_help=True
)
new = typer.Typer(
    cls=Commands, help="Check data of your own, and write their registry entry.", no_args_is_help=True
)
data.add_typer(new, name="new")

_DEFAULT = (Path("mine.yaml"),)


@data.command("list")
def list_(
    name: opt.ListedArgument = None,
    everything: opt.AllOption = False,
    data: DataOption = None,
    registry: RegistryOption = None,
) -> None:
    """Say which data are here, what each suite lacks, and how to get it.

    NAME is a data set, a collection of files or a suite; then all is said of
    it. Files are hashed, as for a run.
    """
    from benchmark.cli.data_listing import list_data
    from benchmark.runner import Options

    list_data(Options(registries=tuple(registry or ()), data=data), name, everything=everything)


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
    times: opt.TimesOption = None,
    regions: opt.RegionsOption = None,
    unit: opt.UnitOption = None,
    first: opt.PlacesFirstOption = None,
    on: opt.KeyOption = None,
    data: DataOption = None,
    registry: opt.NewDataRegistryOption = None,
) -> None:
    """Bring RDMs of your own, as a target of RDM correlation.

    With --times or --regions they are a target of RDM curves: (subjects,
    times, n, n), (n, n, times, subjects) or (times, n, n).

    Forms: npy, npz, mat of any version, csv and tsv with or without names,
    HDF5 of rsatoolbox. A square, a stack (subjects, n, n), or the pairs of the
    upper triangle. What can be read in two ways is refused with the option
    that decides it. A picture and a text are saved before the entry is written.
    """
    from benchmark.submission.own_data import own_files

    registries = _expanded(registry)
    base = registries[0].resolve().parent
    paths = own_files(files, base)
    params = {
        "files": paths,
        "ids": None if ids is None else own_files([ids], base)[0],
        "column": column,
        "array": array,
        "order": order and order.value,
    }
    plugin, task = "benchmark.datasets.readers.rdm_files:rdm_files", "rdm_correlation"
    own: dict[str, Any] = {"similarity": similarity and similarity.value}
    if times is not None or regions is not None:
        plugin, task = "benchmark.datasets.readers.rdm_series_files:rdm_series_files", "rdm_curve"
        own = _places(times, regions, base) | {"unit": unit and unit.value, "first": first and first.value}
        _refuse(similarity, "--similarity", "does not go with --times or --regions")
    else:
        _refuse(unit or first, "--unit and --first", "need --times or --regions")
    what = f"RDMs of {', '.join(Path(path).name for path in paths[:2])}"
    _add_target(name, plugin, params | own, what, registries, task, stimuli=stimuli, on=on, data=data)


@new.command("responses")
def new_responses(
    name: opt.NewNameArgument,
    file: opt.FileArgument,
    stimuli: opt.SeenStimuliOption,
    ids: opt.IdsOption = None,
    column: opt.ColumnOption = None,
    array: opt.ArrayOption = None,
    axes: opt.AxesOption = None,
    channels: opt.ChannelsOption = None,
    times: opt.ResponseTimesOption = None,
    window: opt.WindowOption = None,
    on: opt.KeyOption = None,
    data: DataOption = None,
    registry: opt.NewDataRegistryOption = None,
) -> None:
    """Bring measured responses of your own, as a target of encoding.

    A table with a row for each stimulus (its id, then a number for each
    channel), or an array (stimuli, channels) or (stimuli, channels, repeats)
    in npy, npz, mat of any version or HDF5. A repeat that is missing is NaN.
    With times as the last axis, the mean over a --window is the response. A
    Dataset or TemporalDataset that rsatoolbox saved as HDF5: observations of
    the same stimulus are its repeats.
    """
    from benchmark.submission.own_data import own_files

    registries = _expanded(registry)
    base = registries[0].resolve().parent
    (path,) = own_files([file], base)
    params = {
        "file": path,
        "ids": None if ids is None else own_files([ids], base)[0],
        "column": column,
        "array": array,
        "axes": axes and axes.value,
        "channels": None if channels is None else own_files([channels], base)[0],
        "times": _named(times, base),
        "window": window,
    }
    plugin = "benchmark.datasets.readers.response_files:response_file"
    what = f"Responses of {Path(path).name}"
    _add_target(name, plugin, params, what, registries, "encoding", stimuli=stimuli, on=on, data=data)


@new.command("vectors")
def new_vectors(
    name: opt.NewNameArgument,
    file: opt.FileArgument,
    stimuli: opt.SeenStimuliOption,
    on: opt.KeyOption = None,
    data: DataOption = None,
    registry: opt.NewDataRegistryOption = None,
) -> None:
    """Bring word vectors of your own, as a target of 2 vs 2.

    A text file with one word a line: the word, then its numbers, separated by
    spaces, as GloVe and word2vec write it. Its name may end in .gz.
    """
    plugin = "benchmark.datasets.readers.words:vectors"
    _add_file(name, plugin, file, "Word vectors", registry, "two_vs_two", stimuli=stimuli, on=on, data=data)


@new.command("norms")
def new_norms(
    name: opt.NewNameArgument,
    file: opt.FileArgument,
    stimuli: opt.SeenStimuliOption,
    on: opt.KeyOption = None,
    data: DataOption = None,
    registry: opt.NewDataRegistryOption = None,
) -> None:
    """Bring association norms of your own, as a target of association top-k.

    A table with the columns cue, response, R1 (or R123) and N, separated by
    tabs, as the Small World of Words has it: how many people gave the response,
    and how many responses the cue has.
    """
    plugin = "benchmark.datasets.readers.norms:associations"
    what, task = "Association norms", "association_topk"
    _add_file(name, plugin, file, what, registry, task, split="classes", stimuli=stimuli, on=on, data=data)


@new.command("triplets")
def new_triplets(
    name: opt.NewNameArgument,
    file: opt.FileArgument,
    stimuli: opt.SeenStimuliOption,
    ids: opt.TripletIdsOption = None,
    first: opt.FirstOption = None,
    on: opt.KeyOption = None,
    data: DataOption = None,
    registry: opt.NewDataRegistryOption = None,
) -> None:
    """Bring odd-one-out choices of your own, as a target of odd one out.

    Forms: npy, csv, tsv or txt with three columns, the odd one out last, as in
    the triplet files of THINGS; or columns image1, image2, image3 and choice.
    They hold ids, or rows of a list of ids.
    """
    from benchmark.submission.own_data import own_files

    registries = _expanded(registry)
    base = registries[0].resolve().parent
    (path,) = own_files([file], base)
    listed = None if ids is None else own_files([ids], base)[0]
    params = {"path": path, "ids": listed, "first": first}
    what = f"Odd-one-out choices of {Path(path).name}"
    plugin = "benchmark.datasets.readers.triplet_files:triplet_file"
    _add_target(name, plugin, params, what, registries, "odd_one_out", stimuli=stimuli, on=on, data=data)


@new.command("stimuli")
def new_stimuli(
    name: opt.NewNameArgument,
    folder: opt.FolderArgument,
    registry: opt.NewDataRegistryOption = None,
) -> None:
    """Bring a folder of images of your own, for your own targets.

    A folder in it for each concept, or a flat folder in which each image is a
    concept of its own. Every image is opened once.
    """
    from benchmark.cli.data import add_data
    from benchmark.submission.own_data import own_files, own_stimuli

    registries = _expanded(registry)
    (path,) = own_files([folder], registries[0].resolve().parent)
    plugin = "benchmark.datasets.readers.folders:image_folder"
    add_data(
        own_stimuli(name, plugin, {"path": path}, f"Images of {Path(path).name}", registries), registries
    )


@new.command("features")
def new_features(
    name: opt.NewNameArgument,
    file: opt.FileArgument,
    ids: IdsOption = None,
    registry: opt.NewDataRegistryOption = None,
) -> None:
    """Bring features that were computed elsewhere, as a model.

    The same as bench add features:FILE --name NAME.
    """
    from benchmark.cli.add import add_model

    add_model(f"features:{file}", _expanded(registry), name, None, ids=ids)


def _places(times: str | None, regions: str | None, base: Path) -> dict[str, str | None]:
    return {"times": _named(times, base), "regions": _named(regions, base)}


def _named(places: str | None, base: Path) -> str | None:
    """Places of an axis as an entry names them: as they are, or a file relative to ``base``."""
    from benchmark.submission.own_data import own_files

    if places is None or not Path(places).expanduser().is_file():
        return places
    return own_files([places], base)[0]


def _refuse(given: object, option: str, why: str) -> None:
    from benchmark.common.errors import UsageError

    if given is not None:
        raise UsageError(f"{option} {why}")


def _expanded(registries: list[Path] | None) -> list[Path]:
    return [path.expanduser() for path in registries or _DEFAULT]


def _add_file(
    name: str,
    plugin: str,
    file: str,
    what: str,
    registry: list[Path] | None,
    task: str,
    split: str | None = None,
    **options: Any,
) -> None:
    """Add a target that is one file."""
    from benchmark.submission.own_data import own_files

    registries = _expanded(registry)
    (path,) = own_files([file], registries[0].resolve().parent)
    params = {} if split is None else {"split": split}
    _add_target(
        name, plugin, {"path": path}, f"{what} of {Path(path).name}", registries, task, params, **options
    )


def _add_target(
    name: str,
    plugin: str,
    entry: dict[str, Any],
    what: str,
    registries: list[Path],
    task: str,
    params: dict[str, str] | None = None,
    **options: Any,
) -> None:
    from benchmark.cli.data import add_data
    from benchmark.submission.own_data import own_target

    own = own_target(name, plugin, entry, what, registries, task=task, task_params=params, **options)
    add_data(own, registries)
