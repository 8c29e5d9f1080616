"""The options and arguments of ``bench``: the name, the limits and the help text of each.

The default of each is where its command is: in :mod:`benchmark.cli.app`, :mod:`benchmark.cli.groups` and the
modules ``*_commands``. Options of one kind of command are in the modules ``*_options``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.choices import (
    Backend,
    Device,
    Dissimilarity,
    EntryKind,
    FeatureFormat,
    LeaderboardFormat,
    MapFormat,
    PluginKind,
    RDMFormat,
    ResultFormat,
    RowUnit,
    RuleName,
)

# ---- shared by several commands

RegistryOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--registry", help="Your own registry file, used together with the shipped one. Repeatable."
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="Folder of the data. Default: $BENCH_DATA if it is set, else the user's data directory.",
    ),
]
OutputOption = Annotated[Path, typer.Option("--output", help="Folder of the results.")]
DeviceOption = Annotated[
    Device, typer.Option("--device", help="Device that runs the networks. auto takes a GPU if there is one.")
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Seed of all random numbers.")]
SuiteOption = Annotated[str, typer.Option("--suite", help="Name of the suite, a set of bindings.")]
WeightsSuiteOption = Annotated[
    str,
    typer.Option("--suite", help="Suite whose weights of the model are used, for example mini or human."),
]
ModelArgument = Annotated[
    str,
    typer.Argument(
        help="Name of a model. NAME@untrained:SEED is its twin, the same network with random weights."
    ),
]

# ---- bench, bench list, bench info

VersionOption = Annotated[bool, typer.Option("--version", help="Show the version.")]
DebugOption = Annotated[
    bool,
    typer.Option("--debug", help="Show the traceback of an error. Allowed at any place of a command."),
]
EntryKindArgument = Annotated[EntryKind, typer.Argument(help="What to list.")]
ListedStimuliArgument = Annotated[
    str | None, typer.Argument(metavar="[STIMULI]", help="With ids: the stimulus set.", show_default=False)
]
EntryNameArgument = Annotated[str, typer.Argument(help="Name of a model, task, dataset or suite.")]

# ---- bench run, bench why, bench calibrate

ResultFilesArgument = Annotated[list[Path], typer.Argument(help="Result files (JSON), or folders of them.")]
ModelsOption = Annotated[
    list[str],
    typer.Option(
        "--model",
        "-m",
        help="Names of models, separated by commas, or all. NAME@untrained:SEED is the twin of a model: the "
        "same network with random weights. NAME@untrained:0-9 is ten twins.",
    ),
]
TasksOption = Annotated[
    list[str] | None,
    typer.Option(
        "--task",
        "-t",
        help="Names of tasks or bindings, separated by commas, or all. Default with --target: all.",
    ),
]
TargetOption = Annotated[
    str | None,
    typer.Option("--target", help="Only bindings with this target, the data that models are compared with."),
]
RunSuiteOption = Annotated[
    str | None,
    typer.Option(
        "--suite",
        help="Name of the suite, a set of bindings. Default: mini; with --target the suite that has it.",
    ),
]
LayersOption = Annotated[
    list[str] | None,
    typer.Option(
        "--layers",
        help="Layers to score: all, default (the layers of the registry entry), names, or /regex/ that "
        "matches names. Separated by commas.",
    ),
]
ProcessesOption = Annotated[
    int,
    typer.Option(
        "--jobs",
        min=1,
        help="Number of processes. Each takes the cells of one model; one with nothing left helps another.",
    ),
]
BackendOption = Annotated[
    Backend,
    typer.Option("--backend", help="Processes of this machine (loky), or the workers of a dask cluster."),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        help="With --backend dask: address of the scheduler (tcp://HOST:PORT). Default: start a cluster with "
        "--jobs workers on this machine.",
    ),
]
ShardOption = Annotated[
    str | None,
    typer.Option(
        "--shard", help="Score one part of the cells: 2/5 is the second of five. Together they are the run."
    ),
]
TimeLimitOption = Annotated[
    float | None,
    typer.Option(
        "--time-limit",
        min=1,
        help="Most seconds for a cell, with what it loads. One that takes longer is failed.",
    ),
]
DeterministicOption = Annotated[
    bool,
    typer.Option(
        "--deterministic",
        help="Let networks use only operations that give the same bits each time, or fail.",
    ),
]
ResultFormatOption = Annotated[
    ResultFormat, typer.Option("--format", help="Print the results as a table or as one JSON list.")
]
DryRunOption = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Score nothing. Show which cells are missing, and what their features and tasks cost.",
    ),
]
StrictOption = Annotated[
    bool,
    typer.Option(
        "--strict", help="With --task all: exit status 1 also if a cell is not possible for a model."
    ),
]
TaskArgument = Annotated[str, typer.Argument(help="Name of a task or a binding, or all.")]
SameLayersOption = Annotated[
    list[str] | None, typer.Option("--layers", help="The --layers that the command bench run was given.")
]
CalibratedTasksOption = Annotated[
    list[str] | None,
    typer.Option("--task", "-t", help="Names of tasks or bindings, separated by commas. Default: all."),
]
PowerSuiteOption = Annotated[
    str,
    typer.Option("--suite", help="Suite whose stimuli and people the simulations of the power imitate."),
]
CoresOption = Annotated[
    int | None, typer.Option("--jobs", min=1, help="Number of processes. Default: one for each core.")
]
ReproducedArgument = Annotated[
    Path, typer.Argument(metavar="RESULT", help="Result file, SUITE/BINDING/MODEL.json.")
]
RequirementsOption = Annotated[
    bool,
    typer.Option("--requirements", help="Run nothing: print the versions of the result as pip reads them."),
]

# ---- bench add, bench check-model

SpecArgument = Annotated[
    str,
    typer.Argument(
        metavar="SPEC",
        help="Where the model comes from: timm:NAME.TAG, torchvision:NAME.WEIGHTS, open_clip:NAME/TAG, "
        "taskonomy:TASK, hf-hub:timm/NAME.TAG, path/to/plugin.py:Class or features:FILE.",
    ),
]
WrittenRegistryOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--registry",
        help="Registry file to write to. It is created if it is missing. Of several, the first is used. "
        "Default: mine.yaml.",
    ),
]
EntryNameOption = Annotated[
    str | None,
    typer.Option("--name", help="Name of the model in the registry file. Default: made from SPEC."),
]
WeightsOption = Annotated[
    Path | None,
    typer.Option(
        "--weights",
        help="File with your own weights, for an architecture (timm:NAME, torchvision:NAME, open_clip:NAME) "
        "or a plug-in.",
    ),
]
PreprocessOption = Annotated[
    str | None,
    typer.Option(
        "--preprocess",
        help="What the weights of the file were trained with: the name of the library's weights with the "
        "same preprocessing, or '{resize: 256, crop: 224, mean: [...], std: [...]}'. Default: you are asked.",
    ),
]
IdsOption = Annotated[
    Path | None,
    typer.Option("--ids", help="File with the ids of the rows of features:FILE.npy, one a line or a table."),
]
ReplaceOption = Annotated[
    bool,
    typer.Option(
        "--replace",
        help="Replace what the entry of this name says of its weights, layers and size; the rest stays.",
    ),
]
PartOption = Annotated[
    str | None,
    typer.Option(
        "--part",
        help="Where the weights are in the file, such as state_dict_ema. Needed if they are at several "
        "places.",
    ),
]
CheckedSuiteOption = Annotated[
    str | None,
    typer.Option(
        "--suite",
        help="Suite whose version of the model is checked. Default: the first suite that the model takes "
        "part in.",
    ),
]

# ---- bench new

PluginKindArgument = Annotated[PluginKind, typer.Argument(help="What to write.")]
PluginNameArgument = Annotated[
    str, typer.Argument(help="Name of the plug-in: small letters, digits and _, for example my_model.")
]
PluginFolderOption = Annotated[Path, typer.Option("--folder", help="Folder that the files are written to.")]

# ---- bench export rdm

ExportedModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        help="Name of a model. NAME@untrained:SEED is its twin, the same network with random weights.",
    ),
]
ExportedLayersOption = Annotated[
    list[str],
    typer.Option(
        "--layer",
        "-l",
        help="Layers to write: all, default, names, or /regex/ that matches names. Separated by commas.",
    ),
]
StimuliOption = Annotated[
    str, typer.Option("--stimuli", help="Name of a stimulus set, or a folder of images.")
]
RDMFormatOption = Annotated[RDMFormat, typer.Option("--format", help="Format of the file.")]
RowUnitOption = Annotated[
    RowUnit,
    typer.Option("--by", help="One row for each stimulus, or for each concept (the mean of its images)."),
]
DissimilarityOption = Annotated[
    Dissimilarity, typer.Option("--metric", help="Distance between the features of two rows.")
]
RuleOption = Annotated[
    RuleName | None,
    typer.Option(
        "--rule",
        help="How association profiles, the layer output of an association network, are compared. Default: "
        "hellinger, the square roots of the strengths.",
    ),
]
RuleNormsOption = Annotated[
    str | None, typer.Option("--norms", help="Association norms of the registry, for --rule ppmi and spread.")
]
DecayOption = Annotated[
    float | None, typer.Option("--decay", help="Weight of each further step of --rule spread. Default: 0.5.")
]
RDMFileOption = Annotated[
    Path | None,
    typer.Option("--output", help="File to write. Default: STIMULI.LAYER in a folder named for the model."),
]
FeatureFormatOption = Annotated[FeatureFormat, typer.Option("--format", help="Format of the file.")]
FeatureFileOption = Annotated[
    Path | None,
    typer.Option(
        "--output", help="File to write. Default: features.STIMULI.LAYER in a folder named for the model."
    ),
]
ExportedTargetOption = Annotated[
    str | None,
    typer.Option(
        "--target",
        help="A target of RDMs to write too, with --by concept: both have the concepts that they share.",
    ),
]
TargetKeyOption = Annotated[
    str | None,
    typer.Option(
        "--on",
        help="Key of the stimuli to join the target on: word, things or swow. Default: the concept id.",
    ),
]

# ---- bench cache rm

CachedModelOption = Annotated[
    str | None, typer.Option("--model", "-m", help="Remove only features of this model.")
]
CachedStimuliOption = Annotated[
    str | None, typer.Option("--stimuli", help="Remove only features of these stimuli.")
]
AgeOption = Annotated[
    str | None, typer.Option("--older-than", help="Remove only what is older, for example 12h, 30d or 4w.")
]
LeftoversOption = Annotated[
    bool, typer.Option("--leftovers", help="Remove only damaged files and half-written files.")
]
EverythingOption = Annotated[bool, typer.Option("--all", help="Remove everything in the cache.")]

# ---- bench leaderboard build

LeaderboardPageOption = Annotated[
    Path | None,
    typer.Option(
        "--page", help="HTML file to write. Default: leaderboard.html in the folder of the results."
    ),
]
LeaderboardFormatOption = Annotated[
    list[LeaderboardFormat] | None,
    typer.Option(
        "--format",
        help="What is written: html, the page; csv, json, md or tex (LaTeX with booktabs), its numbers. "
        "Repeatable. Default: html, csv and md.",
    ),
]
PortOption = Annotated[
    int, typer.Option("--port", min=0, max=65535, help="Port of the server; 0: any that is free.")
]

# ---- bench association map

NormsOption = Annotated[
    Path | None,
    typer.Option("--norms", help="File of association norms. Default: Small World of Words, from the data."),
]
MapFormatOption = Annotated[
    MapFormat, typer.Option("--format", help="Print a summary, or CSV with one row for each class.")
]
