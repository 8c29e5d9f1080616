"""Read the ``params`` of a task binding: defaults filled in, unknown keys and wrong types refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmark.errors import UsageError
from benchmark.nearest import did_you_mean


def read_params(task: str, params: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a task, with defaults for those not given.

    Parameters
    ----------
    task : str
        Name of the task, for messages.
    params : mapping
        What the binding gives.
    defaults : mapping
        Every parameter the task knows, with its default. A value given must be of the default's type
        (any type where the default is None).

    Raises
    ------
    UsageError
        If a key is unknown or a value is of another type.
    """
    for key, value in params.items():
        if key not in defaults:
            raise UsageError(f"task {task}: unknown parameter {key!r}; {did_you_mean(key, sorted(defaults))}")
        default = defaults[key]
        if default is not None and (not isinstance(value, type(default)) or isinstance(value, bool)):
            raise UsageError(
                f"task {task}: parameter {key!r} must be {type(default).__name__}, not {value!r}"
            )
    return {**defaults, **params}


def one_of(task: str, key: str, value: str, allowed: tuple[str, ...]) -> str:
    """``value``, refused unless it is among ``allowed``.

    Raises
    ------
    UsageError
        If it is not.
    """
    if value not in allowed:
        raise UsageError(f"task {task}: {key} {value!r} is none of {', '.join(allowed)}")
    return value
