"""The Taskonomy encoders (visualpriors)."""

from __future__ import annotations

import torch
from PIL import Image
from torch import nn
from visualpriors.taskonomy_network import TASKONOMY_PRETRAINED_URLS, TaskonomyEncoder

from benchmark.common.did_you_mean import did_you_mean
from benchmark.common.errors import BenchError, UsageError
from benchmark.extraction import (
    NetworkModel,
    Preprocessing,
    blocks,
    load_strictly,
    read_state_dict,
    torch_hub_checkpoint,
    torch_hub_file,
)
from benchmark.model import ModelSpec

_ENCODER = "_encoder"


class Taskonomy(NetworkModel):
    """The encoder of one Taskonomy task, named by ``params: {feature: class_object}``.

    The layers are the bottleneck blocks of its ResNet-50, averaged over space, and ``"output"``: the
    normalised 8 x 16 x 16 representation, flattened.

    With ``checkpoint: {hub: class_object}`` the weights are fetched from the address that visualpriors names.
    A checkpoint file is a state dict of the encoder. Images are resized to 256 x 256 pixels and scaled to
    [-1, 1]. ImageNet statistics are never used.
    """

    transform = Preprocessing(resize=256, crop=256, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        known = sorted(k.removesuffix(_ENCODER) for k in TASKONOMY_PRETRAINED_URLS if k.endswith(_ENCODER))
        feature = str(spec.params.get("feature"))
        if feature not in known:
            raise UsageError(
                f"{spec.name}: params.feature: no encoder {feature!r}; {did_you_mean(feature, known, most=3)}"
            )
        self.feature = feature

    @property
    def preprocessing(self) -> str:
        """Everything done to an image before the first layer."""
        return repr(self.transform)

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        """RGB image to tensor, shape (3, 256, 256), from -1 to 1."""
        return self.transform(image)

    def build(self) -> nn.Module:
        """Make the encoder with fetched weights, those of a file, or random ones."""
        encoder: nn.Module = TaskonomyEncoder()
        if self.spec.weights is not None:
            load_strictly(encoder, read_state_dict(self.spec.weights), self.spec.weights)
        elif self.spec.hub is not None:
            url = TASKONOMY_PRETRAINED_URLS[self.feature + _ENCODER]
            content = torch_hub_checkpoint(url, sha256=self.spec.sha256)
            if "state_dict" not in content:
                raise BenchError(f"{torch_hub_file(url)}: has no state_dict: not the checkpoint published")
            load_strictly(encoder, content["state_dict"], torch_hub_file(url))
        return encoder

    def modules(self) -> dict[str, str]:
        """The bottleneck blocks."""
        return {path: path for path in blocks(self.network)}

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Representation of each image, shape (n, 2048)."""
        representation: torch.Tensor = self.network(batch)
        return representation.flatten(1)
