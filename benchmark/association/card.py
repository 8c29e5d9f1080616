"""The model card and the registry file that a training run writes beside the weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from benchmark.association.checkpoint import TrainingRecord
from benchmark.association.recipe import Recipe
from benchmark.association.sampling import Sample
from benchmark.association.targets import AssociationTargets
from benchmark.common.files import write_atomic
from benchmark.common.text import markdown, plain

#: Number of unreadable images that the card names
_LISTED = 20
_HEADS = {
    False: "a linear head",
    "mixture": "a head that mixes what people say to the classes it sees",
}


def write_card(
    path: Path,
    name: str,
    record: TrainingRecord,
    recipe: Recipe,
    sample: Sample,
    targets: AssociationTargets,
    unreadable: Mapping[str, str],
    metrics: Sequence[Mapping[str, Any]],
    *,
    command: str,
) -> None:
    """Write the model card as Markdown.

    Parameters
    ----------
    path : Path
        The file to write.
    name : str
        Name of the model.
    record : TrainingRecord
        Description that is stored in the checkpoint.
    recipe : Recipe
        Settings of the training.
    sample : Sample
        All images of the run, with their roles.
    targets : AssociationTargets
        Strengths that the network was trained on.
    unreadable : mapping of str to str
        Images that could not be decoded, with the reason.
    metrics : sequence of mapping
        Metrics of the training, one entry for each epoch.
    command : str
        The command line that started the training.
    """
    roles = Counter((image.role, image.held_out) for image in sample.images)
    held_out_cues = sorted({image.cue for image in sample.images if image.held_out})
    lines = [
        f"# {markdown(name)}",
        "",
        "This network gives the words that an image brings to mind. It consists of the encoder "
        f"{markdown(record.started_from)}, whose features are flattened, and of {_HEADS[record.classes]}. "
        f"The head gives a strength to each of {len(targets.vocabulary)} responses.",
        "",
        "```bash",
        plain(command),
        "```",
        "",
        "## Norms",
        "",
        f"The norms are {markdown(record.norms)} (sha256 {record.norms_sha256}, "
        f"counts {markdown(targets.source.column)}). {len(targets.cues)} cues stand for the classes of the "
        f"images. The vocabulary holds {targets.coverage.mean():.1%} of their responses. "
        "The terms of the norms also apply to the weights: SWOW-EN, and weights that were trained on it, "
        "may not be passed on.",
        "",
        "## Images",
        "",
        f"- images that were trained on: {roles['train', False]}, of {len(record.cues)} cues",
        f"- validation images (they decide when training stops): {roles['validation', False]}",
        f"- held-out images of trained cues: {roles['test', False]}",
        f"- images of held-out cues: {roles['test', True]}, of {len(held_out_cues)} cues: "
        f"{markdown(', '.join(held_out_cues))}",
        f"- classes that were left out because they have no cue: {len(sample.unmatched)}",
        *_first_faults("images that were skipped because they could not be decoded", unreadable),
        f"- sample: sha256 {record.manifest_sha256}; manifest.csv lists every image",
        "",
        "## Training",
        "",
        *(f"- {key}: {markdown(value)}" for key, value in recipe.model_dump().items()),
        f"- preprocessing: {markdown(repr(record.preprocessing))}",
        "",
        f"{len(metrics)} epochs. The metrics of each are in metrics.csv.{_best(metrics)}",
        "",
    ]
    write_atomic(path, "\n".join(lines).encode())


def _first_faults(label: str, faults: Mapping[str, str]) -> list[str]:
    listed = [f"  - {markdown(id_)}: {markdown(fault)}" for id_, fault in list(faults.items())[:_LISTED]]
    more = [f"  - and {len(faults) - _LISTED} more"] if len(faults) > _LISTED else []
    return [f"- {label}: {len(faults)}", *listed, *more]


def _best(metrics: Sequence[Mapping[str, Any]]) -> str:
    checked = [row for row in metrics if row.get("validation_precision_at_10") is not None]
    if not checked:
        return ""
    best = min(checked, key=lambda row: row["validation_loss"])
    return (
        f" The weights are those with the least validation loss, {best['validation_loss']:.4g} "
        f"({best['phase']}, epoch {best['epoch']}). Their precision@10 over the validation images is "
        f"{best['validation_precision_at_10']:.3f}."
    )


def write_registry(
    path: Path, name: str, record: TrainingRecord, folder: Path, norms: Path, command: str
) -> None:
    """Write the registry file that scores the checkpoint on the images that were held out.

    It holds one suite, with the name of the model. Its two bindings are the held-out images of trained cues,
    and the held-out cues.

    Parameters
    ----------
    path : Path
        The file to write.
    name : str
        Name of the model and of its suite.
    record : TrainingRecord
        Description that is stored in the checkpoint.
    folder : Path
        Folder of the run, which holds the manifest.
    norms : Path
        File of the association norms.
    command : str
        The command line that started the training.
    """
    images, words = f"{name}_images", f"{name}_norms"
    binding = {"task": "association_topk", "stimuli": images, "target": words}
    content = {
        "models": {
            name: {
                "plugin": "models/swow_assoc.py:SwowAssociation",
                "description": f"{record.started_from} trained on {record.norms}",
                "params": {"encoder": record.encoder.model_dump()},
                "checkpoint": {"file": "swow_assoc.safetensors", "how": command or "bench train swow_assoc"},
                "trained_on": [words],
                "suites": [name],
            }
        },
        "datasets": {
            images: {
                "kind": "stimuli",
                "plugin": "benchmark.association.stimuli:manifest",
                "params": {"path": str((folder / "manifest.csv").resolve())},
                "description": "Images that the training run sampled, and those that it held out",
            },
            words: {
                "kind": "target",
                "plugin": "benchmark.datasets.readers.norms:associations",
                "params": {"path": str(norms.resolve())},
                "description": f"Association norms of people: {record.norms}",
            },
        },
        "suites": {
            name: {
                "description": f"Images and cues that were held out when {name} was trained",
                "models": [name],
                "bindings": {
                    "held_out_images": {**binding, "params": {"split": "images"}},
                    "held_out_classes": {**binding, "params": {"split": "classes"}},
                },
            }
        },
    }
    write_atomic(path, yaml.safe_dump(content, sort_keys=False, allow_unicode=True).encode())
