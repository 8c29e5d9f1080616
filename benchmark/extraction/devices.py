"""Which device networks run on."""

from __future__ import annotations

import os
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


def set_deterministic(on: bool) -> None:
    """Let torch use only operations that give the same bits each time (``on``), or any, in this process.

    An operation of which there is no such form then raises an error where it is called.
    """
    if on == is_deterministic():
        return
    import torch

    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when CUDA is started
    torch.use_deterministic_algorithms(on)


def is_deterministic() -> bool:
    """Whether torch uses only operations that give the same bits each time. It is not imported to answer."""
    torch = sys.modules.get("torch")
    return torch is not None and torch.are_deterministic_algorithms_enabled()


def _may_have_an_accelerator() -> bool:
    return sys.platform != "linux" or any(Path(driver).exists() for driver in _DRIVERS)
