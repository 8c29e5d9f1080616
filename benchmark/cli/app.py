"""The commands of ``bench``. Nothing heavy is imported at the top: ``bench --help`` must answer at once.

``bench --help`` shows the docstring of a command with its own line breaks, so the lines are short.
"""

from __future__ import annotations

from pathlib import Path

import typer

from benchmark import __version__
from benchmark.cli import options as opt
from benchmark.cli.arguments import cluster, load, part, run_options, split
from benchmark.cli.choices import Backend, Device, ResultFormat
from benchmark.cli.collection_commands import group as data_group
from benchmark.cli.commands import Commands
from benchmark.cli.comparison_commands import comparisons
from benchmark.cli.figure_commands import figures
from benchmark.cli.groups import association, cache, export, leaderboard, training
from benchmark.cli.groups import results as results_group

app = typer.Typer(
    name="bench",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for commands in (comparisons, figures):  # no name: bench compare, and not bench comparisons compare
    app.add_typer(commands)
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
    time_limit: opt.TimeLimitOption = None,
    deterministic: opt.DeterministicOption = False,
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
    options = run_options(
        registry, data, device, output=output, layers=layers, seed=seed, deterministic=deterministic
    )
    if dry_run:
        raise typer.Exit(show_plan(asked, options))
    where = cluster(backend, scheduler)
    raise typer.Exit(
        run_cells(asked, options, jobs, form.value, strict=strict, scheduler=where, time_limit=time_limit)
    )


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
def reproduce(
    result: opt.ReproducedArgument,
    data: opt.DataOption = None,
    registry: opt.RegistryOption = None,
    device: opt.DeviceOption = Device.auto,
    requirements: opt.RequirementsOption = False,
) -> None:
    """Run the cell of a result again, with its seed and its layers, and compare all numbers.

    It also says what differs between the two runs: code, versions, weights,
    data, device. The result stays as it is. With --requirements nothing is run;
    pip install -r takes what is printed.

    Exit status: 0 if all numbers are the same within 1e-5; 1 if one is not; 2
    if the file is no result, or its cell cannot be run here.
    """
    from benchmark.cli.reproduce import show_reproduction, show_requirements

    if requirements:
        show_requirements(result)
        raise typer.Exit
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
