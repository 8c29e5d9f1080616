"""The commands of ``bench`` that compare models. Nothing heavy is imported at the top."""

from __future__ import annotations

from pathlib import Path

import typer

from benchmark.cli import comparison_options as compare_opt
from benchmark.cli import options as opt
from benchmark.cli.arguments import association_rule, run_options, split
from benchmark.cli.choices import Device, Dissimilarity, ResultFormat, SimilarityFormat
from benchmark.cli.commands import Commands

comparisons = typer.Typer(cls=Commands)


@comparisons.command()
def compare(
    models: compare_opt.ComparedModelsArgument,
    suite: opt.SuiteOption = "mini",
    output: opt.OutputOption = Path("results"),
    form: compare_opt.SimilarityFormatOption = SimilarityFormat.table,
) -> None:
    """Compare models on every binding on which they have a score.

    The results are read, nothing is computed anew. Each row has the paired
    difference of two models with its 95 % interval, its p-value, and the same
    corrected over all rows.
    """
    from benchmark.cli.compare import show_comparison

    raise typer.Exit(show_comparison(split(models), suite, output, form.value))


@comparisons.command()
def robustness(
    binding: compare_opt.BindingOption,
    model: opt.ModelsOption,
    suite: opt.SuiteOption = "mini",
    layers: opt.LayersOption = None,
    data: opt.DataOption = None,
    output: opt.OutputOption = Path("results"),
    registry: opt.RegistryOption = None,
    device: opt.DeviceOption = Device.auto,
    seed: opt.SeedOption = 0,
    pooling: compare_opt.PoolingsOption = None,
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


@comparisons.command()
def similarity(
    model: opt.ModelsOption,
    layers: compare_opt.ComparedLayersOption = None,
    stimuli: compare_opt.ComparedStimuliOption = None,
    measure: compare_opt.MeasuresOption = None,
    metric: compare_opt.RDMMetricOption = Dissimilarity.correlation,
    form: compare_opt.SimilarityFormatOption = SimilarityFormat.table,
    figure: compare_opt.FigureOption = None,
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


@comparisons.command()
def partition(
    model: compare_opt.PartitionedModelsOption,
    target: compare_opt.RDMTargetOption,
    layers: compare_opt.ComparedLayersOption = None,
    form: compare_opt.SimilarityFormatOption = SimilarityFormat.table,
    figure: compare_opt.PartitionFigureOption = None,
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


@comparisons.command()
def pairs(
    model: compare_opt.MovedModelOption = "swow_assoc",
    reference: compare_opt.ReferenceOption = "encoder",
    layer: compare_opt.MovedLayerOption = None,
    reference_layer: compare_opt.ReferenceLayerOption = None,
    stimuli: compare_opt.ComparedStimuliOption = None,
    metric: compare_opt.RDMMetricOption = Dissimilarity.correlation,
    rule: opt.RuleOption = None,
    norms: opt.RuleNormsOption = None,
    decay: opt.DecayOption = None,
    k: compare_opt.PairsCountOption = 5,
    form: compare_opt.SimilarityFormatOption = SimilarityFormat.table,
    html: compare_opt.MovedPageOption = None,
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
