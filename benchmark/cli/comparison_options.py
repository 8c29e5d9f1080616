"""The options of the commands that compare models: the name, the limits and the help text of each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.choices import Dissimilarity, Pooling, SimilarityFormat

# ---- bench run, bench why, bench calibrate

ComparedModelsArgument = Annotated[
    list[str], typer.Argument(help="Names of two or more models, one after another or with commas.")
]
BindingOption = Annotated[
    str, typer.Option("--binding", help="Name of a binding whose task makes RDMs of features.")
]

# ---- bench export rdm

PoolingsOption = Annotated[
    list[Pooling] | None,
    typer.Option("--pooling", help="Try this pooling of every network too. Repeatable."),
]

# ---- bench similarity

ComparedLayersOption = Annotated[
    list[str] | None,
    typer.Option(
        "--layers",
        help="Layers to compare: all, default (the layers of the registry entry), names, or /regex/ that "
        "matches names. Separated by commas. A name counts for the models that have it.",
    ),
]
ComparedStimuliOption = Annotated[
    str | None,
    typer.Option(
        "--stimuli",
        help="Name of a stimulus set, or a folder of images. Default: those of the suite's first binding.",
    ),
]
MeasuresOption = Annotated[
    list[str] | None,
    typer.Option(
        "--measure",
        help="Measures: rdm, cka, cka_rbf, cca, svcca, pwcca, procrustes, or all. Separated by commas. "
        "Default: rdm.",
    ),
]
RDMMetricOption = Annotated[
    Dissimilarity, typer.Option("--metric", help="Distance between two concepts in the RDMs.")
]
SimilarityFormatOption = Annotated[
    SimilarityFormat, typer.Option("--format", help="Print a table, JSON with what decides it, or CSV.")
]
FigureOption = Annotated[
    Path | None,
    typer.Option(
        "--figure", help="Draw heat maps and two-dimensional maps in this file: .png, .pdf or .svg."
    ),
]

# ---- bench partition

PartitionedModelsOption = Annotated[
    list[str],
    typer.Option(
        "--model",
        "-m",
        help="Names of two or three models, separated by commas. NAME@untrained:SEED is the twin of a model: "
        "the same network with random weights.",
    ),
]
RDMTargetOption = Annotated[
    str,
    typer.Option(
        "--target",
        help="Name of a binding whose target is an RDM, or of such a target: then the first binding with it "
        "counts. Its stimuli and its recipe of an RDM are used.",
    ),
]
PartitionFigureOption = Annotated[
    Path | None,
    typer.Option(
        "--figure", help="Draw bars, and areas where they can be true, in this file: .png, .pdf or .svg."
    ),
]

# ---- bench pairs

MovedModelOption = Annotated[
    str, typer.Option("--model", "-m", help="Name of a model, for example an association network.")
]
ReferenceOption = Annotated[
    str,
    typer.Option(
        "--reference",
        help="What pairs moved from: the name of a model, or encoder, the network that the model was trained "
        "or built from.",
    ),
]
MovedLayerOption = Annotated[
    str | None, typer.Option("--layer", "-l", help="Layer of the model. Default: the last of its entry.")
]
ReferenceLayerOption = Annotated[
    str | None,
    typer.Option(
        "--reference-layer", help="Layer of the reference. Default: the last of its entry before output."
    ),
]
PairsCountOption = Annotated[
    int, typer.Option("-k", min=1, help="Number of pairs of each group, closer and apart.")
]
MovedPageOption = Annotated[
    Path | None, typer.Option("--html", help="Write a page with the pictures of the pairs to this file.")
]
