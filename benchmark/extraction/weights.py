"""Reading weights: no code is run, no key is left out, and the random state stays as it was."""

from __future__ import annotations

import pickle
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from benchmark.common.errors import BenchError

#: Counter that ``torch.optim.swa_utils.AveragedModel`` keeps beside the weights
_AVERAGED = "n_averaged"

#: Where training code keeps the weights of a network in a checkpoint
PARTS = (
    "state_dict",
    "model_state_dict",
    "model",
    "net",
    "network",
    "ema",
    "ema_state_dict",
    "model_ema",
    "state_dict_ema",
)


def read_state_dict(path: Path, part: str | None = None) -> dict[str, torch.Tensor]:
    """Read a state dict from a safetensors file or a torch checkpoint.

    Parameters
    ----------
    path : Path
        ``*.safetensors``, or a file that ``torch.save`` wrote. It is read with ``weights_only=True``.
    part : str, optional
        Where the state dict is in the checkpoint: a name, or several with dots between them
        (``"teacher"``, ``"ema.model"``). Default: the checkpoint itself, or the only one of the usual
        places (``state_dict``, ``model``, ``ema``, ...) that it has.

    Returns
    -------
    dict of str to Tensor
        The weights by name, on the CPU.

    Raises
    ------
    BenchError
        If the file is not a checkpoint, is a pickle that would run code, lacks the part, or has weights at
        several of the usual places.
    """
    return read_part(path, part)[0]


def read_part(path: Path, part: str | None = None) -> tuple[dict[str, torch.Tensor], str | None]:
    """Read a state dict from ``path`` as :func:`read_state_dict` does; with the ``part`` used, None: all."""
    if path.suffix == ".safetensors":
        if part is not None:
            raise BenchError(f"{path}: a safetensors file has no parts: leave out part {part!r}")
        try:
            return load_file(path), None
        except (SafetensorError, OSError) as error:
            raise BenchError(f"{path}: not a safetensors file ({error})") from error
    content = load_checkpoint(path)
    if part is None:
        part = _usual_part(content, path)
    for name in part.split(".") if part else ():
        if not isinstance(content, Mapping) or name not in content:
            held = _first([repr(key)[:40] for key in content]) if isinstance(content, Mapping) else "no parts"
            raise BenchError(f"{path}: has no part {part!r}; it holds {held}")
        content = content[name]
    return as_state_dict(content, path), part


def _usual_part(content: object, path: Path) -> str | None:
    """The usual place at which ``content`` has a mapping; None: it has none, so it is the state dict."""
    places = [".".join(place) for place in _usual_places(content)]
    if len(places) > 1:
        raise BenchError(
            f"{path}: has weights at {' and '.join(places)}: say which (bench add: --part {places[0]}; in an "
            f"entry: params: {{part: {places[0]}}})"
        )
    return places[0] if places else None


def _usual_places(content: object) -> list[tuple[str, ...]]:
    if not isinstance(content, Mapping):
        return []
    places: list[tuple[str, ...]] = []
    for name in PARTS:
        if isinstance(content.get(name), Mapping):
            places += [(name, *deeper) for deeper in _usual_places(content[name]) or [()]]
    return places


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
    reason = re.search(r"GLOBAL \S+", str(error))
    if reason is None:
        return BenchError(f"{path}: damaged, or not a torch checkpoint")
    return BenchError(
        f"{path}: refused, because reading it would run code that the file names ({reason[0]}); if "
        "you trust it, load it yourself, save its state_dict alone, under the names the network has, and "
        "give that file in the entry (checkpoint: {file: ...})"
    )


def without_prefix(state: Mapping[str, torch.Tensor], own: Collection[str]) -> tuple[dict[str, Any], str]:
    """Leave out what stands before every key: the ``module.`` and ``_orig_mod.`` of training code.

    As much is left out as makes most keys those of the network.

    Parameters
    ----------
    state : mapping of str to Tensor
        The weights by their name in a file.
    own : collection of str
        The keys of the network.

    Returns
    -------
    state : dict of str to Tensor
        The weights, without the counter of ``torch.optim.swa_utils.AveragedModel`` if a prefix is left out.
    prefix : str
        What was left out, with its last dot; empty: nothing.

    Examples
    --------
    >>> import torch
    >>> from benchmark.extraction.weights import without_prefix
    >>> without_prefix({"module.weight": torch.ones(1)}, ["weight"])
    ({'weight': tensor([1.])}, 'module.')
    """
    keys = [key for key in state if key != _AVERAGED]
    parts = keys[0].split(".")[:-1] if keys else []
    prefixes = ["".join(f"{part}." for part in parts[:depth]) for depth in range(len(parts) + 1)]
    prefixes = [prefix for prefix in prefixes if all(key.startswith(prefix) for key in keys)]
    known = set(own)
    prefix = max(prefixes, key=lambda prefix: sum(key.removeprefix(prefix) in known for key in keys))
    return {key.removeprefix(prefix): state[key] for key in (keys if prefix else state)}, prefix


def load_strictly(module: torch.nn.Module, state: Mapping[str, torch.Tensor], where: object) -> None:
    """Load a state dict into a module. Every key and every shape must fit.

    Parameters
    ----------
    module : Module
        The module, which gets the weights.
    state : mapping of str to Tensor
        The weights by name. They are cast to the precision of the module. What stands before every key
        (``module.``) is left out (:func:`without_prefix`).
    where : object
        The file of the weights, for the error message.

    Raises
    ------
    BenchError
        If it is no state dict, a key is missing or left over, or its weights have another shape. The message
        names the first ones.
    """
    own = module.state_dict()
    found = as_state_dict(state, where)
    state, prefix = without_prefix(found, own)
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
        read = f" (without the {prefix!r} before every key)" if prefix else ""
        held = "" if unexpected else f"; the file has {_first(list(found)) or 'none'}"
        raise BenchError(
            f"{where}: the weights do not fit {type(module).__name__}{read}; keys {'; '.join(faults)}{held}"
        )
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
