"""The entry of an architecture of a library with a checkpoint of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from pydantic import ValidationError

from benchmark.common.errors import UsageError
from benchmark.extraction import LibraryNetwork, Preprocessing, read_part, without_prefix
from benchmark.model import ModelSpec
from benchmark.registry import load_plugin, shipped_root
from benchmark.submission.own import by_hand, checkpoint_of
from benchmark.submission.proposal import Proposal, name_of

_IMAGENET = 1000

#: ``preprocess(default, words)``: the text of ``--preprocess``. ``default`` is that text for the library's
#: own preprocessing, and ``words`` say what it does.
Preprocess = Callable[[str, str], str]


@dataclass(frozen=True)
class OwnWeights:
    """A checkpoint of the user's own, and what its file does not tell.

    Attributes
    ----------
    file : Path
    preprocess : callable
        Gives the text of ``--preprocess``: the name of weights of the library, or a mapping of
        :class:`benchmark.extraction.Preprocessing` as YAML.
    part : str or None
        Where the weights are in the file; None: at the usual place.
    """

    file: Path
    preprocess: Preprocess
    part: str | None = None


def with_checkpoint(plugin: str, text: str, base: Path, own: OwnWeights) -> Proposal:
    """Propose an architecture with a checkpoint.

    Parameters
    ----------
    plugin : str
        The plug-in of the library.
    text : str
        ``ARCHITECTURE``; with the name of weights of the library (``ARCHITECTURE.TAG``,
        ``ARCHITECTURE/TAG``) their preprocessing is the default.
    base : Path
        Folder of the registry file.
    own : OwnWeights

    Returns
    -------
    Proposal

    Raises
    ------
    BenchError
        If there is no such architecture, the file is no checkpoint, or its weights do not fit.
    """
    checkpoint = checkpoint_of(own.file, base)
    make: type[LibraryNetwork] = load_plugin(plugin, shipped_root())
    architecture, _, tag = text.partition("/" if make.library == "open_clip" else ".")
    bare = make(ModelSpec(text, {"architecture": architecture}, untrained=0))
    state, part = read_part(own.file, own.part)
    notes = [] if part is None else [f"weights: under {part} in {own.file.name}"]
    params = {
        "architecture": architecture,
        "preprocessing": _preprocessing(own.preprocess(*_default(bare, tag))),
        **({} if own.part is None else {"part": own.part}),
        **_classes(bare, state, notes),
    }
    entry = {
        "plugin": plugin,
        "description": f"{architecture} ({make.library}), weights of {own.file.name}",
        "params": params,
        "checkpoint": checkpoint,
    }
    proposal = Proposal(name_of(f"{architecture}_{own.file.stem}"), entry, notes)
    proposal.describe(make(ModelSpec(own.file.name, params, weights=own.file)))
    return by_hand(proposal)


def _classes(bare: LibraryNetwork, state: Mapping[str, torch.Tensor], notes: list[str]) -> dict[str, Any]:
    """The number of classes in the file, as params; ``notes`` gets what was read and what was left out."""
    keys = bare.network.state_dict()
    weights, prefix = without_prefix(bare.renamed(dict(state), bare.network), keys)
    if prefix:
        notes.append(f"weights: {prefix} before every key is left out")
    key = f"{bare.classifier()}.weight"
    if bare.library == "open_clip" or key not in keys or key not in weights:
        return {}  # an image tower ends in an embedding
    count = len(weights[key])
    notes.append(f"classes: {count}, read off {key}")
    if count == _IMAGENET:
        notes.append(
            "if they are those of ILSVRC-2012 in the usual order, add params: {classes: imagenet-1k}"
        )
    return {"kwargs": {"num_classes": count}}


def _default(bare: LibraryNetwork, tag: str) -> tuple[str, str]:
    """Text and words of the preprocessing that the library has for the weights ``tag``, or for none."""
    architecture = bare.params.architecture
    if not tag and bare.library == "torchvision":
        from torchvision import models

        tag = next(iter(models.get_model_weights(architecture))).name
    elif not tag and bare.library == "timm":
        import timm

        tag = (timm.list_pretrained(f"{architecture}.*") or [""])[0].partition(".")[2]
    if not tag:
        return _in_full(bare.transform), bare.preprocessing
    named = type(bare)(ModelSpec(bare.spec.name, {**bare.spec.params, "preprocessing": tag}, untrained=0))
    return tag, named.preprocessing


def _in_full(transform: Any) -> str:
    """A resize, crop and normalisation of a library, as the keys of :class:`Preprocessing`."""
    steps = {type(step).__name__: step for step in transform.transforms}
    resize, crop, normalize = (steps[name] for name in ("Resize", "CenterCrop", "Normalize"))
    keys = {
        "resize": resize.size,
        "crop": list(crop.size),
        "mean": [round(float(value), 6) for value in normalize.mean],
        "std": [round(float(value), 6) for value in normalize.std],
        "interpolation": resize.interpolation.value,
    }
    return yaml.safe_dump(keys, default_flow_style=True, sort_keys=False, width=1000).strip()


def _preprocessing(text: str) -> dict[str, Any] | str:
    """The value of ``preprocessing`` in the entry: the name of weights, or keys in braces."""
    if not text.lstrip().startswith("{"):
        return text.strip()
    try:
        keys = yaml.safe_load(text)
        made = Preprocessing.model_validate(keys)
    except yaml.YAMLError as error:
        raise UsageError(f"--preprocess {text}: is not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise UsageError(
            f"--preprocess {text}: {place}: {first['msg']}; the keys are "
            f"{', '.join(Preprocessing.model_fields)}"
        ) from error
    return made.model_dump(mode="json", exclude_none=True)
