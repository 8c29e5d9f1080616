"""What to say of a name that is not known: which one was probably meant, or which there are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LISTED = 12


def did_you_mean(name: str, known: Iterable[str], most: int = 1) -> str:
    """``"did you mean swow_assoc?"``; where nothing is near, ``"there is pixels, resnet50, ..."``.

    Parameters
    ----------
    name : str
    known : iterable of str
        In the order in which they are listed.
    most : int
        How many may be near; the nearest comes first. Upper and lower case are one.
    """
    names = list(known)
    lowered = {candidate.lower(): candidate for candidate in names}
    near = difflib.get_close_matches(name.lower(), lowered, n=most)
    if near:
        return f"did you mean {' or '.join(lowered[found] for found in near)}?"
    return f"there is {listed(names)}"


def listed(names: Iterable[str]) -> str:
    """The first dozen of ``names``, and whether there are more."""
    names = list(names)
    return ", ".join(names[:_LISTED]) + (", ..." if len(names) > _LISTED else "") or "none"
