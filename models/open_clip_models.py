"""Image towers of open_clip, with the library's weights, those of a file, or random ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import open_clip
import torch
from open_clip.pretrained import download_pretrained_from_hf
from open_clip.transform import PreprocessCfg, image_transform_v2, merge_preprocess_dict

from benchmark.common.errors import UsageError
from benchmark.extraction import LibraryNetwork, Transform, blocks, fetching, hugging_face_folder


class OpenClip(LibraryNetwork):
    """The image tower of a CLIP network; ``checkpoint: {hub: openai}`` names pretrained weights.

    The layers are the blocks of the tower. ``"output"`` is the image embedding in the space that images and
    texts share, not normalised. A checkpoint file holds the whole network, or only the image tower with the
    keys of ``model.visual``.
    """

    library = "open_clip"

    def architectures(self) -> Sequence[str]:
        """Names of all architectures that ``open_clip`` can build."""
        return cast("Sequence[str]", open_clip.list_models())

    def construct(self) -> torch.nn.Module:
        """The image tower with random weights."""
        clip = open_clip.create_model(self.params.architecture, load_weights=False, **self.factory_kwargs)
        return cast("torch.nn.Module", clip.visual)

    def fetch(self, hub: str) -> torch.nn.Module:
        """The image tower with the weights ``hub``; open_clip downloads them if they are not there yet."""
        config = self._config(hub)
        repository = str(config.get("hf_hub") or "").rstrip("/")
        if repository:
            looked_for, source = hugging_face_folder(repository), f"huggingface.co/{repository}"
        else:
            looked_for = Path("~/.cache/clip").expanduser() / Path(config["url"]).name
            source = config["url"]
        with fetching(looked_for, source):
            weights = hub
            if self.spec.revision is not None:
                weights = download_pretrained_from_hf(repository, revision=self.spec.revision)
            clip = open_clip.create_model(
                self.params.architecture, pretrained=weights, weights_only=True, **self.factory_kwargs
            )
        return cast("torch.nn.Module", clip.visual)

    def renamed(self, state: dict[str, torch.Tensor], network: torch.nn.Module) -> dict[str, torch.Tensor]:
        """The weights of the image tower; those of a whole network begin with ``visual.``.

        Parameters
        ----------
        state : dict of str to Tensor
            The weights by their name in the file.
        network : Module
            The image tower that will get them.
        """
        del network
        tower = {name: weight for name, weight in state.items() if "visual" in name.split(".")[:-1]}
        return tower or state

    @property
    def settings(self) -> dict[str, Any]:
        """QuickGELU if the architecture has it, or the named weights were trained with it.

        If the entry gives the architecture's own argument, ``kwargs: {quick_gelu: true}``, that one counts.
        """
        if "quick_gelu" in self.params.kwargs:
            return {}
        configs = (open_clip.get_model_config(self.params.architecture), self._config(self.named_weights))
        return {"force_quick_gelu": any((config or {}).get("quick_gelu", False) for config in configs)}

    def own_transform(self, weights: str | None) -> Transform:
        """The validation transform of open_clip for the weights."""
        config = merge_preprocess_dict(self.network.preprocess_cfg, self._config(weights))
        return cast("Transform", image_transform_v2(PreprocessCfg(**config), is_train=False))

    def modules(self) -> dict[str, str]:
        """Blocks in depth order. Attention pooling is left out, since it gives the output itself."""
        return self.with_patches([path for path in blocks(self.network) if path != "attnpool"])

    def _config(self, weights: str | None) -> dict[str, Any]:
        if weights is None:
            return {}
        config = open_clip.get_pretrained_cfg(self.params.architecture, weights)
        if not config:
            known = open_clip.list_pretrained_tags_by_model(self.params.architecture)
            raise UsageError(
                f"{self.spec.name}: open_clip has no weights {weights!r} for {self.params.architecture}; "
                f"it has {', '.join(known) or 'none'}"
            )
        return cast("dict[str, Any]", config)
