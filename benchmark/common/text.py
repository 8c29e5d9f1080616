"""Text that is safe to show, whatever a file, a plug-in or a user put into it."""

from __future__ import annotations

import re
import unicodedata

#: What Markdown may read as markup; an underscore inside a word is none
_MARKUP = re.compile(r"[\\`*\[\]<>&|~#]|(?<![^\W_])_|_(?![^\W_])")


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


def markdown(text: object) -> str:
    r"""``text`` in one line of Markdown: no character of it is markup, and none ends a cell of a table.

    Parameters
    ----------
    text : object
        A text, or what has one.

    Returns
    -------
    str

    Examples
    --------
    >>> print(markdown("a <b> _c_ d_e\n"))
    a \<b\> \_c\_ d_e\\n
    """
    return _MARKUP.sub(r"\\\g<0>", plain(text))


def _shown(character: str) -> str:
    if character.isprintable() or unicodedata.category(character) == "Zs":  # blanks, of any width
        return character
    return character.encode("unicode_escape").decode()
