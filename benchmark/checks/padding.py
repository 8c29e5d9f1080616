"""Two ways in which convolutions with a stride pad an image. Weights load into both without an error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch.nn import functional

TENSORFLOW = "padding as TensorFlow has it (timm: kwargs: {pad_type: same})"
SYMMETRIC = "the same padding at both ends (timm: without pad_type: same)"


def padding_name(network: torch.nn.Module) -> str | None:
    """Name of the other padding; None: no convolution of ``network`` has one."""
    convolutions = _strided(network)
    if not convolutions:
        return None
    return SYMMETRIC if any(map(_pads_same, convolutions)) else TENSORFLOW


@contextmanager
def other_padding(network: torch.nn.Module) -> Iterator[None]:
    """Give the convolutions with a stride the other padding for a while.

    TensorFlow's ``SAME`` pads more at the end than at the start, where the numbers are odd. With stride 1 the
    two paddings are equal. So weights of one load into the other without an error.

    Parameters
    ----------
    network : Module
    """
    changed = _strided(network)
    for module in changed:
        module.forward = partial(_symmetric if _pads_same(module) else _same, module)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for module in changed:
            del module.forward


def _strided(network: torch.nn.Module) -> list[torch.nn.Conv2d]:
    return [
        module
        for module in network.modules()
        if isinstance(module, torch.nn.Conv2d)
        and max(module.stride) > 1
        and max(module.kernel_size) > 1
        and (_pads_same(module) or module.padding == _symmetric_padding(module))
    ]


def _pads_same(module: torch.nn.Conv2d) -> bool:
    return type(module).__name__ == "Conv2dSame"  # timm's; it may not be installed


def _symmetric_padding(module: torch.nn.Conv2d) -> tuple[int, ...]:
    sides = zip(module.kernel_size, module.stride, module.dilation, strict=True)
    return tuple((stride - 1 + dilation * (kernel - 1)) // 2 for kernel, stride, dilation in sides)


def _symmetric(module: torch.nn.Conv2d, x: torch.Tensor) -> torch.Tensor:
    return _convolve(module, x, _symmetric_padding(module))


def _same(module: torch.nn.Conv2d, x: torch.Tensor) -> torch.Tensor:
    pads: list[int] = []
    sides = zip(x.shape[-2:], module.kernel_size, module.stride, module.dilation, strict=True)
    for length, kernel, stride, dilation in sides:
        total = max((-(-length // stride) - 1) * stride + (kernel - 1) * dilation + 1 - length, 0)
        pads = [total // 2, total - total // 2, *pads]
    return _convolve(module, functional.pad(x, pads), 0)


def _convolve(module: torch.nn.Conv2d, x: torch.Tensor, padding: Any) -> torch.Tensor:
    return functional.conv2d(
        x, module.weight, module.bias, module.stride, padding, module.dilation, module.groups
    )
