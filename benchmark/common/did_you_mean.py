"""Words for an unknown name: which name was probably meant, or which names there are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LISTED = 12


def did_you_mean(name: str, known: Iterable[str], most: int = 1) -> str:
    """A suggestion for an unknown name, or the list of known names where none is similar.

    Parameters
    ----------
    name : str
        The unknown name. Upper and lower case count as the same.
    known : iterable of str
        The known names, in the order in which they are listed.
    most : int
        Greatest number of suggestions. The most similar name comes first.

    Returns
    -------
    str
        A part of a message, without a capital.

    Examples
    --------
    >>> did_you_mean("swow_asoc", ["swow_assoc", "pixels"])
    'did you mean swow_assoc?'
    >>> did_you_mean("conv", ["conv12", "conv1", "fc"], most=3)
    'did you mean conv1 or conv12?'
    >>> did_you_mean("zzz", ["swow_assoc", "pixels"])
    'there is swow_assoc, pixels'
    """
    names = list(known)
    lowered = {candidate.lower(): candidate for candidate in names}
    near = difflib.get_close_matches(name.lower(), lowered, n=most)
    if near:
        return f"did you mean {' or '.join(lowered[match] for match in near)}?"
    return f"there is {listed(names)}"


def listed(names: Iterable[str]) -> str:
    """The first twelve of ``names``, and dots if there are more."""
    names = list(names)
    return ", ".join(names[:_LISTED]) + (", ..." if len(names) > _LISTED else "") or "none"
