"""A family of models: one entry that stands for many, alike but for a few words."""

from __future__ import annotations

import re
from typing import Any

from benchmark.registry.source import Key, RegistryError, Source

_PLACE = re.compile(r"\{(\w+)\}")


def expand_families(source: Source) -> tuple[dict[str, Any], dict[str, Key]]:
    """The content of a registry file with one entry for each member of a family.

    An entry ``NAME`` with ``members: {m: {key: text}}`` becomes ``NAME_m`` for every m; in all its texts
    ``{member}`` stands for m, and ``{key}`` for the member's own text.

    Parameters
    ----------
    source : Source
        Its content is a mapping.

    Returns
    -------
    content : dict
    places : dict of str to Key
        Where the member was written, by its full name: for messages.

    Raises
    ------
    RegistryError
        If members are no mapping of names to texts, a text names a key that the member lacks, or the full
        name is taken.
    """
    models = source.data.get("models")
    if not isinstance(models, dict):
        return source.data, {}
    expanded: dict[Any, Any] = {}
    places: dict[str, Key] = {}
    for name, entry in models.items():
        if not isinstance(entry, dict) or "members" not in entry:
            expanded[name] = entry
            continue
        alike = {key: value for key, value in entry.items() if key != "members"}
        for member, values in _members(source, name, entry["members"]).items():
            place: Key = ("models", name, "members", member)
            full = f"{name}_{member}"
            if full in models or full in expanded:
                raise source.error(place, f"the name {full} is taken")
            try:
                expanded[full] = _filled(alike, {"member": member, **values})
            except KeyError as error:
                raise source.error(place, f"the entry says {{{error.args[0]}}}, which is not given") from None
            places[full] = place
    return {**source.data, "models": expanded}, places


def family_error(
    source: Source, key: Key, message: str, places: dict[str, Key] | None = None
) -> RegistryError:
    """The error of ``key``; of a member's key, at the family's own."""
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
                ("models", family, "members", member), "must map keys to texts ({} where there are none)"
            )
    return {str(member): values for member, values in members.items()}


def _filled(value: Any, texts: dict[str, str]) -> Any:
    if isinstance(value, str):
        return _PLACE.sub(lambda found: texts[found[1]], value)
    if isinstance(value, dict):
        return {key: _filled(inner, texts) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, texts) for inner in value]
    return value
