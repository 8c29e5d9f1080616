"""Parameters of a task: what a binding may set, its default, and which values it can have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmark.common.did_you_mean import did_you_mean
from benchmark.common.errors import UsageError


@dataclass(frozen=True)
class Parameter:
    """One parameter of a task, which a binding may set under ``params``.

    Attributes
    ----------
    default : object
        Its value where the binding says nothing. A given value must have the same type, or be a whole number
        where this is a float; None: any type.
    meaning : str
        What it decides, and which values it can have. The documentation shows it in a table.
    plugin : bool
        Whether a binding may also name a function of its own, ``path/file.py:name`` or
        ``package.module:name``. The task gets the function, and its code is part of the cell's key.
    choices : tuple of str
        The values that it can have. Empty: any.
    least : float or None
        The least value of a number. None: there is none.
    """

    default: Any
    meaning: str
    plugin: bool = False
    choices: tuple[str, ...] = ()
    least: float | None = None

    def check(self, where: str, value: Any) -> None:
        """Raise UsageError unless ``value`` is allowed; ``where`` names task and parameter, for the message.

        A function, or the name of one, is allowed where a binding may name one.

        Examples
        --------
        >>> metric = Parameter("cosine", "the dissimilarity", choices=("correlation", "cosine"))
        >>> metric.check("task mine: metric", "cosine")
        >>> metric.check("task mine: metric", "cosin")
        Traceback (most recent call last):
        ...
        benchmark.common.errors.UsageError: task mine: metric is 'cosin': expected one of correlation, cosine
        """
        own = self.plugin and (callable(value) or ":" in str(value))
        if self.choices and not own and value not in self.choices:
            raise UsageError(f"{where} is {value!r}: expected one of {', '.join(self.choices)}")
        if self.least is not None and value < self.least:
            raise UsageError(f"{where} is {value!r}: expected {self.least:g} or more")


def read_params(task: str, params: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a task, with defaults for those that are not given.

    Parameters
    ----------
    task : str
        Name of the task, for messages.
    params : mapping
        The parameters of the binding.
    defaults : mapping
        Every parameter of the task, with its default. A given value must have the type of the default (any
        type if the default is None); a whole number will do where the default is a float.

    Returns
    -------
    dict
        A value for every parameter of ``defaults``.

    Raises
    ------
    UsageError
        If a key is unknown or a value has another type.

    Examples
    --------
    >>> defaults = {"metric": "correlation", "starts": 10}
    >>> read_params("gwot_matching", {"starts": 4}, defaults)
    {'metric': 'correlation', 'starts': 4}
    >>> read_params("encoding", {"least_reliability": 0}, {"least_reliability": 0.5})
    {'least_reliability': 0.0}
    >>> read_params("gwot_matching", {"start": 4}, defaults)
    Traceback (most recent call last):
    ...
    benchmark.common.errors.UsageError: task gwot_matching: unknown parameter 'start'; did you mean starts?
    """
    given = dict(params)
    for key, value in params.items():
        if key not in defaults:
            raise UsageError(f"task {task}: unknown parameter {key!r}; {did_you_mean(key, sorted(defaults))}")
        default = defaults[key]
        if isinstance(default, float) and type(value) is int:
            given[key] = value = float(value)
        # to Python a truth value is a whole number, but whoever writes one means something else
        mistaken = isinstance(value, bool) is not isinstance(default, bool)
        if default is not None and (not isinstance(value, type(default)) or mistaken):
            raise UsageError(
                f"task {task}: parameter {key!r} must be {type(default).__name__}, not {value!r}"
            )
    return {**defaults, **given}
