"""``bench export``: write files for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmark.cli.console import console, progress_bars
from benchmark.cli.run import WorkBar
from benchmark.common.errors import UsageError
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
    target: str | None = None,
    on: str | None = None,
) -> None:
    """Write the RDMs of layers of a model, and of a target, and print the names of the files.

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
        The file; None: MODEL/STIMULI.LAYER in the current folder.
    target : str or None
        A target of RDMs to write too. Both have the concepts that they share, in one order.
    on : str or None
        Key of the stimuli to join the target on; None: the concept id.

    Raises
    ------
    BenchError
        If the model, the layers or the stimuli cannot be used, or a file cannot be written.
    """
    session = Session(options)
    session.registry.model(model, suite)  # an unknown name is refused before anything heavy is imported
    if target is not None and by != "concept":
        raise UsageError("--target has a row for each concept: it needs --by concept")
    if on is not None and target is None:
        raise UsageError("--on says how a target is joined: it needs --target")
    from benchmark.export import model_rdms, target_rdms, write, write_target

    people = None if target is None else target_rdms(session, model, suite, stimuli, target, on)
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
            concepts=None if people is None else people.ids,
            progress=WorkBar(bars, f"features of {model}"),
        )
    _say_miniature(rdms.provenance)
    unit = "stimuli" if by == "stimulus" else "concepts"
    _say_written(f"{len(rdms.ids)} {unit}, {metric}", write(rdms, form, output))
    if people is not None:
        subjects = f"{len(people.subjects)} subjects" if len(people.subjects) > 1 else "1 subject"
        what = f"{len(people.ids)} concepts, {subjects} of {target}"
        _say_written(what, write_target(people, model, form, output))


def export_features(
    model: str,
    layers: tuple[str, ...] | None,
    stimuli: str,
    suite: str,
    options: Options,
    *,
    by: str,
    form: str,
    output: Path | None,
) -> None:
    """Write the features of layers of a model, and print the names of the files.

    Parameters
    ----------
    model, layers, stimuli, suite, options, by
        As in :func:`export_rdms`.
    form : {"npy", "csv"}
        Format of the files.
    output : Path or None
        The file; None: MODEL/features.STIMULI.LAYER in the current folder.

    Raises
    ------
    BenchError
        If the model, the layers or the stimuli cannot be used, or a file cannot be written.
    """
    session = Session(options)
    session.registry.model(model, suite)  # an unknown name is refused before anything heavy is imported
    from benchmark.export import model_features, write_features

    with progress_bars() as bars:
        bar = WorkBar(bars, f"features of {model}")
        found = model_features(session, model, suite, layers, stimuli, by=by, progress=bar)
    _say_miniature(found.provenance)
    unit = "stimuli" if by == "stimulus" else "concepts"
    for path, features in zip(write_features(found, form, output), found.features, strict=True):
        _say_written(f"{len(found.ids)} {unit}, {features.shape[1]} features", [path])


def _say_miniature(provenance: dict[str, Any]) -> None:
    if provenance["miniature"]:
        console().print("MINIATURE: drawn images; it says nothing about people", style="bold")


def _say_written(what: str, paths: list[Path]) -> None:
    for path in paths:
        console().print(f"{what}: {path.resolve()}, and {path.name}.json", soft_wrap=True)
