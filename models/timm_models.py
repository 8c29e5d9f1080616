"""Networks of timm, with the library's weights, those of a file, or random ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import timm
import torch
from timm.data.config import resolve_data_config
from timm.data.transforms_factory import create_transform

from benchmark.common.errors import UsageError
from benchmark.extraction import LibraryNetwork, Transform, fetching, hugging_face_folder, torch_hub_file


class Timm(LibraryNetwork):
    """``timm.create_model(architecture)``; ``checkpoint: {hub: a1_in1k}`` names pretrained weights."""

    library = "timm"

    def architectures(self) -> Sequence[str]:
        """Names of all architectures that ``timm`` can build."""
        return timm.list_models()

    def construct(self) -> torch.nn.Module:
        """The network with random weights, with the input size, classes and pooling of the named weights."""
        if self.named_weights is not None:
            self._config(self.named_weights)  # an error that lists the weights there are
        return timm.create_model(self._name(self.named_weights), pretrained=False, **self.factory_kwargs)

    def fetch(self, hub: str) -> torch.nn.Module:
        """The network with the weights ``hub``; timm downloads them if they are not there yet."""
        config = self._config(hub)
        if config.hf_hub_id:
            looked_for, source = hugging_face_folder(config.hf_hub_id), f"huggingface.co/{config.hf_hub_id}"
        else:
            looked_for, source = torch_hub_file(config.url), config.url
        kwargs = self.factory_kwargs
        if self.spec.revision is not None:
            kwargs["pretrained_cfg_overlay"] = {"hf_hub_id": f"{config.hf_hub_id}@{self.spec.revision}"}
        with fetching(looked_for, source, self.spec.sha256):
            return timm.create_model(self._name(hub), pretrained=True, **kwargs)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """One forward pass. A network that is built with ``features_only`` gives its last map."""
        output = self.network(batch)
        return cast("torch.Tensor", output[-1] if isinstance(output, list) else output)

    def own_transform(self, weights: str | None) -> Transform:
        """The evaluation transform from the configuration of the weights."""
        config = self._config(weights)
        data = resolve_data_config(pretrained_cfg=config.to_dict())  # type: ignore[no-untyped-call]
        return cast("Transform", create_transform(**data, is_training=False))

    def classifier(self) -> str | None:
        """Path of the module that timm calls the classifier; None: the network has no classifier, or two."""
        get = getattr(self.network, "get_classifier", None)
        classifier = get() if get is not None else None
        if not isinstance(classifier, (torch.nn.Linear, torch.nn.Conv2d)):
            return None
        return next((path for path, module in self.network.named_modules() if module is classifier), None)

    def _name(self, weights: str | None) -> str:
        architecture = self.params.architecture
        return f"{architecture.partition('.')[0]}.{weights}" if weights else architecture

    def _config(self, weights: str | None) -> Any:
        name = self._name(weights)
        if weights is not None and not timm.is_model_pretrained(name):
            known = timm.list_pretrained(f"{name.partition('.')[0]}.*")
            tags = ", ".join(full.partition(".")[2] for full in known) or "none"
            raise UsageError(
                f"{self.spec.name}: timm has no weights {weights!r} for {self.params.architecture}; "
                f"it has {tags}"
            )
        return timm.get_pretrained_cfg(name)


#: Names of EfficientNet-PyTorch for modules outside the blocks, in a block, and in a block that does not
#: expand; each with timm's name
_OUTSIDE = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
_EXPANDING = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
_PLAIN = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}


class EfficientNetPyTorch(Timm):
    """An EfficientNet of timm with a file of weights under the names of EfficientNet-PyTorch.

    That library (Melas-Kyriazi 2019) numbers the blocks of a network from its first to its last; timm numbers
    the stages, and the blocks of each stage.
    """

    def renamed(self, state: dict[str, torch.Tensor], network: torch.nn.Module) -> dict[str, torch.Tensor]:
        """The weights under timm's names. A name that is not understood stays, and is then left over.

        Parameters
        ----------
        state : dict of str to Tensor
            The weights by their name in the file.
        network : Module
            The network of timm that will get them.
        """
        stages = network.get_submodule("blocks").named_children()
        blocks = [f"blocks.{i}.{j}" for i, stage in stages for j, _ in stage.named_children()]
        places: dict[str, str] = dict(_OUTSIDE)
        for number, block in enumerate(blocks):
            expands = f"_blocks.{number}._expand_conv.weight" in state
            names = _EXPANDING if expands else _PLAIN
            places |= {f"_blocks.{number}.{own}": f"{block}.{timms}" for own, timms in names.items()}
        modules = {name: name.rpartition(".") for name in state}
        return {
            f"{places.get(module, module)}.{last}" if module else name: state[name]
            for name, (module, _, last) in modules.items()
        }
