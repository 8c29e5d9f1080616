"""The commands of ``bench data`` for files that others publish. Nothing heavy is imported at the top."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli import data_commands
from benchmark.cli.options import DataOption, RegistryOption

group = data_commands.data

CollectionArgument = Annotated[
    str, typer.Argument(help="A collection of files, or a data set: the collections that it is read from.")
]
AnyCollectionArgument = Annotated[
    str | None, typer.Argument(help="A collection of files, or a data set. Default: all.")
]
LicenceOption = Annotated[
    bool, typer.Option("--accept-license", help="Accept the licence of the files without being asked.")
]
SourceArgument = Annotated[
    Path, typer.Argument(metavar="PATH", help="A file, a folder, or an archive (zip, tar) that you have.")
]
LinkOption = Annotated[bool, typer.Option("--link", help="Make symbolic links to the files; copy nothing.")]
CitedArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME]...",
        help="Suites, data sets, collections, models, or folders of results. Default: results.",
    ),
]
FirstArgument = Annotated[str, typer.Argument(metavar="A", help="Name of stimuli or of a target.")]
SecondArgument = Annotated[str, typer.Argument(metavar="B", help="Name of stimuli or of a target.")]
OverlapKeyOption = Annotated[
    str | None,
    typer.Option(
        "--on", help="Key of the stimuli whose names are shown. Default: the one that matches most."
    ),
]


@group.command("pull")
def pull(
    name: CollectionArgument,
    accept_license: LicenceOption = False,
    data: DataOption = None,
    registry: RegistryOption = None,
) -> None:
    """Get files from where their makers publish them.

    A download that broke off is gone on with. Each file is compared with its
    checksum before it comes to its place. What cannot be pulled is listed with
    the steps to get it.

    Exit status: 0 if all files of the collection are here; 1 if some are to be
    got by hand.
    """
    from benchmark.cli.collections import pull_data
    from benchmark.datasets import DataRoot

    raise typer.Exit(pull_data(name, DataRoot.find(data).path, registry or (), accept=accept_license))


@group.command("import")
def import_(
    name: CollectionArgument,
    source: SourceArgument,
    link: LinkOption = False,
    data: DataOption = None,
    registry: RegistryOption = None,
) -> None:
    """Bring files that you have to the data root, in the form in which their makers publish them.

    The files are found by their names, in any folder of PATH. Each is compared
    with its checksum. Doing it twice changes nothing.

    Exit status: 0 if no file was refused; 1 if one was.
    """
    from benchmark.cli.collections import import_data
    from benchmark.datasets import DataRoot

    root = DataRoot.find(data).path
    raise typer.Exit(import_data(name, source.expanduser(), root, registry or (), link=link))


@group.command("verify")
def verify(
    name: AnyCollectionArgument = None, data: DataOption = None, registry: RegistryOption = None
) -> None:
    """Compare the files that are here with their checksums.

    "another" is other content than that of the published scores, which is
    allowed; "unchecked" has no known checksum.

    Exit status: 0 if every file is what it should be; 1 if one is not, or one
    of NAME is missing.
    """
    from benchmark.cli.collections import verify_data
    from benchmark.datasets import DataRoot

    raise typer.Exit(verify_data(name, DataRoot.find(data).path, registry or ()))


@group.command("where")
def where(
    name: AnyCollectionArgument = None, data: DataOption = None, registry: RegistryOption = None
) -> None:
    """Print the data root, or the folders in it of a collection or data set."""
    from benchmark.cli.collections import show_places
    from benchmark.datasets import DataRoot

    show_places(name, DataRoot.find(data).path, registry or ())


@group.command("cite")
def cite(names: CitedArgument = None, registry: RegistryOption = None) -> None:
    """Print the BibTeX of everything that results or suites used."""
    from benchmark.cli.data import show_citations

    show_citations(names or ["results"], registry or ())


@group.command("overlap")
def overlap(
    first: FirstArgument,
    second: SecondArgument,
    on: OverlapKeyOption = None,
    data: DataOption = None,
    registry: RegistryOption = None,
) -> None:
    """Show which names two data sets share: matched, ambiguous and lost ones."""
    from benchmark.cli.data import show_overlap
    from benchmark.runner import Options

    show_overlap(first, second, on, Options(registries=tuple(registry or ()), data=data))
