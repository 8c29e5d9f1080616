"""The commands of ``bench``. Nothing heavy is imported at the top: ``bench --help`` must answer at once.

``bench --help`` shows the docstring of a command with its own line breaks, so the lines are short.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import typer

from benchmark import __version__
from benchmark.cli import options as opt
from benchmark.cli.arguments import device_name, load, run_options, split
from benchmark.cli.choices import (
    Device,
    Dissimilarity,
    LossName,
    MapFormat,
    PrecisionName,
    RDMFormat,
    ResultFormat,
    RowUnit,
)
from benchmark.common.errors import BenchError

app = typer.Typer(name="bench", no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
leaderboard = typer.Typer(help="Build the leaderboard.", no_args_is_help=True)
app.add_typer(leaderboard, name="leaderboard")
training = typer.Typer(help="Train a network on association norms of people.", no_args_is_help=True)
app.add_typer(training, name="train")
export = typer.Typer(help="Write files for other programs.", no_args_is_help=True)
app.add_typer(export, name="export")
association = typer.Typer(help="Show how association norms fit the classes of images.", no_args_is_help=True)
app.add_typer(association, name="association")
cache = typer.Typer(
    help="List, remove or verify the cache: features and weights that can be made or fetched again.",
    no_args_is_help=True,
)
app.add_typer(cache, name="cache")


@app.callback(invoke_without_command=True)
def bench(version: opt.VersionOption = False, debug: opt.DebugOption = False) -> None:
    """Score vision models, to see whether they represent things as people do.

    A binding is a task with its stimuli, its target (what models are compared
    with) and its parameters. A suite is a named set of bindings. A cell is one
    model scored on one binding. The twin of a model is the same network with
    random weights; its name is NAME@untrained:SEED.
    """
    del debug  # main() takes it out of the arguments, so that it is allowed at any place
    if version:
        typer.echo(f"bench {__version__}")
        raise typer.Exit


@app.command()
def run(
    model: opt.ModelsOption,
    task: opt.TasksOption,
    suite: opt.SuiteOption = "mini",
    layers: opt.LayersOption = None,
    data: opt.DataOption = None,
    output: opt.OutputOption = Path("results"),
    registry: opt.RegistryOption = None,
    device: opt.DeviceOption = Device.auto,
    seed: opt.SeedOption = 0,
    jobs: opt.ProcessesOption = 1,
    form: opt.ResultFormatOption = ResultFormat.table,
    dry_run: opt.DryRunOption = False,
) -> None:
    """Score models on tasks.

    A binding is a task with its stimuli, its target and its parameters. A cell
    is one model scored on one binding. If the result of a cell is stored and
    nothing that decides it has changed, the cell is not computed again.

    Exit status: 0 if all cells are scored; 1 if a cell failed or was not
    possible; 2 if an argument or a registry cannot be used.
    """
    from benchmark.cli.run import run_cells, show_plan

    options = run_options(registry, data, device, output=output, layers=layers, seed=seed)
    if dry_run:
        raise typer.Exit(show_plan(split(model), split(task), suite, options))
    raise typer.Exit(run_cells(split(model), split(task), suite, options, jobs, form.value))


@app.command()
def calibrate(
    task: opt.CalibratedTasksOption = None,
    suite: opt.PowerSuiteOption = "mini",
    data: opt.DataOption = None,
    output: opt.OutputOption = Path("results"),
    registry: opt.RegistryOption = None,
    device: opt.DeviceOption = Device.auto,
    seed: opt.SeedOption = 0,
    jobs: opt.CoresOption = None,
) -> None:
    """Test tasks on data with known answers; measure their power and their model recovery.

    The power of a task is the smallest difference between two models that it
    detects. Model recovery asks: if people are simulated from one of the
    models, does this model get the best score?

    Exit status: 0 if every control gave the expected answer; 1 if one did not;
    2 if an argument or a registry cannot be used.
    """
    import os

    from benchmark.cli.calibrate import run_calibration

    options = run_options(registry, data, device, output=output, seed=seed)
    raise typer.Exit(run_calibration(split(task) or ["all"], suite, options, jobs or os.cpu_count() or 1))


@app.command("list")
def list_(kind: opt.EntryKindArgument, registry: opt.RegistryOption = None) -> None:
    """List the models, tasks, datasets or suites of the registry."""
    from benchmark.cli.show import show_list

    show_list(load(registry), kind.value)


@app.command()
def info(name: opt.EntryNameArgument, registry: opt.RegistryOption = None) -> None:
    """Show everything the registry knows about a model, task, dataset or suite."""
    from benchmark.cli.show import show_info

    show_info(load(registry), name)


@app.command()
def why(
    model: opt.ModelArgument,
    task: opt.TaskArgument,
    suite: opt.SuiteOption = "mini",
    layers: opt.SameLayersOption = None,
    data: opt.DataOption = None,
    output: opt.OutputOption = Path("results"),
    registry: opt.RegistryOption = None,
    device: opt.DeviceOption = Device.auto,
    seed: opt.SeedOption = 0,
) -> None:
    """Show whether stored results are current, and if not, what has changed.

    The key of a result holds everything that can change its score. For each
    part of the key that has changed, the old and the new value are shown:
    old -> new.

    Exit status: 0 if all results are current; 1 if one is not; 2 if an argument
    or a registry cannot be used.
    """
    from benchmark.cli.why import show_why

    options = run_options(registry, data, device, output=output, layers=layers, seed=seed)
    raise typer.Exit(show_why(model, task, suite, options))


@app.command()
def add(
    model: opt.SpecArgument,
    registry: opt.WrittenRegistryOption = None,
    name: opt.EntryNameOption = None,
    weights: opt.WeightsOption = None,
) -> None:
    """Write the registry entry of a model: preprocessing, layers, size, licence, hash of the weights."""
    from benchmark.cli.add import add_model

    add_model(model, registry or [Path("mine.yaml")], name, weights)


@app.command()
def new(
    kind: opt.PluginKindArgument, name: opt.PluginNameArgument, folder: opt.PluginFolderOption = Path()
) -> None:
    """Write a working plug-in, its registry entry and its test, as a start for your own.

    No file is overwritten.
    """
    from benchmark.cli.new import make_new

    make_new(kind.value, name, folder)


@app.command("check-model")
def check_model(
    name: opt.ModelArgument,
    suite: opt.CheckedSuiteOption = None,
    data: opt.DataOption = None,
    registry: opt.RegistryOption = None,
    device: opt.DeviceOption = Device.auto,
) -> None:
    """Check a model for the usual faults, before anyone believes its scores.

    Exit status: 0 if no fault was found; 1 if a check failed; 2 if an argument,
    a registry or the weights cannot be used.
    """
    from benchmark.cli.check_model import show_checks

    raise typer.Exit(show_checks(name, suite, run_options(registry, data, device)))


@app.command()
def associate(
    photos: opt.PhotosArgument,
    model: opt.HeadModelOption = "swow_assoc",
    k: opt.CountOption = 20,
    plot: opt.PlotOption = None,
    html: opt.PageOption = None,
    suite: opt.WeightsSuiteOption = "mini",
    data: opt.DataOption = None,
    registry: opt.RegistryOption = None,
    device: opt.DeviceOption = Device.auto,
) -> None:
    """Show which words photos bring to mind, the strongest first.

    The model needs an association head: a last layer that gives a strength to
    each word of a vocabulary.

    Exit status: 0 if all photos have words; 1 if a photo has none; 2 if an
    argument or a registry cannot be used.
    """
    from benchmark.cli.associate import associate_photos

    options = run_options(registry, data, device)
    raise typer.Exit(associate_photos(photos, model, suite, options, k=k, plot=plot, html=html))


@export.command("rdm")
def export_rdm(
    model: opt.ExportedModelOption,
    layer: opt.ExportedLayersOption,
    stimuli: opt.StimuliOption,
    form: opt.RDMFormatOption = RDMFormat.npy,
    by: opt.RowUnitOption = RowUnit.stimulus,
    metric: opt.DissimilarityOption = Dissimilarity.correlation,
    output: opt.RDMFileOption = None,
    suite: opt.WeightsSuiteOption = "mini",
    data: opt.DataOption = None,
    registry: opt.RegistryOption = None,
    device: opt.DeviceOption = Device.auto,
) -> None:
    """Write layers of a network as model RDMs, for the analysis of fMRI, EEG or behaviour.

    An RDM (representational dissimilarity matrix) holds the distance between
    the features of each two stimuli, or of each two concepts.
    """
    from benchmark.cli.export import export_rdms
    from benchmark.runner.layers import split_layers

    options = run_options(registry, data, device)
    recipe = {"by": by.value, "metric": metric.value, "form": form.value}
    export_rdms(model, split_layers(layer), stimuli, suite, options, output=output, **recipe)


@cache.command("ls")
def cache_ls() -> None:
    """List what is in the cache: model, stimuli, number of layers, size and age."""
    from benchmark.cli.cache import list_cache

    list_cache()


@cache.command("rm")
def cache_rm(
    model: opt.CachedModelOption = None,
    stimuli: opt.CachedStimuliOption = None,
    older_than: opt.AgeOption = None,
    leftovers: opt.LeftoversOption = False,
    everything: opt.EverythingOption = False,
) -> None:
    """Remove from the cache what fits all of the given options, and print the space that this frees.

    Results are not in the cache. They are never removed.
    """
    from benchmark.cli.cache import remove_from_cache

    remove_from_cache(model, stimuli, older_than, leftovers, everything)


@cache.command("verify")
def cache_verify() -> None:
    """Compare every cached file with its checksum, if it has one.

    A damaged file is put aside: its name gets the ending .damaged, and it is
    not read again.

    Exit status: 0 if no file is damaged; 1 if one is.
    """
    from benchmark.cli.cache import verify_cache

    raise typer.Exit(verify_cache())


@leaderboard.command("build")
def build(
    output: opt.OutputOption = Path("results"),
    page: opt.LeaderboardPageOption = None,
    registry: opt.RegistryOption = None,
) -> None:
    """Write all results as one self-contained HTML page, and the numbers as CSV and Markdown beside it."""
    from benchmark.leaderboard import build_page

    typer.echo(build_page(output, page or output / "leaderboard.html", load(registry)))


@association.command("map")
def association_map(
    norms: opt.NormsOption = None,
    data: opt.DataOption = None,
    form: opt.MapFormatOption = MapFormat.table,
) -> None:
    """Show which cue of association norms stands for each ImageNet class, and how it was found.

    A cue is a word that people were given. The responses are the words that
    they said to it.
    """
    from benchmark.cli.association import show_map

    show_map(norms, data, form.value)


@training.command("swow_assoc")
def train_swow_assoc(
    images: opt.ImagesOption,
    norms: opt.TrainingNormsOption,
    output: opt.RunFolderOption,
    start: opt.StartOption = "taskonomy:class_object",
    name: opt.TrainedNameOption = "swow_assoc_own",
    loss: opt.LossOption = LossName.bce,
    freeze: opt.FreezeOption = False,
    classes: opt.ClassesOption = False,
    size: opt.SizeOption = None,
    vocabulary: opt.VocabularyOption = 5000,
    per_cue: opt.PerCueOption = 200,
    test: opt.TestOption = 0.2,
    validation: opt.ValidationOption = 0.1,
    held_out: opt.HeldOutOption = 0.1,
    set_apart: opt.SetApartOption = None,
    sample_seed: opt.SampleSeedOption = 0,
    warmup_epochs: opt.WarmupOption = 10,
    epochs: opt.EpochsOption = 20,
    patience: opt.PatienceOption = 5,
    batch: opt.BatchOption = 64,
    accumulate: opt.AccumulateOption = 1,
    rate: opt.RateOption = 1e-4,
    head_rate: opt.HeadRateOption = 1e-3,
    weight_decay: opt.WeightDecayOption = 0.1,
    precision: opt.PrecisionOption = PrecisionName.no,
    seed: opt.TrainingSeedOption = 0,
    data: opt.DataOption = None,
    registry: opt.RegistryOption = None,
    device: opt.DeviceOption = Device.auto,
) -> None:
    """Train a network that gives the words an image brings to mind.

    Association norms hold the words (responses) that people said to a word
    (the cue). The class of an image decides its cue. The network has two parts:
    the encoder makes features from an image, and the head gives each response
    a strength.

    To use several GPUs, write "accelerate launch -m benchmark" for "bench".
    """
    from benchmark.association.pipeline import TrainingPlan
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
    plan = TrainingPlan(tuple(images), norms, start, output, shares, recipe, classes, size, name)
    train(plan, tuple(registry or ()), data, device_name(device))


def main() -> None:
    """Run ``bench``. An error of the user is printed in one line, with exit status 2."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logging.getLogger("benchmark").setLevel(logging.DEBUG if debug else logging.WARNING)
    try:
        app(args=[argument for argument in arguments if argument != "--debug"])
    except BenchError as error:
        if debug:
            raise
        typer.echo(f"error: {' '.join(str(error).split())}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        typer.echo("stopped: finished cells are stored; the same command continues from there", err=True)
        sys.exit(130)
