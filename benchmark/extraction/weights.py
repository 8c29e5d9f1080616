"""Reading weights: no code is run, no key is left out, and the random state stays as it was."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from benchmark.common.errors import BenchError


def read_state_dict(path: Path) -> dict[str, torch.Tensor]:
    """Read a state dict from a safetensors file or a torch checkpoint.

    Parameters
    ----------
    path : Path
        ``*.safetensors``, or a file that ``torch.save`` wrote: a state dict, or a dict with a state dict
        under ``state_dict``. It is read with ``weights_only=True``.

    Returns
    -------
    dict of str to Tensor
        The weights by name, on the CPU.

    Raises
    ------
    BenchError
        If the file is not a checkpoint, or is a pickle that would run code.
    """
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise BenchError(f"{path}: not a safetensors file ({error})") from error
    content = load_checkpoint(path)
    if isinstance(content, dict) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    return as_state_dict(content, path)


def load_checkpoint(path: Path) -> Any:
    """Whatever ``torch.save`` wrote into the file at ``path``, on the CPU; no code of the file is run.

    Raises
    ------
    BenchError
        If the file is not a checkpoint, or is a pickle that would run code.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise refusal(path, error) from error
    except Exception as error:  # text read as a pickle raises whatever its first letters mean
        raise BenchError(f"{path}: damaged, or not a torch checkpoint ({type(error).__name__})") from error


def as_state_dict(content: object, where: object) -> dict[str, torch.Tensor]:
    """The ``content`` of a checkpoint, which must be a state dict.

    Parameters
    ----------
    content : object
        What the file holds, or the part of it that should be the state dict.
    where : object
        The file, for the error message.

    Raises
    ------
    BenchError
        If it is anything but a mapping of names to tensors. The message says what it is.
    """
    if isinstance(content, Mapping):
        fits = all(isinstance(k, str) and isinstance(v, torch.Tensor) for k, v in content.items())
        if fits:
            return dict(content)
        what = f"a mapping of {_first([repr(name)[:40] for name in content])}"
    else:
        what = f"a {type(content).__name__}"
    raise BenchError(
        f"{where}: holds no state dict (a mapping of names to tensors), but {what}; save the network's "
        "state_dict() alone"
    )


def refusal(path: Path, error: pickle.UnpicklingError) -> BenchError:
    """The exception for a pickle that ``weights_only=True`` refuses.

    Parameters
    ----------
    path : Path
        The file.
    error : UnpicklingError
        What torch raised.
    """
    reason = next((line.strip() for line in str(error).splitlines() if "GLOBAL" in line), None)
    if reason is None:
        return BenchError(f"{path}: damaged, or not a torch checkpoint")
    return BenchError(
        f"{path}: refused, because reading it would run code that the file names ({reason}); if "
        "you trust it, load it yourself, save its state_dict alone, under the names the network has, and "
        "give that file in the entry (checkpoint: {file: ...})"
    )


def load_strictly(module: torch.nn.Module, state: Mapping[str, torch.Tensor], where: object) -> None:
    """Load a state dict into a module. Every key and every shape must fit.

    Parameters
    ----------
    module : Module
        The module, which gets the weights.
    state : mapping of str to Tensor
        The weights by name. They are cast to the precision of the module.
    where : object
        The file of the weights, for the error message.

    Raises
    ------
    BenchError
        If it is no state dict, a key is missing or left over, or its weights have another shape. The message
        names the first ones.
    """
    state = as_state_dict(state, where)
    own = module.state_dict()
    missing = [key for key in own if key not in state]
    unexpected = [key for key in state if key not in own]
    reshaped = [
        f"{key} {tuple(state[key].shape)} instead of {tuple(own[key].shape)}"
        for key in own
        if key in state and state[key].shape != own[key].shape
    ]
    faults = [
        f"{what}: {_first(keys)}"
        for what, keys in (("missing", missing), ("left over", unexpected), ("of another shape", reshaped))
        if keys
    ]
    if faults:
        raise BenchError(f"{where}: the weights do not fit {type(module).__name__}; keys {'; '.join(faults)}")
    module.load_state_dict(dict(state), strict=True)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """A context in which torch draws random numbers from ``seed``; after it the random state is as before."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def _first(keys: Sequence[str], shown: int = 3) -> str:
    more = f" and {len(keys) - shown} more" if len(keys) > shown else ""
    return ", ".join(keys[:shown]) + more
