"""Which device networks run on."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmark.common.errors import UsageError

AUTO = "auto"
#: Files that Linux has where a driver of an accelerator is loaded: NVIDIA, NVIDIA under Windows, AMD
_DRIVERS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")


def resolve_device(name: str) -> str:
    """The device that ``name`` means: "cpu", "cuda" or "mps".

    Parameters
    ----------
    name : str
        A device, or "auto": the accelerator of this machine where there is one, else the CPU. torch is
        imported to ask it, except on Linux without a driver: there the answer is known to be the CPU.

    Raises
    ------
    UsageError
        If torch finds no such device.
    """
    if name == "cpu" or (name == AUTO and not _may_have_an_accelerator()):
        return "cpu"
    import torch

    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == AUTO:
        return next((device for device, there in available.items() if there), "cpu")
    if not available.get(name, False):
        raise UsageError(f"device {name}: torch finds no such device; use --device cpu or auto")
    return name


def _may_have_an_accelerator() -> bool:
    return sys.platform != "linux" or any(Path(driver).exists() for driver in _DRIVERS)
