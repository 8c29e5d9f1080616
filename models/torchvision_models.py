"""Networks of torchvision, with the library's weights, those of a file, or random ones."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from typing import Any, ClassVar, cast

import torch
import torchvision

from benchmark.common.errors import UsageError
from benchmark.extraction import LibraryNetwork, Preprocessing, Transform, fetching, torch_hub_file

#: Architectures that normalise their input once more if they are built for torchvision's own weights.
_WITH_TRANSFORM = ("googlenet", "inception_v3")


class Torchvision(LibraryNetwork):
    """``torchvision.models.get_model(architecture)``; ``checkpoint: {hub: IMAGENET1K_V1}`` names weights."""

    library = "torchvision"

    def architectures(self) -> Sequence[str]:
        """Names of all architectures that ``torchvision.models`` can build."""
        return list(torchvision.models.list_models())

    def construct(self) -> torch.nn.Module:
        """The network with random weights."""
        kwargs = self.factory_kwargs
        if self.params.architecture in _WITH_TRANSFORM:
            kwargs.setdefault("init_weights", True)
        return cast("torch.nn.Module", torchvision.models.get_model(self.params.architecture, **kwargs))

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments that torchvision sets itself when it loads weights, and not otherwise.

        With preprocessing in full, ``transform_input`` depends on it: it turns ImageNet statistics into those
        of the weights, so it is on unless the entry gives the latter (mean and standard deviation 0.5).
        """
        architecture, preprocessing = self.params.architecture, self.params.preprocessing
        settings: dict[str, Any] = {}
        if architecture in _WITH_TRANSFORM:
            is_own = isinstance(preprocessing, Preprocessing) and (
                preprocessing.mean == preprocessing.std == (0.5, 0.5, 0.5)
            )
            settings["transform_input"] = not is_own
        if architecture == "googlenet" and self.spec.untrained is not None:
            settings["aux_logits"] = False  # torchvision takes them out of the trained network
        if architecture.startswith("vit_") and isinstance(self.named_weights, str):
            settings["image_size"] = self._weights(self.named_weights).meta["min_size"][0]
        if "weights_backbone" in signature(torchvision.models.get_model_builder(architecture)).parameters:
            settings["weights_backbone"] = None  # torchvision's default is a trained backbone
        return settings

    def fetch(self, hub: str) -> torch.nn.Module:
        """The network with the weights ``hub``; ``torch.hub`` downloads them if they are not there yet."""
        weights = self._weights(hub)
        with fetching(torch_hub_file(weights.url), weights.url, self.spec.sha256):
            # This refuses pickles that would run code. get_model alone would run them.
            weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
            network = torchvision.models.get_model(
                self.params.architecture, weights=weights, progress=False, **self.factory_kwargs
            )
        return cast("torch.nn.Module", network)

    def own_transform(self, weights: str | None) -> Transform:
        """The library's own transform for the weights, ``weights.transforms()``."""
        return cast("Transform", self._weights(weights).transforms())

    def _weights(self, name: str | None) -> Any:
        known = torchvision.models.get_model_weights(self.params.architecture)
        if name is None:
            return next(iter(known))
        if name not in known.__members__:
            raise UsageError(
                f"{self.spec.name}: torchvision has no weights {name!r} for {self.params.architecture}; "
                f"it has {', '.join(known.__members__)}"
            )
        return known[name]


class TorchvisionTrunk(Torchvision):
    """The module ``features`` of a network, for weights that come without the dense layers after it.

    Its classes are those of a readout. The layer ``"output"`` is the last map, pooled. For AlexNet, VGG, and
    others whose dense layers are the module ``classifier``.
    """

    classes_read_out: ClassVar[bool] = True

    def construct(self) -> torch.nn.Module:
        """The trunk with random weights."""
        return _without_dense_layers(super().construct())

    def fetch(self, hub: str) -> torch.nn.Module:
        """The trunk with the weights ``hub``, without their dense layers."""
        return _without_dense_layers(super().fetch(hub))

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """One forward pass, to the last map."""
        return cast("torch.Tensor", self.network.get_submodule("features")(batch))

    def classifier(self) -> str | None:
        """None: there is no classifier, and the last convolution is not one."""
        return None


def _without_dense_layers(network: torch.nn.Module) -> torch.nn.Module:
    network.classifier = torch.nn.Sequential()
    return network
