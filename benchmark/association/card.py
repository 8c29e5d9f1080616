"""What a training run leaves beside the weights: a model card, and the registry file that scores it."""

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

_LISTED = 20
_HEADS = {
    False: "a linear head",
    "mixture": "a head that mixes what people say to the classes it sees,",
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
    """Write the model card, Markdown."""
    roles = Counter((image.role, image.held_out) for image in sample.images)
    held = sorted({image.cue for image in sample.images if image.held_out})
    lines = [
        f"# {name}",
        "",
        f"Images to the words they evoke: the encoder {record.started_from}, its features flattened, and "
        f"{_HEADS[record.classes]} over {len(targets.vocabulary)} responses.",
        "",
        "```bash",
        command,
        "```",
        "",
        "## Norms",
        "",
        f"{record.norms} (sha256 {record.norms_sha256}, counts {targets.source.column}): "
        f"{len(targets.cues)} cues stand for the classes of the images. The vocabulary holds "
        f"{targets.coverage.mean():.1%} of their responses. The terms of the norms "
        "hold for the weights too: those of SWOW-EN may not be passed on.",
        "",
        "## Images",
        "",
        f"- trained on: {roles['train', False]}, of {len(record.cues)} cues",
        f"- validation (decides when to stop): {roles['validation', False]}",
        f"- held out, of trained cues: {roles['test', False]}",
        f"- held out, of held-out cues: {roles['test', True]}, of {len(held)} cues: {', '.join(held)}",
        f"- classes without a cue, left out: {len(sample.unmatched)}",
        *_some("images that could not be decoded, skipped", unreadable),
        f"- sample: sha256 {record.manifest_sha256}; manifest.csv lists every image",
        "",
        "## Training",
        "",
        *(f"- {key}: {value}" for key, value in recipe.model_dump().items()),
        f"- preprocessing: {record.preprocessing!r}",
        "",
        f"{len(metrics)} epochs; metrics.csv has the curve.{_best(metrics)}",
        "",
    ]
    write_atomic(path, "\n".join(lines).encode())


def _some(what: str, faults: Mapping[str, str]) -> list[str]:
    listed = [f"  - {id_}: {fault}" for id_, fault in list(faults.items())[:_LISTED]]
    more = [f"  - and {len(faults) - _LISTED} more"] if len(faults) > _LISTED else []
    return [f"- {what}: {len(faults)}", *listed, *more]


def _best(metrics: Sequence[Mapping[str, Any]]) -> str:
    checked = [row for row in metrics if row.get("validation_precision_at_10") is not None]
    if not checked:
        return ""
    best = min(checked, key=lambda row: row["validation_loss"])
    return (
        f" The weights are those of least validation loss, {best['validation_loss']:.4g} ({best['phase']}, "
        f"epoch {best['epoch']}); precision@10 over the validation images there is "
        f"{best['validation_precision_at_10']:.3f}."
    )


def write_registry(
    path: Path, name: str, record: TrainingRecord, folder: Path, norms: Path, command: str
) -> None:
    """Write the registry file that scores the checkpoint on the images held out from it.

    One suite, of the model's own name: held-out images of trained cues, and held-out cues.
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
                "description": "The images that the training run sampled, and what it held out",
            },
            words: {
                "kind": "target",
                "plugin": "benchmark.datasets.readers.norms:associations",
                "params": {"path": str(norms.resolve())},
                "description": f"The norms {record.norms}",
            },
        },
        "suites": {
            name: {
                "description": f"What was held out from {name}",
                "models": [name],
                "bindings": {
                    "held_out_images": {**binding, "params": {"split": "images"}},
                    "held_out_classes": {**binding, "params": {"split": "classes"}},
                },
            }
        },
    }
    write_atomic(path, yaml.safe_dump(content, sort_keys=False, allow_unicode=True).encode())
