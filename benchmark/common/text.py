"""Text that is safe to show, whatever a file, a plug-in or a user put into it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

#: What Markdown may read as markup; an underscore inside a word is none
_MARKUP = re.compile(r"[\\`*\[\]<>&|~#]|(?<![^\W_])_|_(?![^\W_])")


def names(given: str | Iterable[str]) -> list[str]:
    """The names that a user gave, in one text with commas between them or in several.

    Parameters
    ----------
    given : str or iterable of str
        Such as ``"a,b"``, ``["a", "b"]`` or ``["a,b", "c"]``.

    Returns
    -------
    list of str

    Examples
    --------
    >>> names(["a, b", "c"])
    ['a', 'b', 'c']
    """
    texts = [given] if isinstance(given, str) else given
    return [name.strip() for text in texts for name in text.split(",") if name.strip()]


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


def spreadsheet(value: object) -> object:
    """``value`` as it may stand in a cell of a CSV: no spreadsheet runs a text in it as a formula.

    Parameters
    ----------
    value : object
        Anything that stands in a cell.

    Returns
    -------
    object
        A text in one line that can be printed, after an apostrophe if a spreadsheet would run it. What is no
        text stays as it is.

    Examples
    --------
    >>> spreadsheet("=1+1"), spreadsheet("-1"), spreadsheet(-1)
    ("'=1+1", '-1', -1)
    """
    if not isinstance(value, str):
        return value
    text = plain(value)
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@")) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _shown(character: str) -> str:
    if character.isprintable() or unicodedata.category(character) == "Zs":  # blanks, of any width
        return character
    return character.encode("unicode_escape").decode()
