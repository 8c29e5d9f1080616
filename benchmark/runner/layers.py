"""Which layers a run is asked for: ``all``, ``default``, names, ``/regex/``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from benchmark.common.did_you_mean import did_you_mean, listed
from benchmark.common.errors import NotPossible, UsageError
from benchmark.model import Model

ALL = "all"
DEFAULT = "default"


def split_layers(values: Iterable[str]) -> tuple[str, ...] | None:
    """The words of ``--layers a,/b,c/ --layers d``: a, /b,c/ and d; None where the default is meant.

    Raises
    ------
    UsageError
        If a regular expression cannot be read.
    """
    words = [
        word.strip()
        for value in values
        for word in re.findall(r"\s*/(?:[^/\\]|\\.)*/\s*(?=,|$)|[^,]+", value)
    ]
    for word in words:
        if _is_expression(word):
            try:
                re.compile(word[1:-1])
            except re.error as error:
                raise UsageError(f"--layers {word}: is no regular expression ({error})") from error
    chosen = tuple(dict.fromkeys(word for word in words if word))
    return None if chosen in ((), (DEFAULT,)) else chosen


def choose_layers(model: Model, asked: Sequence[str] | None) -> tuple[str, ...]:
    """The layers of ``model`` that are asked for, in its order.

    Parameters
    ----------
    model : Model
    asked : sequence of str or None
        ``all`` is every layer that has a name, ``default`` (and None) those of its entry, ``/regex/`` those
        in which it is found, and anything else the name of one.

    Raises
    ------
    NotPossible
        If there is no such layer (the nearest are named), or an expression finds none.
    """
    if asked is None:
        return model.layers
    known = model.all_layers
    chosen: set[str] = set()
    for word in asked:
        if word == ALL:
            chosen.update(known)
        elif word == DEFAULT:
            chosen.update(model.layers)
        elif _is_expression(word):
            found = [layer for layer in known if re.search(word[1:-1], layer)]
            if not found:
                raise NotPossible(
                    f"model {model.spec.name!r} has no layer that matches {word}; there is {listed(known)}"
                )
            chosen.update(found)
        elif word in known:
            chosen.add(word)
        else:
            raise NotPossible(
                f"model {model.spec.name!r} has no layer {word!r}; {did_you_mean(word, known, most=3)}"
            )
    return tuple(layer for layer in known if layer in chosen)


def _is_expression(word: str) -> bool:
    return len(word) > 1 and word.startswith("/") and word.endswith("/")
