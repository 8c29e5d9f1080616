"""The colours of property types: the same in a terminal, a figure and a page."""

from __future__ import annotations

from collections.abc import Sequence

#: Colours that colour-blind readers can tell apart (Wong 2011), dark enough on white
COLOURS = ("#0072b2", "#c65200", "#00855f", "#b4568a", "#7a5c00", "#5254a3", "#6b6b6b")


def colours_of(kinds: Sequence[str]) -> dict[str, str]:
    """A colour for each property type; the last colour serves all that remain.

    Parameters
    ----------
    kinds : sequence of str
        The types, in the order in which they get colours.
    """
    return {kind: COLOURS[min(i, len(COLOURS) - 1)] for i, kind in enumerate(kinds)}
