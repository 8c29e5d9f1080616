"""The options and arguments of ``bench data``: the name, the limits and the help text of each."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer


class PairOrder(str, Enum):
    """Order of the pairs of the upper triangle of an RDM."""

    rows = "rows"
    columns = "columns"


class SimilarityRule(str, Enum):
    """How similarities become dissimilarities."""

    one_minus = "one-minus"
    max_minus = "max-minus"
    negative = "negative"


class TimeUnit(str, Enum):
    """Unit of the times of a series of RDMs."""

    ms = "ms"
    s = "s"


class SeriesAxis(str, Enum):
    """The first axis of an array of RDMs along an axis."""

    subjects = "subjects"
    places = "places"


class FirstAxis(str, Enum):
    """The first axis of an array of responses."""

    stimuli = "stimuli"
    channels = "channels"


ListedArgument = Annotated[
    str | None, typer.Argument(help="A data set, a collection of files or a suite. Default: a summary.")
]
AllOption = Annotated[bool, typer.Option("--all", help="Say all there is to say of all data.")]
NewNameArgument = Annotated[str, typer.Argument(help="Name of the new data set.")]
FilesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...",
        help="Files, a subject each or with several subjects in one. A pattern in quotes, 'sub-*.npy', is a "
        "file for each subject.",
    ),
]
FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="The file.")]
FolderArgument = Annotated[str, typer.Argument(metavar="FOLDER", help="The folder of images.")]
SeenStimuliOption = Annotated[
    str, typer.Option("--stimuli", help="Name of the stimuli that models will see (bench list datasets).")
]
IdsOption = Annotated[
    str | None,
    typer.Option(
        "--ids",
        help="Ids of the rows in their order: a list with one a line, a table, or the folder of the images.",
    ),
]
ColumnOption = Annotated[
    str | None,
    typer.Option(
        "--column",
        help="Column of the table of ids; for rsatoolbox, the descriptor that holds them.",
    ),
]
ArrayOption = Annotated[
    str | None, typer.Option("--array", help="Name of the array in a file that holds several.")
]
OrderOption = Annotated[
    PairOrder | None,
    typer.Option(
        "--order",
        help="Order of the pairs in a vector: rows of the upper triangle (squareform of scipy, pdist of "
        "MATLAB, dist of R), or columns (M(triu(true(n),1)) in MATLAB, tril_indices of numpy).",
    ),
]
SimilarityOption = Annotated[
    SimilarityRule | None,
    typer.Option(
        "--similarity",
        help="The values are similarities: 1 - s, the greatest s less s, or -s is the dissimilarity.",
    ),
]
TimesOption = Annotated[
    str | None,
    typer.Option(
        "--times",
        help="RDMs at several times: START:STEP:STOP, or a file with a time a line. The array is (subjects, "
        "times, n, n), (n, n, times, subjects) or (times, n, n).",
    ),
]
RegionsOption = Annotated[
    str | None,
    typer.Option("--regions", help="RDMs in several regions: names separated by commas, or a file of them."),
]
UnitOption = Annotated[
    TimeUnit | None, typer.Option("--unit", help="Unit of the times. Default: ms, if they can be that.")
]
PlacesFirstOption = Annotated[
    SeriesAxis | None,
    typer.Option("--first", help="The first axis, where there are as many subjects as times or regions."),
]
AxesOption = Annotated[
    FirstAxis | None,
    typer.Option(
        "--axes",
        help="The first axis of the array: stimuli, as is expected, or channels. A square must say it.",
    ),
]
ChannelsOption = Annotated[
    str | None,
    typer.Option(
        "--channels",
        help="Table with a row for each channel in their order: the column channel, and area and subject "
        "where they are known.",
    ),
]
ResponseTimesOption = Annotated[
    str | None,
    typer.Option(
        "--times",
        help="Times of the last axis: START:STEP:STOP, or a file with one a line. The array is (stimuli, "
        "channels, times) or (stimuli, channels, repeats, times).",
    ),
]
WindowOption = Annotated[
    str | None,
    typer.Option(
        "--window",
        help="START:STOP in the unit of the times, with both ends: its mean is the response.",
    ),
]
TripletIdsOption = Annotated[
    str | None,
    typer.Option("--ids", help="List of ids, one a line or a table, whose rows the numbers in the file are."),
]
FirstOption = Annotated[
    int | None,
    typer.Option(
        "--first", min=0, max=1, help="Number of the first id of the list, where the file leaves it open."
    ),
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--on", help="Key of the stimuli to join on: word, things or swow. Default: the id of the concept."
    ),
]
NewDataRegistryOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--registry",
        help="Registry file to write to. It is created if it is missing. Of several, the first is used. "
        "Default: mine.yaml.",
    ),
]
