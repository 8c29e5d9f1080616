"""Choose the layers of a run: ``all``, ``default``, names, ``/regex/``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from benchmark.common.did_you_mean import did_you_mean, listed
from benchmark.common.errors import NotPossible, UsageError
from benchmark.model import Model

ALL = "all"
DEFAULT = "default"


def split_layers(values: Iterable[str]) -> tuple[str, ...] | None:
    """Split the ``values`` of ``--layers a,/b,c/ --layers d`` into the words a, /b,c/ and d.

    The result is None where the default is meant.

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
    """Choose layers of ``model``, in its order.

    Parameters
    ----------
    model : Model
    asked : sequence of str or None
        Each word is one of four. ``all``: every layer that has a name. ``default`` (or None): the layers of
        the model's entry. ``/regex/``: the layers whose name it matches. Anything else: the name of a layer.

    Returns
    -------
    tuple of str

    Raises
    ------
    NotPossible
        If there is no layer of that name (the message names the nearest), or no layer matches an expression.
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
            matching = [layer for layer in known if re.search(word[1:-1], layer)]
            if not matching:
                raise NotPossible(
                    f"model {model.spec.name!r} has no layer that matches {word}; there is {listed(known)}"
                )
            chosen.update(matching)
        elif word in known:
            chosen.add(word)
        else:
            raise NotPossible(
                f"model {model.spec.name!r} has no layer {word!r}; {did_you_mean(word, known, most=3)}"
            )
    return tuple(layer for layer in known if layer in chosen)


def layers_of_each(models: Sequence[Model], asked: Sequence[str] | None) -> list[tuple[str, ...]]:
    """Choose layers of several models. A word counts for the models that know it.

    Parameters
    ----------
    models : sequence of Model
    asked : sequence of str or None
        As for :func:`choose_layers`.

    Returns
    -------
    list of tuple of str
        The layers of each model, at least one.

    Raises
    ------
    NotPossible
        If no model knows a word, or a model knows none of them.
    """
    if asked is None:
        return [choose_layers(model, None) for model in models]
    for word in asked:
        if not any(_knows(model, word) for model in models):
            choose_layers(models[0], [word])  # raises, and names the nearest
    return [
        # a model that knows none of the words raises for all of them
        choose_layers(model, [word for word in asked if _knows(model, word)] or asked)
        for model in models
    ]


def _knows(model: Model, word: str) -> bool:
    try:
        choose_layers(model, [word])
    except NotPossible:
        return False
    return True


def _is_expression(word: str) -> bool:
    return len(word) > 1 and word.startswith("/") and word.endswith("/")
