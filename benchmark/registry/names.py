"""Names in a registry: which are allowed, and what ``@untrained:SEED`` means."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from benchmark.common.did_you_mean import did_you_mean
from benchmark.common.errors import UsageError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_LONGEST = 100
_MOST_SEED = 2**32 - 1
_MOST_SEEDS = 1000


def check_name(name: str) -> str:
    """``name`` itself, if it may name something in a registry.

    Raises
    ------
    ValueError
        If it could be read as a path, or has characters that a file name or a table could not show.
    """
    if _NAME.fullmatch(name) and ".." not in name and len(name) <= _LONGEST:
        return name
    raise ValueError(
        f"{name[:_LONGEST]!r} is no name: write letters, digits, '_', '.', '-', a letter or digit first, "
        f"no '..', at most {_LONGEST}"
    )


@dataclass(frozen=True)
class ModelName:
    """A model as asked for: its registry name, and the seed of its untrained twin (None: as trained)."""

    name: str
    untrained: int | None = None

    def __str__(self) -> str:
        return self.name if self.untrained is None else f"{self.name}@untrained:{self.untrained}"


def parse_model_name(text: str) -> ModelName:
    """Read ``NAME`` or ``NAME@untrained:SEED``.

    Raises
    ------
    UsageError
        If it is neither.
    """
    name, at, checkpoint = text.partition("@")
    if not at:
        return ModelName(name)
    word, _, seed = checkpoint.partition(":")
    if word == "untrained" and re.fullmatch(r"[0-9]{1,10}", seed) and int(seed) <= _MOST_SEED:
        return ModelName(name, int(seed))
    raise UsageError(f"cannot read model {text!r}: write NAME@untrained:SEED, the seed a whole number")


def expand_seeds(text: str) -> list[str]:
    """``NAME@untrained:0-9`` as ten names, a seed each; any other name as itself.

    Raises
    ------
    UsageError
        If the range runs backwards or has more than 1000 seeds.
    """
    found = re.fullmatch(r"(.+@untrained:)([0-9]{1,10})-([0-9]{1,10})", text)
    if found is None:
        return [text]
    first, last = int(found[2]), int(found[3])
    if not first <= last <= _MOST_SEED or last - first >= _MOST_SEEDS:
        raise UsageError(
            f"cannot read model {text!r}: write NAME@untrained:FIRST-LAST, at most {_MOST_SEEDS} seeds"
        )
    return [f"{found[1]}{seed}" for seed in range(first, last + 1)]


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """One line: ``unknown model 'swow_asoc'; did you mean swow_assoc?``, or what there is."""
    return f"unknown {what} {name!r}; {did_you_mean(name, sorted(known))}"
