"""The commands of two words, such as ``bench cache ls``. Nothing heavy is imported at the top."""

from __future__ import annotations

from pathlib import Path

import typer

from benchmark.cli import options as opt
from benchmark.cli import training_options as training_opt
from benchmark.cli.arguments import association_rule, device_name, load, run_options, split
from benchmark.cli.choices import (
    Device,
    Dissimilarity,
    FeatureFormat,
    LossName,
    MapFormat,
    PrecisionName,
    RDMFormat,
    RowUnit,
)
from benchmark.cli.commands import Commands

results = typer.Typer(cls=Commands, help="Check files of results.", no_args_is_help=True)
leaderboard = typer.Typer(
    cls=Commands, help="Build the leaderboard, or show it in a browser.", no_args_is_help=True
)
training = typer.Typer(
    cls=Commands, help="Train a network on association norms of people.", no_args_is_help=True
)
export = typer.Typer(cls=Commands, help="Write files for other programs.", no_args_is_help=True)
association = typer.Typer(
    cls=Commands, help="Show how association norms fit the classes of images.", no_args_is_help=True
)
cache = typer.Typer(
    cls=Commands,
    help="List, remove or verify the cache: features and weights that can be made or fetched again.",
    no_args_is_help=True,
)


@export.command("rdm")
def export_rdm(
    model: opt.ExportedModelOption,
    layer: opt.ExportedLayersOption,
    stimuli: opt.StimuliOption,
    form: opt.RDMFormatOption = RDMFormat.npy,
    by: opt.RowUnitOption = RowUnit.stimulus,
    metric: opt.DissimilarityOption = Dissimilarity.correlation,
    rule: opt.RuleOption = None,
    norms: opt.RuleNormsOption = None,
    decay: opt.DecayOption = None,
    target: opt.ExportedTargetOption = None,
    on: opt.TargetKeyOption = None,
    output: opt.RDMFileOption = None,
    suite: opt.WeightsSuiteOption = "mini",
    data: opt.DataOption = None,
    registry: opt.RegistryOption = None,
    device: opt.DeviceOption = Device.auto,
) -> None:
    """Write layers of a network as model RDMs, for the analysis of fMRI, EEG or behaviour.

    An RDM (representational dissimilarity matrix) holds the distance between
    the features of each two stimuli, or of each two concepts. The layer
    "associations" of an association network holds the strengths of words.
    With --target the RDMs of people are written too, with the same rows.
    """
    from benchmark.cli.export import export_rdms
    from benchmark.runner.layers import split_layers

    options = run_options(registry, data, device)
    recipe = {"by": by.value, "metric": metric.value, "form": form.value}
    more = {"rule": association_rule(rule, norms, decay), "output": output, "target": target, "on": on}
    export_rdms(model, split_layers(layer), stimuli, suite, options, **recipe, **more)  # type: ignore[arg-type]


@export.command("features")
def export_features(
    model: opt.ExportedModelOption,
    layer: opt.ExportedLayersOption,
    stimuli: opt.StimuliOption,
    form: opt.FeatureFormatOption = FeatureFormat.npy,
    by: opt.RowUnitOption = RowUnit.stimulus,
    output: opt.FeatureFileOption = None,
    suite: opt.WeightsSuiteOption = "mini",
    data: opt.DataOption = None,
    registry: opt.RegistryOption = None,
    device: opt.DeviceOption = Device.auto,
) -> None:
    """Write the features of layers of a network, a row for each stimulus or concept.

    They are pooled as tasks see them. bench add features:FILE reads them again.
    """
    from benchmark.cli import export as exported
    from benchmark.runner.layers import split_layers

    exported.export_features(
        model,
        split_layers(layer),
        stimuli,
        suite,
        run_options(registry, data, device),
        by=by.value,
        form=form.value,
        output=output,
    )


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
    form: opt.LeaderboardFormatOption = None,
    registry: opt.RegistryOption = None,
) -> None:
    """Write all results as one self-contained HTML page, and the numbers as CSV and Markdown beside it.

    --format chooses what is written, also JSON, and LaTeX tables for a paper.

    A result that cannot be read, or with numbers that no run can give, is left
    out and named. Without any result the page says how to make the first.
    Exit status: 0 if the page was written.
    """
    from benchmark.cli.console import say
    from benchmark.leaderboard import build_page

    forms = [one.value for one in form or ()] or ["html", "csv", "md"]
    said = build_page(output, page or output / "leaderboard.html", load(registry), forms)
    say(*said.splitlines())


@leaderboard.command("serve")
def serve(
    output: opt.OutputOption = Path("results"),
    port: opt.PortOption = 8765,
    registry: opt.RegistryOption = None,
) -> None:
    """Show the page in a browser on this machine, built anew when results have changed.

    Only this machine can see it. Reload the page after a run. Ctrl-C ends it.
    """
    from benchmark.cli.serve import serve_page

    serve_page(output, port, load(registry))


@results.command("check")
def check(files: opt.ResultFilesArgument, registry: opt.RegistryOption = None) -> None:
    """Check results that somebody sends: their schema, checksum, place, and numbers that no run can give.

    A fault makes the exit status 1, and keeps the result off the leaderboard. A
    remark does not.
    """
    from benchmark.cli.results import check_results

    raise typer.Exit(check_results(files, load(registry)))


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
    images: training_opt.ImagesOption = None,
    norms: training_opt.TrainingNormsOption = None,
    output: training_opt.RunFolderOption = None,
    recommended: training_opt.RecommendedOption = False,
    start: training_opt.StartOption = "taskonomy:class_object",
    name: training_opt.TrainedNameOption = "swow_assoc_own",
    loss: training_opt.LossOption = LossName.bce,
    freeze: training_opt.FreezeOption = False,
    classes: training_opt.ClassesOption = False,
    size: training_opt.SizeOption = None,
    vocabulary: training_opt.VocabularyOption = 5000,
    per_cue: training_opt.PerCueOption = 200,
    test: training_opt.TestOption = 0.2,
    validation: training_opt.ValidationOption = 0.1,
    held_out: training_opt.HeldOutOption = 0.1,
    set_apart: training_opt.SetApartOption = None,
    sample_seed: training_opt.SampleSeedOption = 0,
    warmup_epochs: training_opt.WarmupOption = 10,
    epochs: training_opt.EpochsOption = 20,
    patience: training_opt.PatienceOption = 5,
    batch: training_opt.BatchOption = 64,
    accumulate: training_opt.AccumulateOption = 1,
    rate: training_opt.RateOption = 1e-4,
    head_rate: training_opt.HeadRateOption = 1e-3,
    weight_decay: training_opt.WeightDecayOption = 0.1,
    precision: training_opt.PrecisionOption = PrecisionName.no,
    seed: training_opt.TrainingSeedOption = 0,
    data: opt.DataOption = None,
    registry: opt.RegistryOption = None,
    device: opt.DeviceOption = Device.auto,
) -> None:
    """Train a network that gives the words an image brings to mind.

    Association norms hold the words (responses) that people said to a word
    (the cue). The class of an image decides its cue. The network has two parts:
    the encoder makes features from an image, and the head gives each response
    a strength.

    With --recommended everything but --data and --seed is chosen: the images
    and norms of the data root, and the training that did best. The suite human
    finds the network there as swow_assoc.

    To use several GPUs, write "accelerate launch -m benchmark" for "bench".
    """
    from benchmark.association.pipeline import TrainingPlan
    from benchmark.association.recipe import Recipe
    from benchmark.association.recommended import recommended_plan
    from benchmark.association.sampling import Shares
    from benchmark.cli.train import train
    from benchmark.common.errors import UsageError
    from benchmark.datasets import DataRoot

    if recommended:
        if images or norms or output:
            raise UsageError("--recommended takes images, norms and folder from --data: leave out the others")
        train(
            recommended_plan(DataRoot.find(data).path, seed), tuple(registry or ()), data, device_name(device)
        )
        return
    if not images or norms is None or output is None:
        raise UsageError(
            "--images, --norms and --output are needed; or --recommended with --data, the folder of the data"
        )
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
