"""Names of concepts and of properties in property norms: in one form, and what kind a property is of."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

#: Finer kinds of properties (:func:`finer_kind`)
FINER = ("colour", "shape and size", "made of", "has", "does", "is")


def finer_kind(name: str, colours: Collection[str] = (), shapes: Collection[str] = ()) -> str:
    """The finer kind of a property, by its name.

    Parameters
    ----------
    name : str
        The property, with spaces or underscores between words ("is black", "has_wheels").
    colours, shapes : collection of str
        Names of properties of colour, and of shape and size. They count before the first word.

    Returns
    -------
    str
        One of :data:`FINER`: "colour", "shape and size", or the first words "made of" ("is made of" too),
        "has", "does" and "is". "other" for a name that begins with another word.

    Examples
    --------
    >>> [finer_kind(name, {"is black"}) for name in ("is black", "is_an_animal", "made of wood", "barks")]
    ['colour', 'is', 'made of', 'other']
    """
    plain = name.replace("_", " ")
    for kind, names in (("colour", colours), ("shape and size", shapes)):
        if plain in {other.replace("_", " ") for other in names}:
            return kind
    if re.match(r"(is )?made of\b", plain):
        return "made of"
    first = plain.partition(" ")[0]
    return first if first in FINER else "other"


def concept_names(ids: Sequence[str]) -> tuple[str, ...]:
    """The concepts of norms by the names that people say, for a join with stimuli by words.

    A name is in lower case, with "_" between words. A sense in brackets is left out
    ("seal_(animal)" is "seal"), but not where two concepts of the norms would then have one name
    ("bat_(animal)" and "bat_(sporting)" stay as they are).

    Parameters
    ----------
    ids : sequence of str
        The concepts as the norms write them.

    Returns
    -------
    tuple of str
        One name per concept. Names are unique if the ids, in lower case, are.

    Examples
    --------
    >>> concept_names(["bat_(animal)", "bat_(sporting)", "seal_(animal)", "Can opener"])
    ('bat_(animal)', 'bat_(sporting)', 'seal', 'can_opener')
    """
    whole = ["_".join(name.lower().replace("_", " ").split()) for name in ids]
    short = [re.sub(r"_?\([^()]*\)$", "", name) or name for name in whole]
    uses = Counter(short)
    return tuple(s if uses[s] == 1 else w for s, w in zip(short, whole, strict=True))
