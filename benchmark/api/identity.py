"""What a Python object is, for cache keys: the source of its class, and its whole state."""

from __future__ import annotations

import hashlib
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
from benchmark.registry import plugin_source_hash


@dataclass(frozen=True)
class Identity:
    """Two objects of one identity give the same features.

    Attributes
    ----------
    source : str
        sha256 of the code: of its module (of an installed package, of the whole package); of a class that was
        typed into a notebook, of the class with every function and global it uses.
    state : str
        sha256 over its attributes, weights and all.
    reason : str or None
        Why neither could be found out; then they are made up, and never met again.
    """

    source: str
    state: str
    reason: str | None = None


def identity(model: Model) -> Identity:
    """The identity of a model object; a network is built first, so that its weights are part of it."""
    if isinstance(model, NetworkModel):
        _ = model.network
    try:
        return Identity(_source(type(model)), _digest(_state(model)))
    except Exception as error:  # what cannot be pickled raises whatever it likes
        once = uuid.uuid4().hex
        text = str(error) if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
        return Identity(once, once, f"its state or its source cannot be hashed ({text})")


def _source(kind: type) -> str:
    if kind.__module__ == "__main__":
        return _digest(kind)
    parts = [plugin_source_hash(f"{base.__module__}:{base.__name__}", Path()) for base in _own_bases(kind)]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _own_bases(kind: type) -> list[type]:
    """The class and those it derives from; ours, and Python's, have hashes or versions of their own."""
    return [b for b in kind.__mro__ if b.__module__.split(".")[0] not in ("benchmark", "builtins", "abc")]


def _state(model: Model) -> dict[str, Any]:
    """Its attributes, but for what is made from the others when it is first asked for."""
    made = {
        name
        for kind in type(model).__mro__
        for name, value in vars(kind).items()
        if isinstance(value, cached_property) and name != "network"
    }
    kept = {key: value for key, value in sorted(vars(model).items()) if key not in made | {"spec"}}
    return {**kept, "spec.params": dict(model.spec.params), "spec.untrained": model.spec.untrained}


def _digest(value: Any) -> str:
    """sha256 of a value as cloudpickle writes it: what is in ``__main__`` by value, all else by name."""
    try:
        from cloudpickle import CloudPickler
    except ImportError:  # joblib carried it inside until it came to depend on it
        from joblib.externals.cloudpickle import CloudPickler

    class Hasher(CloudPickler):  # type: ignore[misc]
        """Writes an array as the hash of its values: the same in every process."""

        def reducer_override(self, value: Any) -> Any:
            if isinstance(value, torch.Tensor):
                raw = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
                return str, (_of_array(raw, value.shape, value.dtype),)
            if isinstance(value, np.ndarray) and not value.dtype.hasobject:
                return str, (_of_array(value, value.shape, value.dtype),)
            return super().reducer_override(value)

    stream = _Hash()
    Hasher(stream, protocol=5).dump(value)
    return stream.digest.hexdigest()


def _of_array(array: np.ndarray, shape: Any, dtype: Any) -> str:
    content = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
    return f"{tuple(shape)} {dtype} {content}"


class _Hash:
    """A file that keeps nothing but the sha256 of what is written."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def write(self, content: Any) -> int:
        self.digest.update(content)
        return memoryview(content).nbytes
