"""``bench export``: write files for other programs."""

from __future__ import annotations

from pathlib import Path

from benchmark.cli.console import console, progress_bars
from benchmark.cli.run import WorkBar
from benchmark.registry import AssociationRuleEntry
from benchmark.runner import Options, Session


def export_rdms(
    model: str,
    layers: tuple[str, ...] | None,
    stimuli: str,
    suite: str,
    options: Options,
    *,
    by: str,
    metric: str,
    rule: AssociationRuleEntry | None,
    form: str,
    output: Path | None,
) -> None:
    """Write the RDMs of layers of a model, and print the names of the files.

    Parameters
    ----------
    model : str
        Name of the model.
    layers : tuple of str or None
        The layers; None: those of the model's registry entry.
    stimuli : str
        Name of a stimulus set, or a folder of images.
    suite : str
        Suite whose weights of the model are used.
    options : Options
        Registries, data root and device.
    by : {"stimulus", "concept"}
        What a row of an RDM stands for.
    metric : str
        Distance between the features of two rows.
    rule : AssociationRuleEntry or None
        How association profiles are compared; None: as tasks do by default.
    form : {"npy", "csv", "rsatoolbox"}
        Format of the files.
    output : Path or None
        The file; None: MODEL.STIMULI.LAYER in the current folder.

    Raises
    ------
    BenchError
        If the model, the layers or the stimuli cannot be used, or a file cannot be written.
    """
    session = Session(options)
    session.registry.model(model, suite)  # an unknown name is refused before anything heavy is imported
    from benchmark.export import model_rdms, write

    with progress_bars() as bars:
        rdms = model_rdms(
            session,
            model,
            suite,
            layers,
            stimuli,
            by=by,
            metric=metric,
            rule=rule,
            progress=WorkBar(bars, f"features of {model}"),
        )
    out = console()
    if rdms.provenance["miniature"]:
        out.print("MINIATURE: a network made for drawn images; it says nothing about people", style="bold")
    unit = "stimuli" if by == "stimulus" else "concepts"
    for path in write(rdms, form, output):
        line = f"{len(rdms.ids)} {unit}, {metric}: {path.resolve()}, and {path.name}.json"
        out.print(line, soft_wrap=True)
