"""The Taskonomy encoders (visualpriors), and the encoder fine-tuned to give semantic associates."""

from __future__ import annotations

import difflib
import json
from functools import cached_property

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError, safe_open
from torch import nn
from visualpriors.taskonomy_network import TASKONOMY_PRETRAINED_URLS, TaskonomyEncoder

from benchmark.errors import BenchError, UsageError
from benchmark.extraction import (
    NetworkModel,
    Preprocessing,
    blocks,
    load_strictly,
    read_state_dict,
    torch_hub_checkpoint,
    torch_hub_file,
)
from benchmark.model import Associations, ModelSpec

#: Values of the representation: 8 maps of 16 x 16.
REPRESENTATION = 2048

_ENCODER = "_encoder"


class _OnTaskonomy(NetworkModel):
    """Preprocessing of every Taskonomy encoder: 256 x 256, scaled to [-1, 1], never ImageNet statistics."""

    transform = Preprocessing(resize=256, crop=256, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))

    @property
    def preprocessing(self) -> str:
        """Everything done to an image before the first layer."""
        return repr(self.transform)

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        """RGB image to tensor, shape (3, 256, 256), between -1 and 1."""
        return self.transform(image)


class Taskonomy(_OnTaskonomy):
    """The encoder of one Taskonomy task; ``params: {feature: class_object}``.

    Layers are the bottleneck blocks of its ResNet-50, averaged over space, and ``"output"``, the normalised
    8 x 16 x 16 representation, flattened. ``checkpoint: {hub: class_object}`` lets visualpriors' own address
    be fetched; a checkpoint file is what lies there.
    """

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        known = sorted(k.removesuffix(_ENCODER) for k in TASKONOMY_PRETRAINED_URLS if k.endswith(_ENCODER))
        feature = str(spec.params.get("feature"))
        if feature not in known:
            near = difflib.get_close_matches(feature, known) or known
            raise UsageError(
                f"{spec.name}: params.feature is {feature!r}; nearest encoders: {', '.join(near)}"
            )
        self.feature = feature

    def build(self) -> nn.Module:
        """Make the encoder: fetched weights, those of a file, or random ones."""
        encoder: nn.Module = TaskonomyEncoder()
        if self.spec.weights is not None:
            load_strictly(encoder, read_state_dict(self.spec.weights), self.spec.weights)
        elif self.spec.hub is not None:
            url = TASKONOMY_PRETRAINED_URLS[self.feature + _ENCODER]
            content = torch_hub_checkpoint(url, sha256=self.spec.sha256)
            load_strictly(encoder, content["state_dict"], torch_hub_file(url))
        return encoder

    def modules(self) -> dict[str, str]:
        """The bottleneck blocks."""
        return {path: path for path in blocks(self.network)}

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Representation of each image, shape (n, 2048)."""
        representation: torch.Tensor = self.network(batch)
        return representation.flatten(1)


class AssociationNetwork(nn.Module):
    """Taskonomy encoder, its representation flattened, and a linear map to a vocabulary.

    Parameters
    ----------
    responses : int or None
        Size of the vocabulary; None: there is no head, and the representation is the output.
    """

    def __init__(self, responses: int | None) -> None:
        super().__init__()
        self.encoder = TaskonomyEncoder()
        self.head = nn.Identity() if responses is None else nn.Linear(REPRESENTATION, responses)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images, shape (n, 3, 256, 256), to logits, shape (n, responses)."""
        logits: torch.Tensor = self.head(self.encoder(images).flatten(1))
        return logits


class SwowAssociation(_OnTaskonomy):
    """Taskonomy encoder fine-tuned end to end so that its output is the profile of words an image evokes.

    The checkpoint is a safetensors file with keys ``encoder.*`` and ``head.*``, and the vocabulary as a JSON
    list under ``vocabulary`` in its metadata. Layers are the blocks of the encoder, ``"features"`` (its
    representation) and ``"output"`` (the logits, one a response). The untrained twin has no vocabulary,
    hence no head and no associations: its output is the representation.
    """

    @cached_property
    def vocabulary(self) -> tuple[str, ...] | None:
        """The responses, in the order of the outputs; None: untrained."""
        if self.spec.untrained is not None:
            return None
        path = self.spec.weights
        if path is None or path.suffix != ".safetensors":
            raise UsageError(f"{self.spec.name}: needs a checkpoint file that is a .safetensors, not {path}")
        try:
            with safe_open(path, framework="pt") as file:
                words = json.loads((file.metadata() or {})["vocabulary"])
        except (KeyError, ValueError, SafetensorError) as error:
            raise BenchError(f"{path}: no vocabulary (a JSON list) in the metadata of the file") from error
        if not isinstance(words, list) or not all(isinstance(w, str) for w in words) or not words:
            raise BenchError(f"{path}: the vocabulary in the metadata is not a list of words")
        if len(set(words)) != len(words):
            raise BenchError(f"{path}: the vocabulary in the metadata names a word twice")
        return tuple(words)

    def build(self) -> nn.Module:
        """Make the network with the weights of the checkpoint, or random ones."""
        network = AssociationNetwork(None if self.vocabulary is None else len(self.vocabulary))
        if self.spec.weights is not None:
            load_strictly(network, read_state_dict(self.spec.weights), self.spec.weights)
        return network

    def modules(self) -> dict[str, str]:
        """Blocks of the encoder, then its representation."""
        paths = [f"encoder.{path}" for path in blocks(self.network.get_submodule("encoder"))]
        head = {} if self.vocabulary is None else {"features": "head:input"}
        return {path: path for path in paths} | head

    def associations(self, output: np.ndarray) -> Associations | None:
        """Association strengths: the softmax of the logits."""
        if self.vocabulary is None:
            return None
        strengths = torch.from_numpy(output).double().softmax(1).numpy()
        return Associations(self.vocabulary, strengths)
