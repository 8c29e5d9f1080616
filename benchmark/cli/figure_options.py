"""The options of the commands that make figures and pages: name, limits and help text of each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.choices import AssociatesFormat, FigureKind

# ---- bench plot

FigureKindArgument = Annotated[
    FigureKind,
    typer.Argument(
        help="profile: scores of layers; rdm: RDMs beside that of people; plan: transport plans; compare: "
        "paired differences; similarity: how alike the RDMs of models are; "
        "curve: layers over time or regions."
    ),
]
ReportedModelArgument = Annotated[str, typer.Argument(help="Name of a model that has results.")]
ReportOption = Annotated[
    Path | None, typer.Option("--page", help="HTML file to write. Default: MODEL.html in the current folder.")
]
PlottedFileOption = Annotated[Path, typer.Option("--output", help="File to write: .pdf, .svg or .png.")]

# ---- bench associate

PhotosArgument = Annotated[list[Path], typer.Argument(metavar="PHOTO...", help="Image files.")]
HeadModelOption = Annotated[
    str, typer.Option("--model", "-m", help="Name of a model that has an association head.")
]
AssociatesFormatOption = Annotated[
    AssociatesFormat,
    typer.Option("--format", help="Print the words as ranked tables, as JSON, or as CSV with a row a word."),
]
CountOption = Annotated[int, typer.Option("-k", min=1, help="Number of words to show for each photo.")]
PlotOption = Annotated[
    Path | None, typer.Option("--plot", help="Draw the words as a figure in this file: .png, .pdf or .svg.")
]
PageOption = Annotated[
    Path | None, typer.Option("--html", help="Write an interactive page with the words to this file.")
]

# ---- bench interpret

InterpretedModelOption = Annotated[str, typer.Option("--model", "-m", help="Name of a network.")]
InterpretedLayersOption = Annotated[
    list[str] | None,
    typer.Option(
        "--layers",
        help="Layers to show: all, default (the layers of the registry entry), names, or /regex/ that "
        "matches names. Separated by commas.",
    ),
]
PropertiesCountOption = Annotated[
    int, typer.Option("-k", min=1, help="Number of properties to show for each layer.")
]
PropertiesPlotOption = Annotated[
    Path | None,
    typer.Option("--plot", help="Draw the properties as a figure in this file: .png, .pdf or .svg."),
]
PropertiesPageOption = Annotated[
    Path | None, typer.Option("--html", help="Write a page with the properties to this file.")
]
PropertiesFormatOption = Annotated[
    AssociatesFormat,
    typer.Option(
        "--format", help="Print the properties as tables, as JSON, or as CSV with a row a property."
    ),
]
