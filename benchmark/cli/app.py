"""The commands of ``bench``. Nothing heavy is imported at the top: ``bench --help`` must answer at once.

``bench --help`` shows the docstring of a command with its own line breaks, so the lines are short.
"""

from __future__ import annotations

from pathlib import Path

import typer

from benchmark import __version__
from benchmark.cli import options as opt
from benchmark.cli.arguments import association_rule, cluster, load, part, run_options, split
from benchmark.cli.choices import (
    AssociatesFormat,
    Backend,
    Device,
    Dissimilarity,
    ResultFormat,
    SimilarityFormat,
)
from benchmark.cli.collection_commands import group as data_group
from benchmark.cli.commands import Commands
from benchmark.cli.groups import association, cache, export, leaderboard, training
from benchmark.cli.groups import results as results_group

app = typer.Typer(
    name="bench",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for name, group in (
    ("leaderboard", leaderboard),
    ("results", results_group),
    ("train", training),
    ("export", export),
    ("association", association),
    ("cache", cache),
    ("data", data_group),
):
    app.add_typer(group, name=name)


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
    task: opt.TasksOption = None,
    target: opt.TargetOption = None,
    suite: opt.RunSuiteOption = None,
    layers: opt.LayersOption = None,
    data: opt.DataOption = None,
    output: opt.OutputOption = Path("results"),
    registry: opt.RegistryOption = None,
    device: opt.DeviceOption = Device.auto,
    seed: opt.SeedOption = 0,
    jobs: opt.ProcessesOption = 1,
    backend: opt.BackendOption = Backend.loky,
    scheduler: opt.SchedulerOption = None,
    shard: opt.ShardOption = None,
    form: opt.ResultFormatOption = ResultFormat.table,
    dry_run: opt.DryRunOption = False,
    strict: opt.StrictOption = False,
) -> None:
    """Score models on tasks.

    A binding is a task with its stimuli, its target and its parameters. A cell
    is one model scored on one binding. If the result of a cell is stored and
    nothing that decides it has changed, the cell is not computed again.

    Exit status: 0 if all cells are scored; 1 if a cell failed or was not
    possible; 2 if an argument or a registry cannot be used. With --task all, a
    cell that is not possible does not count, if its model was scored in another
    cell; --strict counts it.
    """
    from benchmark.cli.run import Asked, run_cells, show_plan

    asked = Asked(split(model), split(task), suite, target, part(shard))
    options = run_options(registry, data, device, output=output, layers=layers, seed=seed)
    if dry_run:
        raise typer.Exit(show_plan(asked, options))
    where = cluster(backend, scheduler)
    raise typer.Exit(run_cells(asked, options, jobs, form.value, strict=strict, scheduler=where))


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


@app.command()
def robustness(
    binding: opt.BindingOption,
    model: opt.ModelsOption,
    suite: opt.SuiteOption = "mini",
    layers: opt.LayersOption = None,
    data: opt.DataOption = None,
    output: opt.OutputOption = Path("results"),
    registry: opt.RegistryOption = None,
    device: opt.DeviceOption = Device.auto,
    seed: opt.SeedOption = 0,
    pooling: opt.PoolingsOption = None,
    form: opt.ResultFormatOption = ResultFormat.table,
) -> None:
    """Score models under every recipe of an RDM, to see which conclusions hold.

    A recipe says what is done to each feature over the concepts (nothing,
    centred, divided by its standard deviation too) and which dissimilarity is
    taken (correlation, cosine, Euclidean). For every two models the answer says
    under how many of the eight recipes one is above the other. --pooling adds
    eight more for each way of pooling networks.

    Exit status: 0 if all models are scored under all recipes; 1 if one is not;
    2 if an argument or a registry cannot be used.
    """
    from benchmark.cli.robustness import show_robustness

    options = run_options(registry, data, device, output=output, layers=layers, seed=seed)
    poolings = [how.value for how in pooling or ()]
    raise typer.Exit(show_robustness(split(model), binding, suite, options, poolings, form.value))


@app.command()
def compare(
    models: opt.ComparedModelsArgument,
    suite: opt.SuiteOption = "mini",
    output: opt.OutputOption = Path("results"),
    form: opt.SimilarityFormatOption = SimilarityFormat.table,
) -> None:
    """Compare models on every binding on which they have a score.

    The results are read, nothing is computed anew. Each row has the paired
    difference of two models with its 95 % interval, its p-value, and the same
    corrected over all rows.
    """
    from benchmark.cli.compare import show_comparison

    raise typer.Exit(show_comparison(split(models), suite, output, form.value))


@app.command()
def plot(
    kind: opt.FigureKindArgument,
    results: opt.ResultFilesArgument,
    output: opt.PlottedFileOption,
) -> None:
    """Draw a figure for a paper from results alone. Nothing is computed anew.

    Name the files of the models and bindings to show, or a folder of them:
    bench plot profile results/mini/people_rdm --output profile.pdf
    """
    from benchmark.cli.plot import plot as draw

    draw(kind.value, results, output)


@app.command()
def report(
    model: opt.ReportedModelArgument,
    suite: opt.SuiteOption = "mini",
    output: opt.OutputOption = Path("results"),
    page: opt.ReportOption = None,
    registry: opt.RegistryOption = None,
) -> None:
    """Write a report on a model for the supplement of a paper, from results alone.

    One HTML file: its scores with chance, ceiling and p, the curves over its
    layers, the methods in sentences, versions, and references as BibTeX.
    """
    from benchmark.cli.console import say
    from benchmark.common.files import slug
    from benchmark.leaderboard.report import write_report

    file = page or Path(f"{slug(model)}.html")
    count = write_report(output, model, suite, file, load(registry))
    say(f"report on {model}, bindings: {count}: {file.resolve()}")


@app.command()
def reproduce(
    result: opt.ReproducedArgument,
    data: opt.DataOption = None,
    registry: opt.RegistryOption = None,
    device: opt.DeviceOption = Device.auto,
) -> None:
    """Run the cell of a result again, with its seed and its layers, and compare all numbers.

    It also says what differs between the two runs: code, versions, weights,
    data, device. The result stays as it is.

    Exit status: 0 if all numbers are the same within 1e-5; 1 if one is not; 2
    if the file is no result, or its cell cannot be run here.
    """
    from benchmark.cli.reproduce import show_reproduction

    raise typer.Exit(show_reproduction(result, run_options(registry, data, device)))


@app.command("list")
def list_(
    kind: opt.EntryKindArgument,
    stimuli: opt.ListedStimuliArgument = None,
    data: opt.DataOption = None,
    registry: opt.RegistryOption = None,
) -> None:
    """List the models, tasks, datasets or suites of the registry, or the ids of a stimulus set."""
    from benchmark.cli.show import show_ids, show_list

    if kind.value == "ids" or stimuli is not None:
        show_ids(kind.value, stimuli, run_options(registry, data, Device.auto))
    else:
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
    preprocess: opt.PreprocessOption = None,
    part: opt.PartOption = None,
    ids: opt.IdsOption = None,
    replace: opt.ReplaceOption = False,
) -> None:
    """Write the registry entry of a model: preprocessing, layers, size, licence, hash of the weights."""
    from benchmark.cli.add import add_model, own_weights

    own = own_weights(weights, preprocess, part)
    add_model(model, registry or [Path("mine.yaml")], name, own, ids=ids, replace=replace)


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
    form: opt.AssociatesFormatOption = AssociatesFormat.table,
    suite: opt.WeightsSuiteOption = "human",
    data: opt.DataOption = None,
    registry: opt.RegistryOption = None,
    device: opt.DeviceOption = Device.auto,
) -> None:
    """Show which words photos bring to mind, the strongest first.

    The model needs an association head: a last layer that gives a strength to
    each word of a vocabulary. The one that you trained on the data root answers;
    if there is none, the command that trains it is printed. The network of the
    miniature, which knows drawings only, answers with --suite mini.

    Exit status: 0 if all photos have words; 1 if a photo has none; 2 if there is
    no trained network, or an argument or a registry cannot be used.
    """
    from benchmark.cli.associate import associate_photos

    options = run_options(registry, data, device)
    raise typer.Exit(
        associate_photos(photos, model, suite, options, k=k, form=form.value, plot=plot, html=html)
    )


@app.command()
def interpret(
    photos: opt.PhotosArgument,
    model: opt.InterpretedModelOption,
    layers: opt.InterpretedLayersOption = None,
    k: opt.PropertiesCountOption = 10,
    plot: opt.PropertiesPlotOption = None,
    html: opt.PropertiesPageOption = None,
    form: opt.PropertiesFormatOption = AssociatesFormat.table,
    suite: opt.WeightsSuiteOption = "human",
    data: opt.DataOption = None,
    registry: opt.RegistryOption = None,
    device: opt.DeviceOption = Device.auto,
) -> None:
    """Show which properties the layers of a model predict for photos.

    Linear classifiers are fitted to the concepts of property norms that have
    images, as in the task property_decoding. They then read a photo, layer by
    layer. Properties are coloured by their type.

    Exit status: 0 if all photos could be read; 1 if one could not; 2 if an
    argument, a registry, the norms or the weights cannot be used.
    """
    from benchmark.cli.interpret import interpret_photos

    options = run_options(registry, data, device, layers=layers)
    raise typer.Exit(
        interpret_photos(photos, model, suite, options, k=k, form=form.value, plot=plot, html=html)
    )


@app.command()
def similarity(
    model: opt.ModelsOption,
    layers: opt.ComparedLayersOption = None,
    stimuli: opt.ComparedStimuliOption = None,
    measure: opt.MeasuresOption = None,
    metric: opt.RDMMetricOption = Dissimilarity.correlation,
    form: opt.SimilarityFormatOption = SimilarityFormat.table,
    figure: opt.FigureOption = None,
    suite: opt.WeightsSuiteOption = "mini",
    data: opt.DataOption = None,
    registry: opt.RegistryOption = None,
    device: opt.DeviceOption = Device.auto,
    seed: opt.SeedOption = 0,
) -> None:
    """Compare layers of models with one another.

    Each layer has a row for each concept, the mean features of its images. The
    similarity of every two layers has an interval over concepts.
    """
    from benchmark.cli.similarity import show_similarity

    options = run_options(registry, data, device, layers=layers, seed=seed)
    show_similarity(
        split(model),
        suite,
        options,
        stimuli=stimuli,
        measures=split(measure) or ["rdm"],
        metric=metric.value,
        form=form.value,
        figure=figure,
    )


@app.command()
def partition(
    model: opt.PartitionedModelsOption,
    target: opt.RDMTargetOption,
    layers: opt.ComparedLayersOption = None,
    form: opt.SimilarityFormatOption = SimilarityFormat.table,
    figure: opt.PartitionFigureOption = None,
    suite: opt.SuiteOption = "mini",
    data: opt.DataOption = None,
    registry: opt.RegistryOption = None,
    device: opt.DeviceOption = Device.auto,
    seed: opt.SeedOption = 0,
) -> None:
    """Show what two or three models explain of people, alone and together.

    The variance of the target's RDM is divided into what only one model
    explains, what each two share, what all share, and what nothing explains.
    Of each model the layer that explains most counts, chosen on other concepts.
    """
    from benchmark.cli.partition import show_partition

    options = run_options(registry, data, device, layers=layers, seed=seed)
    show_partition(split(model), target, suite, options, form=form.value, figure=figure)


@app.command()
def pairs(
    model: opt.MovedModelOption = "swow_assoc",
    reference: opt.ReferenceOption = "encoder",
    layer: opt.MovedLayerOption = None,
    reference_layer: opt.ReferenceLayerOption = None,
    stimuli: opt.ComparedStimuliOption = None,
    metric: opt.RDMMetricOption = Dissimilarity.correlation,
    rule: opt.RuleOption = None,
    norms: opt.RuleNormsOption = None,
    decay: opt.DecayOption = None,
    k: opt.PairsCountOption = 5,
    form: opt.SimilarityFormatOption = SimilarityFormat.table,
    html: opt.MovedPageOption = None,
    suite: opt.WeightsSuiteOption = "mini",
    data: opt.DataOption = None,
    registry: opt.RegistryOption = None,
    device: opt.DeviceOption = Device.auto,
) -> None:
    """Show which pairs of concepts come closer, or move apart, from one network to another.

    Pairs are ranked by their dissimilarity in both networks. Two images can
    look different, and come closer if they bring the same words to mind.
    Concepts that were held out of the training are apart from trained ones.
    """
    from benchmark.cli.pairs import show_pairs

    show_pairs(
        model,
        reference,
        suite,
        run_options(registry, data, device),
        layer=layer,
        reference_layer=reference_layer,
        stimuli=stimuli,
        metric=metric.value,
        rule=association_rule(rule, norms, decay),
        k=k,
        form=form.value,
        html=html,
    )
