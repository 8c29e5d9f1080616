"""Entries of networks that a library builds by name.

Each function makes the proposal for one library. ``text`` is the part of ``bench add SPEC`` after
``LIBRARY:``. If the library has no network or weights of that name, UsageError names the nearest.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from benchmark.common.did_you_mean import did_you_mean
from benchmark.common.errors import UsageError
from benchmark.extraction import hugging_face_folder, torch_hub_file
from benchmark.model import Model, ModelSpec
from benchmark.registry import load_plugin, load_registry, shipped_root
from benchmark.submission.proposal import UNKNOWN, Proposal, name_of, pinned

TIMM = "models/timm_models.py:Timm"
TORCHVISION = "models/torchvision_models.py:Torchvision"
OPEN_CLIP = "models/open_clip_models.py:OpenClip"


def timm(text: str) -> Proposal:
    """Propose ``ARCHITECTURE.TAG`` of timm; without a tag the architecture's first weights."""
    import timm as library

    architecture, _, tag = text.partition(".")
    _known("timm", architecture, library.list_models())
    config: Any = library.get_pretrained_cfg(architecture)
    tag = tag or str((config and config.tag) or "")
    entry = _entry(TIMM, architecture, tag)
    entry["description"] = f"{architecture}, weights {tag} (timm)"
    model = _built(entry)
    if library.is_model_pretrained(f"{architecture}.{tag}"):
        config = library.get_pretrained_cfg(f"{architecture}.{tag}")
    if tag not in [name.partition(".")[2] for name in library.list_pretrained(f"{architecture}.*")]:
        raise UsageError(
            f"timm has no weights {tag!r} for {architecture}; it has {_tags(library, architecture)}"
        )
    proposal = Proposal(name_of(f"{architecture}.{tag}"), entry)
    proposal.describe(model)
    checkpoint = entry["checkpoint"]
    if config.hf_hub_id:
        checkpoint["how"] = f"timm downloads it from huggingface.co/{config.hf_hub_id}"
        proposal.notes.append(_pin_to_commit(checkpoint, str(config.hf_hub_id)))
    else:
        file = torch_hub_file(config.url)
        checkpoint["how"] = f"timm downloads it from {urlparse(config.url).netloc}"
        proposal.notes.append(pinned(checkpoint, file, _digits(config.url)))
    _classes(entry, config.num_classes == 1000 and tag.endswith("in1k"), _trained_on(tag))
    entry["licence"] = config.license or UNKNOWN
    entry["citation"] = config.paper_name or config.paper_ids or UNKNOWN
    if config.origin_url:
        entry["url"] = config.origin_url
    return proposal


def torchvision(text: str) -> Proposal:
    """Propose ``ARCHITECTURE.WEIGHTS`` of torchvision; without weights torchvision's default ones."""
    from torchvision import models

    architecture, _, tag = text.partition(".")
    _known("torchvision", architecture, models.list_models(module=models))
    weights: Any = models.get_model_weights(architecture)
    if tag and tag not in weights.__members__:
        raise UsageError(
            f"torchvision has no weights {tag!r} for {architecture}; it has {', '.join(weights.__members__)}"
        )
    chosen = weights[tag or "DEFAULT"]
    entry = _entry(TORCHVISION, architecture, chosen.name)
    entry["description"] = f"{architecture}, weights {chosen.name} (torchvision)"
    proposal = Proposal(name_of(f"{architecture}_{chosen.name}" if tag else architecture), entry)
    proposal.describe(_built(entry))
    checkpoint = entry["checkpoint"]
    checkpoint["how"] = f"torchvision downloads it from {urlparse(chosen.url).netloc}"
    proposal.notes.append(pinned(checkpoint, torch_hub_file(chosen.url), _digits(chosen.url)))
    _classes(entry, len(chosen.meta["categories"]) == 1000, ["imagenet_1k"])
    entry["licence"] = chosen.meta.get("license", UNKNOWN)
    entry["citation"] = UNKNOWN
    if "recipe" in chosen.meta:
        entry["url"] = chosen.meta["recipe"]
    return proposal


def open_clip(text: str) -> Proposal:
    """Propose the image tower of ``ARCHITECTURE/PRETRAINED`` of open_clip."""
    import open_clip as library

    architecture, _, tag = text.partition("/")
    _known("open_clip", architecture, library.list_models())
    config: Any = library.get_pretrained_cfg(architecture, tag) if tag else None
    if not config:
        tags = ", ".join(library.list_pretrained_tags_by_model(architecture)) or "none"
        raise UsageError(f"open_clip has no weights {tag!r} for {architecture}; it has {tags}")
    entry = _entry(OPEN_CLIP, architecture, tag)
    entry["description"] = f"{architecture}, weights {tag}, image tower (open_clip)"
    proposal = Proposal(name_of(f"{architecture}_{tag}"), entry)
    proposal.describe(_built(entry))
    checkpoint, repository = entry["checkpoint"], str(config.get("hf_hub") or "").rstrip("/")
    if repository:
        checkpoint["how"] = f"open_clip downloads it from huggingface.co/{repository}"
        proposal.notes.append(_pin_to_commit(checkpoint, repository))
    else:
        checkpoint["how"] = f"open_clip downloads it from {urlparse(config['url']).netloc}"
        proposal.notes.append(pinned(checkpoint, None))
    entry |= {"licence": UNKNOWN, "citation": UNKNOWN}
    return proposal


def taskonomy(text: str) -> Proposal:
    """Propose the encoder of a Taskonomy task, like the shipped entry."""
    shipped = load_registry().models
    name = f"taskonomy_{text}"
    if name not in shipped:
        tasks = ", ".join(n.removeprefix("taskonomy_") for n in shipped if n.startswith("taskonomy_"))
        raise UsageError(f"there is no Taskonomy encoder {text!r}; there is {tasks}")
    entry = shipped[name].entry.model_dump(mode="json", exclude_defaults=True)
    entry.pop("suites", None)
    entry["trained_on"] = list(entry.get("trained_on", ()))
    proposal = Proposal(f"{name}_own", entry, [f"the shipped registry has it already, as {name}"])
    proposal.describe(_built(entry))
    return proposal


def hugging_face(text: str) -> Proposal:
    """Propose ``timm/ARCHITECTURE.TAG``: a repository of timm itself on Hugging Face."""
    owner, _, name = text.partition("/")
    if owner == "timm" and name:
        return timm(name)
    raise UsageError(
        f"hf-hub:{text}: only repositories of timm itself (hf-hub:timm/NAME.TAG) can be described without a "
        "download; for another repository write a plug-in and give its weights as a file"
    )


def _entry(plugin: str, architecture: str, tag: str) -> dict[str, Any]:
    return {
        "plugin": plugin,
        "description": "",
        "params": {"architecture": architecture, "preprocessing": tag},
        "checkpoint": {"hub": tag},
    }


def _built(entry: dict[str, Any]) -> Model:
    """The model with random weights: enough to see its layers and its preprocessing."""
    plugin = load_plugin(entry["plugin"], shipped_root())
    model: Model = plugin(ModelSpec("new", entry["params"], untrained=0))
    return model


def _known(library: str, architecture: str, names: list[str]) -> None:
    if architecture not in names:
        raise UsageError(
            f"{library} has no architecture {architecture!r}; {did_you_mean(architecture, names, most=3)}"
        )


def _tags(library: Any, architecture: str) -> str:
    return (
        ", ".join(name.partition(".")[2] for name in library.list_pretrained(f"{architecture}.*")) or "none"
    )


def _digits(url: str) -> str | None:
    """The digits of the sha256 that torch.hub writes into a file's name: ``resnet50-11ad3fa6.pth``."""
    match = re.search(r"-([a-f0-9]{8,64})\.", Path(urlparse(url).path).name)
    return match[1] if match else None


def _pin_to_commit(checkpoint: dict[str, Any], repository: str) -> str:
    """Pin the checkpoint to the commit that is in the cache of huggingface_hub; gives a note for the user."""
    main = hugging_face_folder(repository) / "refs" / "main"
    if not main.is_file():
        return "weights: not downloaded yet, so their commit is not known: they are not pinned"
    checkpoint["revision"] = main.read_text().strip()
    return f"weights: downloaded already, pinned to their commit {checkpoint['revision'][:12]}"


def _classes(entry: dict[str, Any], has_classes: bool, trained_on: list[str]) -> None:
    if has_classes:
        entry["params"]["classes"] = "imagenet-1k"
    if trained_on:
        entry["trained_on"] = trained_on


def _trained_on(tag: str) -> list[str]:
    """The training data that timm writes into the name of weights, by their names in the registry."""
    known = {"in1k": "imagenet_1k", "in21k": "imagenet_21k", "in22k": "imagenet_21k", "lvd142m": "lvd_142m"}
    return [name for word, name in known.items() if word in re.split(r"[_.]", tag)]
