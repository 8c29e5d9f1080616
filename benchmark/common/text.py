"""Text that is safe to show, whatever a file, a plug-in or a user put into it."""

from __future__ import annotations

import unicodedata


def plain(text: object) -> str:
    r"""``text`` in one line that can be printed: what has no glyph of its own is shown as its escape.

    Control characters, so line ends and the escape sequences of terminals too, and invisible characters that
    change what stands beside them, such as those that turn the direction of writing, become ``\x1b``,
    ``\n``, ``\u202e``. Every other character stays as it is.

    Parameters
    ----------
    text : object
        A text, or what has one.

    Returns
    -------
    str

    Examples
    --------
    >>> print(plain("conv[red]\x1b[31m1"))
    conv[red]\x1b[31m1
    """
    text = str(text)
    return text if text.isprintable() else "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character.isprintable() or unicodedata.category(character) == "Zs":  # blanks, of any width
        return character
    return character.encode("unicode_escape").decode()
