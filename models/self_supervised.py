"""Self-supervised ResNet-50s from published checkpoints: the backbone without the head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torchvision

from benchmark.common.errors import BenchError, UsageError
from benchmark.extraction import (
    LibraryNetwork,
    Preprocessing,
    Transform,
    as_state_dict,
    blocks,
    load_strictly,
    torch_hub_checkpoint,
    torch_hub_file,
)


@dataclass(frozen=True)
class Published:
    """How a checkpoint was published.

    Attributes
    ----------
    url : str
        Address of the checkpoint.
    file : str, optional
        File name under which torch.hub keeps it, since two of these are called resnet50.pth. None: the file
        name of the url.
    within : tuple of str
        Keys that lead to the state dict in the file, the outermost first.
    prefix : str
        Beginning of the name of every weight of the backbone.
    dropped : tuple of str
        Beginnings of the names of weights that belong to the head, or only to the training.
    """

    url: str
    file: str | None = None
    within: tuple[str, ...] = ()
    prefix: str = ""
    dropped: tuple[str, ...] = ()


_META = "https://dl.fbaipublicfiles.com"

#: Addresses and formats come from the hubconf.py or the README of each repository. VISSL trained the SimCLR
#: network (1000 epochs), since the authors of SimCLR published only TensorFlow checkpoints.
PUBLISHED = {
    "simclr": Published(
        f"{_META}/vissl/model_zoo/simclr_rn50_1000ep_simclr_8node_resnet_16_07_20.afe428c7/"
        "model_final_checkpoint_phase999.torch",
        file="simclr_rn50_1000ep.afe428c7.torch",
        within=("classy_state_dict", "base_model", "model", "trunk"),
        prefix="_feature_blocks.",
    ),
    "moco_v2": Published(
        f"{_META}/moco/moco_checkpoints/moco_v2_800ep/moco_v2_800ep_pretrain.pth.tar",
        within=("state_dict",),
        prefix="module.encoder_q.",
        dropped=("module.encoder_q.fc.", "module.encoder_k.", "module.queue"),
    ),
    "swav": Published(
        f"{_META}/deepcluster/swav_800ep_pretrain.pth.tar",
        prefix="module.",
        dropped=("module.projection_head.", "module.prototypes."),
    ),
    "barlow_twins": Published(
        f"{_META}/barlowtwins/ep1000_bs2048_lrw0.2_lrb0.0048_lambd0.0051/resnet50.pth",
        file="barlow_twins_resnet50.pth",
        dropped=("fc.",),
    ),
    "vicreg": Published(f"{_META}/vicreg/resnet50.pth", file="vicreg_resnet50.pth"),
    "dino": Published(f"{_META}/dino/dino_resnet50_pretrain/dino_resnet50_pretrain.pth", dropped=("fc.",)),
}


class SelfSupervised(LibraryNetwork):
    """A self-supervised ResNet-50; ``checkpoint: {hub: swav}`` names one of :data:`PUBLISHED`.

    The network is torchvision's ResNet-50 without its classifier. ``"output"`` is the pooled last map, 2048
    values. The preprocessing is that of the linear evaluation of all six: short side to 256, centre crop 224,
    ImageNet statistics. A checkpoint file holds only the backbone, with the keys of torchvision.
    """

    library = "models/self_supervised.py"

    def architectures(self) -> Sequence[str]:
        """The only architecture."""
        return ("resnet50",)

    def construct(self) -> torch.nn.Module:
        """The backbone with random weights."""
        network: torch.nn.Module = torchvision.models.resnet50()
        network.fc = torch.nn.Identity()
        return network

    def fetch(self, hub: str) -> torch.nn.Module:
        """The backbone with the published weights ``hub``."""
        if hub not in PUBLISHED:
            raise UsageError(f"{self.spec.name}: no weights {hub!r}; there are {', '.join(PUBLISHED)}")
        published = PUBLISHED[hub]
        file = torch_hub_file(published.url, published.file)
        content = torch_hub_checkpoint(published.url, name=published.file, sha256=self.spec.sha256)
        network = self.construct()
        load_strictly(network, backbone(content, published, file), file)
        return network

    def own_transform(self, weights: str | None) -> Transform:
        """The only preprocessing, whatever the ``weights``; see the class."""
        del weights
        return Preprocessing(resize=256, crop=224, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))

    def modules(self) -> dict[str, str]:
        """The bottleneck blocks. The last one is left out: averaged over space, it is the output itself."""
        return {path: path for path in blocks(self.network)[:-1]}


def backbone(content: Mapping[str, Any], published: Published, where: object) -> dict[str, torch.Tensor]:
    """The weights of the backbone under torchvision's names.

    Parameters
    ----------
    content : mapping
        The content of the checkpoint.
    published : Published
        The format of the checkpoint.
    where : object
        The file, for the error message.

    Raises
    ------
    BenchError
        If the file has not the published format, or has a weight that belongs neither to the backbone nor to
        a known head.
    """
    inner: Any = content
    for key in published.within:
        if not isinstance(inner, Mapping) or key not in inner:
            raise BenchError(f"{where}: has no {'.'.join(published.within)}: not the checkpoint published")
        inner = inner[key]
    weights = {}
    for name, weight in as_state_dict(inner, where).items():
        if name.startswith(published.dropped):
            continue
        if not name.startswith(published.prefix):
            raise BenchError(
                f"{where}: {name!r} is neither of the backbone ({published.prefix}*) nor of its head "
                f"({', '.join(published.dropped) or 'none'}): not the checkpoint published"
            )
        weights[name.removeprefix(published.prefix)] = weight
    return weights
