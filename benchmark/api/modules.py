"""A torch module as a model: its blocks as layers, with the preprocessing that the user declares."""

from __future__ import annotations

import inspect
import sysconfig
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from benchmark.common.errors import UsageError
from benchmark.extraction import NetworkModel, blocks
from benchmark.model import ModelSpec
from benchmark.registry import plugin_code

#: Where installed code lies, whose version stands in every result
_INSTALLED = tuple(Path(sysconfig.get_path(of)) for of in ("purelib", "stdlib"))


class ModuleModel(NetworkModel):
    """A torch module of the user's own.

    The layers are the blocks of the module (:func:`benchmark.extraction.blocks`). The module is copied, so
    what is done here, such as eval mode, does not touch it.

    Parameters
    ----------
    module : Module
        With its weights.
    preprocess : callable
        PIL image (RGB) to tensor, float32, shape (c, h, w), the same for every image.

    Raises
    ------
    UsageError
        If ``preprocess`` is no function.
    """

    def __init__(self, module: torch.nn.Module, preprocess: Callable[[Image.Image], torch.Tensor]) -> None:
        if not callable(preprocess):
            raise UsageError(
                f"model is a torch module ({type(module).__name__}): give preprocess=, the function from a "
                "PIL image to the tensor that its weights were trained with, such as weights.transforms()"
            )
        super().__init__(ModelSpec(type(module).__name__))
        self.module = deepcopy(module)
        self.transform = preprocess
        self.code = _own_code([*module.modules(), preprocess])

    def build(self) -> torch.nn.Module:
        """The module."""
        return self.module

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        """The tensor of an image."""
        return self.transform(image)

    def modules(self) -> dict[str, str]:
        """Its blocks; of a module without any, its parts that have weights."""
        parts = (name for name, part in self.module.named_children() if any(True for _ in part.parameters()))
        return {path: path for path in blocks(self.module) or parts}

    @property
    def preprocessing(self) -> str:
        """What the function calls itself."""
        if inspect.isroutine(self.transform):
            return f"{self.transform.__module__}.{self.transform.__qualname__}"
        return " ".join(repr(self.transform).split())


def _own_code(used: list[Any]) -> list[Any]:
    """What identifies the source files of classes and functions that are the user's own."""
    kinds = {one if inspect.isroutine(one) else type(one) for one in used}
    found = []
    for kind in sorted(kinds, key=lambda kind: (kind.__module__, kind.__qualname__)):
        if kind.__module__ == "__main__":  # written in a notebook: it is hashed with the state
            continue
        try:
            file = Path(inspect.getfile(kind))
        except TypeError:  # built in
            continue
        if not any(file.is_relative_to(folder) for folder in _INSTALLED):
            found.append(
                plugin_code(f"{kind.__module__}:{kind.__qualname__.partition('.')[0]}", Path()).as_key()
            )
    return found
