"""The commands of ``bench`` that make figures and pages. Nothing heavy is imported at the top."""

from __future__ import annotations

from pathlib import Path

import typer

from benchmark.cli import figure_options as figure_opt
from benchmark.cli import options as opt
from benchmark.cli.arguments import load, run_options
from benchmark.cli.choices import AssociatesFormat, Device
from benchmark.cli.commands import Commands

figures = typer.Typer(cls=Commands)


@figures.command()
def plot(
    kind: figure_opt.FigureKindArgument,
    results: opt.ResultFilesArgument,
    output: figure_opt.PlottedFileOption,
) -> None:
    """Draw a figure for a paper from results alone. Nothing is computed anew.

    Name the files of the models and bindings to show, or a folder of them:
    bench plot profile results/mini/people_rdm --output profile.pdf
    """
    from benchmark.cli.plot import plot as draw

    draw(kind.value, results, output)


@figures.command()
def report(
    model: figure_opt.ReportedModelArgument,
    suite: opt.SuiteOption = "mini",
    output: opt.OutputOption = Path("results"),
    page: figure_opt.ReportOption = None,
    registry: opt.RegistryOption = None,
) -> None:
    """Write a report on a model for the supplement of a paper, from results alone.

    One HTML file, or a PDF: its scores with chance, ceiling and p, the curves
    over its layers, the methods in sentences, versions, and references as BibTeX.
    """
    from benchmark.cli.console import say
    from benchmark.common.files import slug
    from benchmark.leaderboard.report import write_report

    file = page or Path(f"{slug(model)}.html")
    count = write_report(output, model, suite, file, load(registry))
    say(f"report on {model}, bindings: {count}: {file.resolve()}")


@figures.command()
def associate(
    photos: figure_opt.PhotosArgument,
    model: figure_opt.HeadModelOption = "swow_assoc",
    k: figure_opt.CountOption = 20,
    plot: figure_opt.PlotOption = None,
    html: figure_opt.PageOption = None,
    form: figure_opt.AssociatesFormatOption = AssociatesFormat.table,
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


@figures.command()
def interpret(
    photos: figure_opt.PhotosArgument,
    model: figure_opt.InterpretedModelOption,
    layers: figure_opt.InterpretedLayersOption = None,
    k: figure_opt.PropertiesCountOption = 10,
    plot: figure_opt.PropertiesPlotOption = None,
    html: figure_opt.PropertiesPageOption = None,
    form: figure_opt.PropertiesFormatOption = AssociatesFormat.table,
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
