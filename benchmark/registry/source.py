"""A registry file as YAML nodes, so that every error can name its line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from benchmark.common.errors import UsageError

Key = tuple[str | int, ...]


class RegistryError(UsageError):
    """A registry file cannot be used; the message is ``FILE:LINE: key: what is wrong``."""


# libyaml reads the shipped registry ten times as fast as PyYAML's own loader, with the same result
_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Safe):  # type: ignore[misc]
    """Reads words as YAML 1.2 does: ``on`` and ``yes`` are text, not true; ``2020-01-01`` is not a date."""


_NOT_WORDS = {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp"}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag not in _NOT_WORDS]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


class Source:
    """One registry file.

    Attributes
    ----------
    path : Path
    data : dict
        The content of the file.

    Raises
    ------
    RegistryError
        If there is no such file, it is not YAML, or one mapping has the same key twice.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise RegistryError(f"cannot read registry {path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise RegistryError(f"{path}: is not UTF-8 text: {error.reason}") from error
        loader = _Loader(text)
        try:
            self._root = loader.get_single_node()
            if self._root is not None:
                self._refuse_duplicates(self._root, (), ())
            self.data: Any = {} if self._root is None else loader.construct_document(self._root)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = f":{mark.line + 1}" if mark else ""
            problem = getattr(error, "problem", None) or str(error).splitlines()[0]
            raise RegistryError(f"{path}{line}: is not YAML: {problem}") from error
        finally:
            loader.dispose()

    def error(self, key: Sequence[str | int], message: str) -> RegistryError:
        """Make the error ``FILE:LINE: models.foo.plugin: message`` for the key ``key``."""
        dotted = ".".join(str(part) for part in key)
        return RegistryError(f"{self.where(key)}: {dotted + ': ' if dotted else ''}{message}")

    def where(self, key: Sequence[str | int]) -> str:
        """``FILE:LINE`` of ``key``; if the file does not have that key, of the nearest key around it."""
        return f"{self.path}:{self._line(key)}"

    def _line(self, key: Sequence[str | int]) -> int:
        node, line = self._root, 1
        for part in key:
            if isinstance(node, yaml.MappingNode):
                pairs = [(k, v) for k, v in node.value if _text(k) == str(part)]
                if not pairs:
                    break
                line, node = pairs[0][0].start_mark.line + 1, pairs[0][1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                line = node.start_mark.line + 1
            else:
                break
        return line

    def _refuse_duplicates(self, node: yaml.Node, key: Key, above: tuple[int, ...]) -> None:
        if id(node) in above:
            raise self.error(key, "refers to itself")
        above = (*above, id(node))
        if isinstance(node, yaml.SequenceNode):
            for i, item in enumerate(node.value):
                self._refuse_duplicates(item, (*key, i), above)
        if isinstance(node, yaml.MappingNode):
            seen: dict[str | None, int] = {}
            for name, value in node.value:
                text, line = _text(name), name.start_mark.line + 1
                if text is not None and text in seen:
                    dotted = ".".join(str(part) for part in (*key, text))
                    raise RegistryError(
                        f"{self.path}:{line}: {dotted}: stands twice; it is already at line {seen[text]}"
                    )
                seen[text] = line
                self._refuse_duplicates(value, (*key, text or "?"), above)


def _text(node: yaml.Node) -> str | None:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else None
