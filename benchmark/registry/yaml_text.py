"""Read the YAML of a registry file: plain values only, and in a time that does not depend on who wrote it."""

from __future__ import annotations

import codecs
import math
import re
from pathlib import Path
from typing import Any

import yaml

#: Bytes of a registry file; the shipped one has 47,000
MOST_BYTES = 1_000_000
#: Size of the content when every alias is written out: its characters, and this many for each value
MOST_GROWN, VALUE_SIZE = 2_000_000, 20
_DEEPEST = 50
_MOST_DIGITS = 400
#: Words that are texts in YAML 1.2: yes and on, 2020-01-01, and the sign =
_NOT_WORDS = {f"tag:yaml.org,2002:{kind}" for kind in ("bool", "timestamp", "value")}
_PLAIN = {f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str", "int", "float", "bool", "null")}

# libyaml reads the shipped registry ten times as fast as PyYAML's own loader, with the same result
_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class NotReadableError(Exception):
    """Why a text cannot be read, and the number of its line where one is known."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.line = line


class _Loader(_Safe):  # type: ignore[misc]
    """Reads words as YAML 1.2 does: ``on`` and ``yes`` are text, not true; ``2020-01-01`` is not a date.

    It makes only what JSON can hold: texts, finite numbers, true, false, null, lists and mappings.
    """

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """The value of ``node``; ``deep`` builds what it contains at once."""
        line = node.start_mark.line + 1
        if node.tag not in _PLAIN:
            raise NotReadableError(f"the tag {node.tag!r} is not read: write texts, numbers and lists", line)
        if node.tag.endswith(":int") and len(node.value) > _MOST_DIGITS:
            raise NotReadableError(f"a number of {len(node.value)} digits: at most {_MOST_DIGITS}", line)
        try:
            value = super().construct_object(node, deep)
        except (NotReadableError, yaml.YAMLError):
            raise
        except (
            Exception
        ) as error:  # the constructors trust that a value fits its tag: "!!int x", "!!bool maybe"
            raise NotReadableError(f"the value does not fit the tag {node.tag!r}", line) from error
        if isinstance(value, float) and not math.isfinite(value):
            raise NotReadableError(f"{node.value[:40]!r} is not a finite number", line)
        if isinstance(value, str) and "\0" in value:
            raise NotReadableError("a text has the character NUL", line)
        return value


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag not in _NOT_WORDS]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def read_text(path: Path) -> str:
    """The text of the registry file ``path``: UTF-8, or UTF-16 that begins with a byte-order mark.

    Raises
    ------
    OSError
        If the file cannot be read.
    NotReadableError
        If it is too large, in another encoding, or has control characters.
    """
    with path.open("rb") as stream:
        content = stream.read(MOST_BYTES + 1)  # no more, whatever stands behind the path
    if len(content) > MOST_BYTES:
        raise NotReadableError(f"is larger than {MOST_BYTES:,} bytes: divide it into several registry files")
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = None if wide else content.count(b"\n", 0, error.start) + 1
        raise NotReadableError(f"is not UTF-8 text: {error.reason}", line) from error
    control = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if control:
        raise NotReadableError(
            f"is not text: it has the character {control[0]!r}", text.count("\n", 0, control.start()) + 1
        )
    return text


def read_yaml(text: str) -> tuple[yaml.Node | None, Any]:
    """Read the only document of ``text``.

    Returns
    -------
    root : yaml.Node or None
        The nodes, with their lines; None: the text is empty.
    content
        The same as plain values.

    Raises
    ------
    NotReadableError
        If the text is not YAML, is too deep or too large, or has values that JSON cannot hold.
    """
    loader = _Loader(text)
    try:
        _measure(text)
        root = loader.get_single_node()
        return root, {} if root is None else loader.construct_document(root)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        line = mark.line + 1 if mark else None
        raise NotReadableError(f"is not YAML: {' '.join(problem.split())}", line) from error
    finally:
        loader.dispose()


def _measure(text: str) -> None:
    """Refuse what is too deep, refers to itself or grows too large, before anything is built from it.

    One alias costs a few bytes and stands for everything that its anchor names, other aliases included.
    """
    anchored: dict[str, int] = {}
    open_anchors: list[str | None] = []
    before: list[int] = []
    size = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1 if event.start_mark else None
        if isinstance(event, yaml.CollectionStartEvent):
            open_anchors.append(event.anchor)
            before.append(size)
            size += VALUE_SIZE
            if len(before) > _DEEPEST:
                raise NotReadableError(f"is nested more than {_DEEPEST} deep", line)
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, start = open_anchors.pop(), before.pop()
            if anchor is not None:
                anchored[anchor] = size - start
        elif isinstance(event, yaml.ScalarEvent):
            size += VALUE_SIZE + len(event.value)
            if event.anchor is not None:
                anchored[event.anchor] = VALUE_SIZE + len(event.value)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor in open_anchors:
                raise NotReadableError(f"the anchor {event.anchor!r} refers to itself", line)
            size += anchored.get(str(event.anchor), 0)
        if size > MOST_GROWN:
            raise NotReadableError(
                "holds too much, with every alias (*) written out: divide the file, or use fewer aliases",
                line,
            )
