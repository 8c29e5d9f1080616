"""The verbs of ``bench``. Nothing heavy is imported at the top: ``bench --help`` answers at once."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from benchmark import __version__
from benchmark.cli.new import Plugin
from benchmark.cli.options import (
    By,
    DataOption,
    Device,
    Dissimilarity,
    Format,
    Kind,
    Listing,
    LossName,
    OutputOption,
    PrecisionName,
    RDMFormat,
    RegistryOption,
    load,
    split,
    torch_device,
)
from benchmark.common.errors import BenchError

app = typer.Typer(
    name="bench",
    help="Does a model represent things the way people do? Score it, and see.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
leaderboard = typer.Typer(help="The leaderboard.", no_args_is_help=True)
app.add_typer(leaderboard, name="leaderboard")
training = typer.Typer(help="Train a network on human norms.", no_args_is_help=True)
app.add_typer(training, name="train")
export = typer.Typer(help="Files that other programs read.", no_args_is_help=True)
app.add_typer(export, name="export")
association = typer.Typer(help="Association norms and the classes of images.", no_args_is_help=True)
app.add_typer(association, name="association")
cache = typer.Typer(help="What can be made again: features, fetched weights.", no_args_is_help=True)
app.add_typer(cache, name="cache")


@app.callback(invoke_without_command=True)
def bench(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks; anywhere in a command.")] = False,
) -> None:
    """Score models of vision and language by how they compare with people."""
    del debug  # taken out of the arguments by main(), so that it may stand anywhere
    if version:
        typer.echo(f"bench {__version__}")
        raise typer.Exit


@app.command()
def run(
    model: Annotated[list[str], typer.Option("--model", "-m", help="Names, comma-separated, or all.")],
    task: Annotated[list[str], typer.Option("--task", "-t", help="Tasks or bindings, or all.")],
    suite: Annotated[str, typer.Option(help="Which set of comparisons.")] = "mini",
    layers: Annotated[
        list[str] | None,
        typer.Option("--layers", help="all, default (of the entry), names or /regex/, comma-separated."),
    ] = None,
    data: DataOption = None,
    output: OutputOption = Path("results"),
    registry: RegistryOption = None,
    device: Annotated[Device, typer.Option(help="Where networks run.")] = Device.auto,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Processes, a model each.")] = 1,
    form: Annotated[Format, typer.Option("--format", help="A table, or one JSON list.")] = Format.table,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say which cells are missing, and what features will cost.")
    ] = False,
) -> None:
    """Score models on tasks. A cell that is already scored, and of which nothing changed, is not redone.

    Exit status: 0 all cells scored; 1 some cell failed or was not possible; 2 unusable arguments or registry.
    """
    from benchmark.cli.run import run_cells, show_plan
    from benchmark.runner import Options
    from benchmark.runner.layers import split_layers

    options = Options(
        registries=tuple(registry or ()),
        data=data,
        output=output,
        layers=split_layers(layers or ()),
        device=torch_device(device),
        seed=seed,
    )
    if dry_run:
        raise typer.Exit(show_plan(split(model), split(task), suite, options))
    raise typer.Exit(run_cells(split(model), split(task), suite, options, jobs, form.value))


@app.command()
def calibrate(
    task: Annotated[list[str] | None, typer.Option("--task", "-t", help="Tasks or bindings; all.")] = None,
    suite: Annotated[str, typer.Option(help="Whose stimuli and subjects the power is of.")] = "mini",
    data: DataOption = None,
    output: OutputOption = Path("results"),
    registry: RegistryOption = None,
    device: Annotated[Device, typer.Option(help="Where networks run.")] = Device.auto,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; default: one a core.")] = None,
) -> None:
    """Hold tasks to data with known answers; find what difference each can tell apart, and which model wins.

    Exit status: 0 every control found what was expected; 1 some did not; 2 unusable arguments or registry.
    """
    import os

    from benchmark.cli.calibrate import run_calibration
    from benchmark.runner import Options

    options = Options(
        registries=tuple(registry or ()), data=data, output=output, device=torch_device(device), seed=seed
    )
    raise typer.Exit(run_calibration(split(task) or ["all"], suite, options, jobs or os.cpu_count() or 1))


@app.command("list")
def list_(
    kind: Annotated[Kind, typer.Argument(help="What to list.")], registry: RegistryOption = None
) -> None:
    """List what the registry holds."""
    from benchmark.cli.show import show_list

    show_list(load(registry), kind.value)


@app.command()
def info(
    name: Annotated[str, typer.Argument(help="A model, task, dataset or suite.")],
    registry: RegistryOption = None,
) -> None:
    """Say everything the registry knows about a model, task, dataset or suite."""
    from benchmark.cli.show import show_info

    show_info(load(registry), name)


@app.command()
def why(
    model: Annotated[str, typer.Argument(help="A model, NAME or NAME@untrained:SEED.")],
    task: Annotated[str, typer.Argument(help="A task or a binding, or all.")],
    suite: Annotated[str, typer.Option(help="Of which set of comparisons.")] = "mini",
    layers: Annotated[list[str] | None, typer.Option("--layers", help="As bench run was asked.")] = None,
    data: DataOption = None,
    output: OutputOption = Path("results"),
    registry: RegistryOption = None,
    device: Annotated[Device, typer.Option(help="Where the network would run.")] = Device.auto,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
) -> None:
    """Say whether stored results are current, and if not, which part of their key changed: old -> new.

    Exit status: 0 all are current; 1 some is not; 2 unusable arguments or registry.
    """
    from benchmark.cli.why import show_why
    from benchmark.runner import Options
    from benchmark.runner.layers import split_layers

    options = Options(
        registries=tuple(registry or ()),
        data=data,
        output=output,
        layers=split_layers(layers or ()),
        device=torch_device(device),
        seed=seed,
    )
    raise typer.Exit(show_why(model, task, suite, options))


@app.command()
def add(
    model: Annotated[
        str,
        typer.Argument(
            metavar="SPEC",
            help="timm:NAME.TAG, torchvision:NAME.WEIGHTS, open_clip:NAME/TAG, taskonomy:TASK, "
            "hf-hub:timm/NAME.TAG, path/to/plugin.py:Class or features:FILE.",
        ),
    ],
    registry: Annotated[
        list[Path] | None,
        typer.Option("--registry", help="The file to write to, first; made if it is not there. [mine.yaml]"),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="In the registry.")] = None,
    weights: Annotated[Path | None, typer.Option("--weights", help="File of a plug-in's weights.")] = None,
) -> None:
    """Write the registry entry of a model: preprocessing, layers, size, licence, hash of the weights."""
    from benchmark.cli.add import add_model

    add_model(model, registry or [Path("mine.yaml")], name, weights)


@app.command()
def new(
    kind: Annotated[Plugin, typer.Argument(help="What to begin.")],
    name: Annotated[str, typer.Argument(help="Small letters, digits and _: my_model.")],
    folder: Annotated[Path, typer.Option("--folder", help="Where the files go.")] = Path(),
) -> None:
    """Write a plug-in that works, its registry entry and its test, to be edited; no file is overwritten."""
    from benchmark.cli.new import make_new

    make_new(kind.value, name, folder)


@app.command("check-model")
def check_model(
    name: Annotated[str, typer.Argument(help="A model, NAME or NAME@untrained:SEED.")],
    suite: Annotated[str | None, typer.Option(help="Whose variant; default: its first suite.")] = None,
    data: DataOption = None,
    registry: RegistryOption = None,
    device: Annotated[Device, typer.Option(help="Where the network runs.")] = Device.auto,
) -> None:
    """Look for the usual faults of a model before anyone believes its scores.

    Exit status: 0 no fault found; 1 some check failed; 2 unusable arguments, registry or weights.
    """
    from benchmark.cli.check_model import show_checks
    from benchmark.runner import Options

    options = Options(registries=tuple(registry or ()), data=data, device=torch_device(device))
    raise typer.Exit(show_checks(name, suite, options))


@app.command()
def associate(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO...", help="Image files.")],
    model: Annotated[str, typer.Option("--model", "-m", help="One with an association head.")] = "swow_assoc",
    k: Annotated[int, typer.Option("-k", min=1, help="Associates to show of each photo.")] = 20,
    plot: Annotated[Path | None, typer.Option(help="Draw them as well: .png, .pdf or .svg.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the interactive profile as well.")] = None,
    suite: Annotated[str, typer.Option(help="Whose weights: mini or human.")] = "mini",
    data: DataOption = None,
    registry: RegistryOption = None,
    device: Annotated[Device, typer.Option(help="Where networks run.")] = Device.auto,
) -> None:
    """Say what words photos bring to mind, the strongest associates first.

    Exit status: 0 all photos have associates; 1 some photo has none; 2 unusable arguments or registry.
    """
    from benchmark.cli.associate import associate_photos
    from benchmark.runner import Options

    options = Options(registries=tuple(registry or ()), data=data, device=torch_device(device))
    raise typer.Exit(associate_photos(photos, model, suite, options, k=k, plot=plot, html=html))


@export.command("rdm")
def export_rdm(
    model: Annotated[str, typer.Option("--model", "-m", help="A model, NAME or NAME@untrained:SEED.")],
    layer: Annotated[
        list[str], typer.Option("--layer", "-l", help="all, default, names or /regex/, comma-separated.")
    ],
    stimuli: Annotated[str, typer.Option(help="A stimulus set by name, or a folder of images.")],
    form: Annotated[RDMFormat, typer.Option("--format", help="Of the file.")] = RDMFormat.npy,
    by: Annotated[
        By, typer.Option(help="A row an image, or a concept: the mean of its images.")
    ] = By.stimulus,
    metric: Annotated[Dissimilarity, typer.Option(help="Dissimilarity.")] = Dissimilarity.correlation,
    output: Annotated[
        Path | None, typer.Option("--output", help="The file; default: MODEL.STIMULI.LAYER here.")
    ] = None,
    suite: Annotated[str, typer.Option(help="Whose weights: mini or human.")] = "mini",
    data: DataOption = None,
    registry: RegistryOption = None,
    device: Annotated[Device, typer.Option(help="Where networks run.")] = Device.auto,
) -> None:
    """Write layers of a network as model RDMs, for the analysis of fMRI, EEG or behaviour."""
    from benchmark.cli.export import export_rdms
    from benchmark.runner import Options
    from benchmark.runner.layers import split_layers

    options = Options(registries=tuple(registry or ()), data=data, device=torch_device(device))
    named = {"by": by.value, "metric": metric.value, "form": form.value}
    export_rdms(model, split_layers(layer), stimuli, suite, options, output=output, **named)


@cache.command("ls")
def cache_ls() -> None:
    """List what is kept: of which model and stimuli, how many layers, size, age."""
    from benchmark.cli.cache import list_cache

    list_cache()


@cache.command("rm")
def cache_rm(
    model: Annotated[str | None, typer.Option("--model", "-m", help="Features of this model.")] = None,
    stimuli: Annotated[str | None, typer.Option(help="Features for these stimuli.")] = None,
    older_than: Annotated[str | None, typer.Option(help="What is older: 12h, 30d, 4w.")] = None,
    leftovers: Annotated[bool, typer.Option("--leftovers", help="Damaged and half-written files.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Everything.")] = False,
) -> None:
    """Remove what all of the options given are true of, and say what was freed; results stay."""
    from benchmark.cli.cache import remove_from_cache

    remove_from_cache(model, stimuli, older_than, leftovers, everything)


@cache.command("verify")
def cache_verify() -> None:
    """Read everything that has a checksum; what differs is put aside, and the exit status is 1."""
    from benchmark.cli.cache import verify_cache

    raise typer.Exit(verify_cache())


@leaderboard.command("build")
def build(
    output: OutputOption = Path("results"),
    page: Annotated[
        Path | None, typer.Option("--page", help="The page to write; default: leaderboard.html there.")
    ] = None,
    registry: RegistryOption = None,
) -> None:
    """Make one self-contained HTML page from the result files; the numbers as CSV and Markdown beside it."""
    from benchmark.leaderboard import build_page

    typer.echo(build_page(output, page or output / "leaderboard.html", load(registry)))


@association.command("map")
def association_map(
    norms: Annotated[
        Path | None, typer.Option("--norms", help="Association norms; default: Small World of Words.")
    ] = None,
    data: DataOption = None,
    form: Annotated[Listing, typer.Option("--format", help="A summary, or a row a class.")] = Listing.table,
) -> None:
    """Say which cue of association norms stands for each class of ImageNet, and how it was found."""
    from benchmark.cli.association import show_map

    show_map(norms, data, form.value)


@training.command("swow_assoc")
def train_swow_assoc(
    images: Annotated[
        list[Path],
        typer.Option("--images", help="A folder of folders, a class each, or of one image a class."),
    ],
    norms: Annotated[Path, typer.Option("--norms", help="Association norms, as strength.SWOW-EN.R1.csv.")],
    output: Annotated[Path, typer.Option("--output", help="Folder of the run; a stopped run goes on.")],
    start: Annotated[
        str,
        typer.Option(
            "--from", help="MODEL, taskonomy:…, timm:…, torchvision:…, with @untrained:SEED; a file."
        ),
    ] = "taskonomy:class_object",
    name: Annotated[str, typer.Option("--name", help="In the registry file.")] = "swow_assoc_own",
    loss: Annotated[LossName, typer.Option(help="What is minimised.")] = LossName.bce,
    freeze: Annotated[bool, typer.Option("--freeze", help="Train the head alone.")] = False,
    classes: Annotated[bool, typer.Option("--classes", help="Begin with the ImageNet classes seen.")] = False,
    size: Annotated[int | None, typer.Option(min=16, help="Pixels; default: the encoder's own.")] = None,
    vocabulary: Annotated[int, typer.Option(min=1, help="Responses at most.")] = 5000,
    per_cue: Annotated[int, typer.Option(min=1, help="Images of a cue at most.")] = 200,
    test: Annotated[float, typer.Option(min=0, max=0.9, help="Share of images held out.")] = 0.2,
    validation: Annotated[float, typer.Option(min=0, max=0.9, help="Share that stops training.")] = 0.1,
    held_out: Annotated[float, typer.Option(min=0, max=0.9, help="Share of cues held out.")] = 0.1,
    set_apart: Annotated[list[str] | None, typer.Option(help="Images, CLASS/FILE, never trained on.")] = None,
    sample_seed: Annotated[int, typer.Option(min=0, help="Of what is held out.")] = 0,
    warmup_epochs: Annotated[int, typer.Option(min=0, help="Of the head alone.")] = 10,
    epochs: Annotated[int, typer.Option(min=0, help="Of the whole network, at most.")] = 20,
    patience: Annotated[int, typer.Option(min=1, help="Epochs without progress.")] = 5,
    batch: Annotated[int, typer.Option(min=1, help="Images a step.")] = 64,
    accumulate: Annotated[int, typer.Option(min=1, help="Parts a step is passed in.")] = 1,
    rate: Annotated[float, typer.Option(min=0, help="Learning rate of the network.")] = 1e-4,
    head_rate: Annotated[float, typer.Option(min=0, help="Of the head's warm-up.")] = 1e-3,
    weight_decay: Annotated[float, typer.Option(min=0, help="AdamW's.")] = 0.1,
    precision: Annotated[PrecisionName, typer.Option(help="Mixed precision.")] = PrecisionName.no,
    seed: Annotated[int, typer.Option(min=0, help="Of order, augmentation and head.")] = 0,
    data: DataOption = None,
    registry: RegistryOption = None,
    device: Annotated[Device, typer.Option(help="Where the network is trained.")] = Device.auto,
) -> None:
    """Train a network that gives the words an image evokes; several GPUs: accelerate launch -m benchmark."""
    from benchmark.association.pipeline import Plan
    from benchmark.association.recipe import Recipe
    from benchmark.association.sampling import Shares
    from benchmark.cli.train import train

    recipe = Recipe(
        loss=loss.value,
        vocabulary=vocabulary,
        freeze=freeze,
        warmup_epochs=warmup_epochs,
        epochs=epochs,
        batch=batch,
        accumulate=accumulate,
        rate=rate,
        head_rate=head_rate,
        weight_decay=weight_decay,
        patience=patience,
        precision=precision.value,
        seed=seed,
    )
    shares = Shares(per_cue, test, validation, held_out, tuple(split(set_apart)), sample_seed)
    plan = Plan(tuple(images), norms, start, output, shares, recipe, classes, size, name)
    train(plan, tuple(registry or ()), data, torch_device(device))


def main() -> None:
    """Run ``bench``; a user's error is one line and exit status 2."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logging.getLogger("benchmark").setLevel(logging.DEBUG if debug else logging.WARNING)
    try:
        app(args=[a for a in arguments if a != "--debug"])
    except BenchError as error:
        if debug:
            raise
        typer.echo(f"error: {' '.join(str(error).split())}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        typer.echo(
            "stopped; the cells that were finished are kept, the same command goes on from there", err=True
        )
        sys.exit(130)
