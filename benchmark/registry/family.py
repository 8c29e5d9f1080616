"""A family of models: one registry entry that stands for many models, which differ in a few texts only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from benchmark.registry.source import Key, RegistryError, Source
from benchmark.registry.yaml_text import MOST_GROWN, VALUE_SIZE

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def expand_families(source: Source) -> tuple[dict[str, Any], dict[str, Key]]:
    """Give the content of a registry file, with one entry for each member of a family.

    An entry ``NAME`` with ``members: {m: {key: text}}`` becomes one entry ``NAME_m`` for every m. In all its
    texts ``{member}`` stands for m, and ``{key}`` for the member's own text.

    Parameters
    ----------
    source : Source
        The registry file. Its content is a mapping.

    Returns
    -------
    content : dict
        The content of the file without families.
    places : dict of str to Key
        For messages: the key at which a member was written, by the member's full name.

    Raises
    ------
    RegistryError
        If the members are not a mapping of names to texts, if a text names a key that the member lacks, or
        if the full name is taken.
    """
    models = source.data.get("models")
    if not isinstance(models, dict):
        return source.data, {}
    expanded: dict[Any, Any] = {}
    places: dict[str, Key] = {}
    filler = _Filler()
    for name, entry in models.items():
        if not isinstance(entry, dict) or "members" not in entry:
            expanded[name] = entry
            continue
        common = {key: value for key, value in entry.items() if key != "members"}
        for member, values in _members(source, name, entry["members"]).items():
            place: Key = ("models", name, "members", member)
            full = f"{name}_{member}"
            if full in models or full in expanded:
                raise source.error(place, f"the name {full} is taken")
            try:
                expanded[full] = filler.filled(common, {"member": member, **values})
            except _TooLargeError:
                raise source.error(place, "the members make the file too large: write less of it") from None
            except KeyError as error:
                raise source.error(
                    place, f"the entry says {{{error.args[0]}}}, a key that this member lacks"
                ) from None
            places[full] = place
    return {**source.data, "models": expanded}, places


def family_error(
    source: Source, key: Key, message: str, places: dict[str, Key] | None = None
) -> RegistryError:
    """Make the error for a key; for a key of a family's member, it points to the family's entry.

    Parameters
    ----------
    source : Source
        The registry file.
    key : Key
        The key that is wrong, in the expanded content.
    message : str
        What is wrong.
    places : dict of str to Key, optional
        From :func:`expand_families`.

    Returns
    -------
    RegistryError
    """
    if places and len(key) > 1 and key[0] == "models" and key[1] in places:
        family = places[str(key[1])][:2]
        return source.error((*family, *key[2:]), f"{message} (in {key[1]})")
    return source.error(key, message)


def _members(source: Source, family: str, members: Any) -> dict[str, dict[str, str]]:
    if not isinstance(members, dict) or not members:
        raise source.error(("models", family, "members"), "must map the name of each member to its texts")
    for member, values in members.items():
        if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
            raise source.error(
                ("models", family, "members", member), "must map keys to texts; write {} if there are none"
            )
    return {str(member): values for member, values in members.items()}


class _TooLargeError(Exception):
    pass


@dataclass
class _Filler:
    """Writes the texts of members into entries, until the result is larger than a file may grow to."""

    left: int = MOST_GROWN

    def filled(self, value: Any, texts: dict[str, str]) -> Any:
        """``value`` with ``{key}`` replaced by the text of that key."""
        self._take(VALUE_SIZE)
        if isinstance(value, str):
            self._take(len(value))
            return _PLACEHOLDER.sub(lambda match: self._text(texts[match[1]]), value)
        if isinstance(value, dict):
            return {key: self.filled(inner, texts) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.filled(inner, texts) for inner in value]
        return value

    def _text(self, text: str) -> str:
        self._take(len(text))
        return text

    def _take(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise _TooLargeError
