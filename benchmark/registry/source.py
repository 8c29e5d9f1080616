"""A registry file as YAML nodes, so that every error can name its line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from benchmark.common.errors import UsageError
from benchmark.registry.yaml_text import NotReadableError, read_text, read_yaml

Key = tuple[str | int, ...]


class RegistryError(UsageError):
    """A registry file cannot be used; the message is ``FILE:LINE: key: what is wrong``."""


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
        self._pairs: dict[int, dict[str | None, tuple[yaml.Node, yaml.Node]]] = {}
        try:
            self._root, self.data = read_yaml(read_text(path))
        except OSError as error:
            raise RegistryError(f"cannot read registry {path}: {error.strerror}") from error
        except NotReadableError as error:
            line = f":{error.line}" if error.line else ""
            raise RegistryError(f"{path}{line}: {error}") from error
        if self._root is not None:
            self._refuse_duplicates(self._root, ())

    def error(self, key: Sequence[str | int], message: str) -> RegistryError:
        """Make the error ``FILE:LINE: models.foo.plugin: message`` for the key ``key``."""
        dotted = _dotted(key)
        return RegistryError(f"{self.where(key)}: {dotted + ': ' if dotted else ''}{message}")

    def where(self, key: Sequence[str | int]) -> str:
        """``FILE:LINE`` of ``key``; if the file does not have that key, of the nearest key around it."""
        return f"{self.path}:{self._line(key)}"

    def _line(self, key: Sequence[str | int]) -> int:
        node, line = self._root, 1
        for part in key:
            if isinstance(node, yaml.MappingNode):
                pair = self._pairs_of(node).get(str(part))
                if pair is None:
                    break
                line, node = pair[0].start_mark.line + 1, pair[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                line = node.start_mark.line + 1
            else:
                break
        return line

    def _pairs_of(self, node: yaml.MappingNode) -> dict[str | None, tuple[yaml.Node, yaml.Node]]:
        """Key and value by the text of the key. They are kept: every entry of a file asks for its line."""
        if id(node) not in self._pairs:
            self._pairs[id(node)] = {_text(name): (name, value) for name, value in reversed(node.value)}
        return self._pairs[id(node)]

    def _refuse_duplicates(self, node: yaml.Node, key: Key) -> None:
        if isinstance(node, yaml.SequenceNode):
            for i, item in enumerate(node.value):
                self._refuse_duplicates(item, (*key, i))
        if isinstance(node, yaml.MappingNode):
            seen: dict[str | None, int] = {}
            for name, value in node.value:
                text, line = _text(name), name.start_mark.line + 1
                if text is not None and text in seen:
                    raise RegistryError(
                        f"{self.path}:{line}: {_dotted((*key, text))}: stands twice; "
                        f"it is already at line {seen[text]}"
                    )
                seen[text] = line
                self._refuse_duplicates(value, (*key, text or "?"))


def _text(node: yaml.Node) -> str | None:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else None


def _dotted(key: Sequence[object]) -> str:
    """A key for a message of one line: what cannot be printed is escaped, and what is long is cut."""
    parts = (part if isinstance(part, str) and part.isprintable() else repr(part) for part in key)
    return ".".join(part if len(part) <= 100 else f"{part[:100]}..." for part in parts)
