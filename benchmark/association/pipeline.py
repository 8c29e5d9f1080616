"""Training of an association network, from folders of images and a file of norms: all steps, in order."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from safetensors.torch import load_file
from torch import nn

from benchmark.association.card import write_card, write_registry
from benchmark.association.checkpoint import (
    Loss,
    TrainingRecord,
    read_record,
    read_vocabulary,
    write_checkpoint,
)
from benchmark.association.classes import class_mixture
from benchmark.association.encoders import Start, find_start, trained_preprocessing
from benchmark.association.head import constant_head
from benchmark.association.images import DecodedImages, decode
from benchmark.association.network import AssociationNetwork, encoder_of, feature_count
from benchmark.association.recipe import Recipe
from benchmark.association.sampling import Sample, Shares, draw_sample, write_manifest
from benchmark.association.targets import AssociationTargets, association_targets, class_profiles
from benchmark.association.train import Report, Training, TrainingData
from benchmark.common.errors import DataError, UsageError
from benchmark.common.files import write_atomic
from benchmark.datasets.readers.norms import read_associations
from benchmark.extraction import load_strictly
from benchmark.registry import Registry

#: Files that a run writes into its folder
CHECKPOINT, MANIFEST, METRICS, CARD, REGISTRY = (
    "swow_assoc.safetensors",
    "manifest.csv",
    "metrics.csv",
    "card.md",
    "registry.yaml",
)
_STATE = "state.pt"

_COLUMNS = (
    "phase",
    "epoch",
    "train_loss",
    "validation_loss",
    "validation_precision_at_10",
    "seconds",
)


@dataclass(frozen=True)
class TrainingPlan:
    """What to train, on what, and where to write it.

    Attributes
    ----------
    images : tuple of Path
        Folders of images.
    norms : Path
        File of association norms.
    start : str
        The encoder to start from, as :func:`benchmark.association.encoders.find_start` reads it.
    output : Path
        Folder of the run.
    shares : Shares
        How the sample of images is drawn.
    recipe : Recipe
        Settings of the training. Its ``fixed_statistics`` is not used: the statistics of batch normalisation
        are learned if the start has random weights, else they are fixed.
    classes : bool
        Whether the head mixes what people say to the classes that an ImageNet encoder sees. If training
        starts from a checkpoint, the head of the checkpoint decides instead.
    size : int or None
        Side, in pixels, of the images that the network gets; None: the side that the encoder has by itself.
    name : str
        Name of the model in the registry file that the run writes.
    command : str
        The command line, for the card.
    """

    images: tuple[Path, ...]
    norms: Path
    start: str
    output: Path
    shares: Shares
    recipe: Recipe
    classes: bool = False
    size: int | None = None
    name: str = "swow_assoc_own"
    command: str = ""


@dataclass(frozen=True)
class TrainingOutcome:
    """Result of a training run.

    Attributes
    ----------
    sample : Sample
        All images, with their roles.
    targets : AssociationTargets
        Strengths that the network was trained on.
    unreadable : dict of str to str
        Images that were skipped: id and reason.
    metrics : list of dict
        Metrics of each epoch.
    """

    sample: Sample
    targets: AssociationTargets
    unreadable: dict[str, str]
    metrics: list[dict[str, Any]]


def train_associations(
    plan: TrainingPlan, registry: Registry, data: Path, device: str = "cpu", report: Report | None = None
) -> TrainingOutcome:
    """Train an association network, and write it to ``plan.output`` with all that is needed to score it.

    If this is called again with the same plan, a run that was stopped continues. A finished run is not
    repeated.

    Parameters
    ----------
    plan : TrainingPlan
        What to train, on what, and where to write it.
    registry : Registry
        The shipped registry and the user's own.
    data : Path
        The data root, which may hold the checkpoint to start from.
    device : str
        "cpu", or the name of a GPU device.
    report : callable, optional
        Called as ``report(phase, done, total)`` while the work goes on.

    Returns
    -------
    TrainingOutcome

    Raises
    ------
    BenchError
        If the images, the norms, the start or the folder cannot be used. The message is one line.
    """
    if not plan.norms.is_file():
        raise DataError(
            f"--norms {plan.norms}: no such file; give a file of association norms, such as SWOW-EN's"
        )
    accelerator = Accelerator(cpu=device == "cpu", mixed_precision=plan.recipe.precision)
    start = find_start(plan.start, registry, data)
    recipe = plan.recipe.model_copy(update={"fixed_statistics": not start.untrained})
    preprocessing = trained_preprocessing(start.model, plan.size)
    norm_cues = read_associations(plan.norms, name=plan.norms.name).ids
    sample = draw_sample(plan.images, norm_cues, plan.shares)
    training_images = sample.with_role("train") + sample.with_role("validation")
    progress = (lambda done, total: report("images", done, total)) if report else None
    decoded = decode(training_images, preprocessing, plan.output, progress)
    sample = sample.without(decoded.unreadable)
    targets = association_targets(plan.norms, sample.cues, recipe.vocabulary)
    trained_cues = {image.cue for image in decoded.kept if image.role == "train"}
    training_data = _training_data(decoded, targets)
    classes = None
    if _mixes_classes(plan, start):
        class_indices, profiles = class_profiles(targets, norm_cues, trained_cues)
        classes = class_indices, torch.from_numpy(profiles).float()
    network = _network(
        start, preprocessing.crop, targets.vocabulary, recipe.loss, training_data.mean, classes
    )
    record = TrainingRecord(
        encoder=start.encoder,
        started_from=start.name,
        preprocessing=preprocessing,
        loss=recipe.loss,
        norms=plan.norms.name,
        norms_sha256=targets.source.sha256,
        manifest_sha256=sample.hash,
        cues=tuple(sorted(trained_cues)),
        classes=False if classes is None else "mixture",
    )
    if accelerator.is_main_process:
        write_manifest(sample, plan.output / MANIFEST)

    def write_metrics(rows: list[dict[str, Any]]) -> None:
        if accelerator.is_main_process:
            write_atomic(plan.output / METRICS, _table(rows))

    training = Training(
        network,
        training_data,
        recipe,
        plan.output / _STATE,
        _identity(record, recipe, network),
        accelerator,
        keep_head=start.checkpoint is not None,
        report=report,
        on_epoch=write_metrics,
    )
    rows = training.run()
    if accelerator.is_main_process:
        write_checkpoint(plan.output / CHECKPOINT, network, targets.vocabulary, record)
        card = (plan.name, record, recipe, sample, targets, decoded.unreadable, rows)
        write_card(plan.output / CARD, *card, command=plan.command)
        write_registry(plan.output / REGISTRY, plan.name, record, plan.output, plan.norms, plan.command)
    return TrainingOutcome(sample, targets, decoded.unreadable, rows)


def _mixes_classes(plan: TrainingPlan, start: Start) -> bool:
    if start.checkpoint is None:
        return plan.classes
    record = read_record(start.checkpoint)
    return record is not None and record.classes == "mixture"


def _training_data(decoded: DecodedImages, targets: AssociationTargets) -> TrainingData:
    row = {cue: i for i, cue in enumerate(targets.cues)}
    roles = np.array([image.role for image in decoded.kept])
    return TrainingData(
        decoded,
        torch.tensor([row[image.cue] for image in decoded.kept]),
        torch.from_numpy(targets.strengths).float(),
        np.flatnonzero(roles == "train"),
        np.flatnonzero(roles == "validation"),
    )


def _network(
    start: Start,
    side: object,
    vocabulary: Sequence[str],
    loss: Loss,
    mean: torch.Tensor,
    classes: tuple[list[int], torch.Tensor] | None,
) -> AssociationNetwork:
    """The network at the start of training. If it starts from a checkpoint, the vocabulary must be the same.

    ``mean`` (v,) is the mean profile. ``classes`` are the classes that the head mixes, with their profiles.
    """
    assert isinstance(side, int)
    head: nn.Module | None = None if classes is None else class_mixture(start.model, *classes, mean, loss)
    encoder = encoder_of(start.model)
    encoder.requires_grad_(requires_grad=True)
    if head is None:
        head = constant_head(feature_count(encoder, (3, side, side)), loss, mean)
    network = AssociationNetwork(encoder, head)
    if start.checkpoint is not None:
        checkpoint_vocabulary = read_vocabulary(start.checkpoint)
        if checkpoint_vocabulary != tuple(vocabulary):
            shared = len(set(checkpoint_vocabulary) & set(vocabulary))
            raise UsageError(
                f"{start.checkpoint} has another vocabulary: it shares {shared} of its "
                f"{len(checkpoint_vocabulary)} responses with the {len(vocabulary)} of this run; "
                "give --from the name of its encoder"
            )
        load_strictly(network, load_file(start.checkpoint), start.checkpoint)
    return network


def _identity(record: TrainingRecord, recipe: Recipe, network: AssociationNetwork) -> str:
    """A hash of everything that decides the weights."""
    digest = hashlib.sha256(f"{record.model_dump_json()}{recipe.model_dump_json()}".encode())
    for key, value in network.state_dict().items():
        digest.update(key.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _table(rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {key: f"{value:.6g}" if isinstance(value, float) else value for key, value in row.items()}
        for row in rows
    )
    return text.getvalue().encode()
