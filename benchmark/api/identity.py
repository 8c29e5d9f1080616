"""The identity of a Python object for cache keys: the source of its class, and its whole state."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmark.common.errors import BenchError
from benchmark.extraction import NetworkModel
from benchmark.model import Model
from benchmark.registry import plugin_code


@dataclass(frozen=True)
class Identity:
    """Two objects with the same identity give the same features.

    Attributes
    ----------
    source : str
        sha256 of the code. For a class in a module: of the module, or of the whole package if it is
        installed, and of what it imports of the user's own. For a class that was written in a notebook: of
        the class with every function and global that it uses.
    state : str
        sha256 of all attributes, with the weights.
    reason : str or None
        Why the hashes could not be computed; None: they could. If there is a reason, ``source`` and ``state``
        are random and never occur again.
    """

    source: str
    state: str
    reason: str | None = None


def identity(model: Model) -> Identity:
    """Identity of ``model``. A network is built first, so that its weights are part of the identity."""
    if isinstance(model, NetworkModel):
        _ = model.network
    try:
        return Identity(_source(type(model)), _digest(_state(model)))
    except Exception as error:  # an object that cannot be pickled may raise anything
        random_hash = uuid.uuid4().hex
        text = str(error) if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
        return Identity(random_hash, random_hash, f"its state or its source cannot be hashed ({text})")


def _source(kind: type) -> str:
    if kind.__module__ == "__main__":
        return _digest(kind)
    parts = [plugin_code(f"{base.__module__}:{base.__name__}", Path()).as_key() for base in _own_bases(kind)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _own_bases(kind: type) -> list[type]:
    """The class and its bases, without those of this package and of Python, which have their own hashes."""
    return [
        base for base in kind.__mro__ if base.__module__.split(".")[0] not in ("benchmark", "builtins", "abc")
    ]


def _state(model: Model) -> dict[str, Any]:
    """Attributes of a model, without cached properties, which are computed from the other attributes."""
    computed = {
        name
        for kind in type(model).__mro__
        for name, value in vars(kind).items()
        if isinstance(value, cached_property) and name != "network"
    }
    attributes = {key: value for key, value in sorted(vars(model).items()) if key not in computed | {"spec"}}
    return {**attributes, "spec.params": dict(model.spec.params), "spec.untrained": model.spec.untrained}


def _digest(value: Any) -> str:
    """sha256 of a value as cloudpickle writes it: objects of ``__main__`` by value, all others by name."""
    try:
        from cloudpickle import CloudPickler
    except ImportError:  # older versions of joblib contain cloudpickle; newer ones depend on it
        from joblib.externals.cloudpickle import CloudPickler

    class Hasher(CloudPickler):  # type: ignore[misc]
        """Writes an array as the hash of its values, which is the same in every process."""

        def reducer_override(self, value: Any) -> Any:
            if isinstance(value, torch.Tensor):
                raw = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
                return str, (_array_hash(raw, value.shape, value.dtype),)
            if isinstance(value, np.ndarray) and not value.dtype.hasobject:
                return str, (_array_hash(value, value.shape, value.dtype),)
            return super().reducer_override(value)

    stream = _Hash()
    Hasher(stream, protocol=5).dump(value)
    return stream.digest.hexdigest()


def _array_hash(array: np.ndarray, shape: Any, dtype: Any) -> str:
    content = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
    return f"{tuple(shape)} {dtype} {content}"


class _Hash:
    """A file that keeps only the sha256 of what is written to it."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def write(self, content: Any) -> int:
        self.digest.update(content)
        return memoryview(content).nbytes
