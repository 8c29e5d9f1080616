"""Names in a registry: which are allowed, and what ``@untrained:SEED`` means.

The *untrained twin* of a model is the same network with random weights, drawn with the seed SEED.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from benchmark.common.did_you_mean import did_you_mean
from benchmark.common.errors import UsageError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_MAX_LENGTH = 100
_MAX_SEED = 2**32 - 1
_MAX_SEEDS = 1000


def check_name(name: str) -> str:
    """Give ``name`` back if a registry may use it.

    Raises
    ------
    ValueError
        If the name could be read as a path, or has characters that file names or tables cannot show.
    """
    if _NAME.fullmatch(name) and ".." not in name and len(name) <= _MAX_LENGTH:
        return name
    raise ValueError(
        f"{name[:_MAX_LENGTH]!r} is no name: use letters, digits, '_', '.' and '-'; begin with a letter or "
        f"digit; no '..'; at most {_MAX_LENGTH} characters"
    )


@dataclass(frozen=True)
class ModelName:
    """The name of a model in a command: its registry name, and the seed of its untrained twin.

    Attributes
    ----------
    name : str
        The name in the registry.
    untrained : int or None
        Seed of the twin's random weights; None: the trained model.
    """

    name: str
    untrained: int | None = None

    def __str__(self) -> str:
        return self.name if self.untrained is None else f"{self.name}@untrained:{self.untrained}"


def parse_model_name(text: str) -> ModelName:
    """Read ``text``, which is ``NAME`` or ``NAME@untrained:SEED``.

    Raises
    ------
    UsageError
        If it is neither.
    """
    name, at, checkpoint = text.partition("@")
    if not at:
        return ModelName(name)
    word, _, seed = checkpoint.partition(":")
    if word == "untrained" and re.fullmatch(r"[0-9]{1,10}", seed) and int(seed) <= _MAX_SEED:
        return ModelName(name, int(seed))
    raise UsageError(f"cannot read model {text!r}: write NAME@untrained:SEED, the seed a whole number")


def expand_seeds(text: str) -> list[str]:
    """Expand a range of seeds: ``NAME@untrained:0-9`` gives ten names, one for each seed.

    Any other ``text`` is the only name of the list.

    Raises
    ------
    UsageError
        If the first seed is greater than the last, or the range has more than 1000 seeds.
    """
    prefix, seeds = _seed_range(text)
    return [text] if seeds is None else [f"{prefix}{seed}" for seed in seeds]


def first_of_seeds(text: str) -> str:
    """The first name that :func:`expand_seeds` gives for ``text``. It raises the same errors."""
    prefix, seeds = _seed_range(text)
    return text if seeds is None else f"{prefix}{seeds[0]}"


def _seed_range(text: str) -> tuple[str, range | None]:
    match = re.fullmatch(r"(.+@untrained:)([0-9]{1,10})-([0-9]{1,10})", text)
    if match is None:
        return text, None
    first, last = int(match[2]), int(match[3])
    if not first <= last <= _MAX_SEED or last - first >= _MAX_SEEDS:
        raise UsageError(
            f"cannot read model {text!r}: write NAME@untrained:FIRST-LAST, at most {_MAX_SEEDS} seeds"
        )
    return match[1], range(first, last + 1)


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Make the message for an unknown name: ``unknown model 'swow_asoc'; did you mean swow_assoc?``.

    Parameters
    ----------
    what : str
        The kind of thing: "model", "task", ...
    name : str
        The unknown name.
    known : iterable of str
        The names that exist. Where none is near, the message lists them.

    Returns
    -------
    str
    """
    return f"unknown {what} {name!r}; {did_you_mean(name, sorted(known))}"
