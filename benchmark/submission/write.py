"""Add an entry to a registry file, and change nothing else in it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

import yaml

from benchmark.common.errors import UsageError
from benchmark.common.files import write_temporary
from benchmark.registry import load_registry
from benchmark.registry.yaml_text import read_yaml
from benchmark.submission.proposal import Proposal

_WIDTH = 106


#: Keys of an entry that follow from the weights
_OF_WEIGHTS = ("plugin", "checkpoint", "parameters")
#: Params that say how one file is read. They do not hold for another file
_OF_FILE = ("part", "ids")


def add_entry(proposal: Proposal, file: Path, others: Sequence[Path] = (), *, replace: bool = False) -> str:
    """Write an entry into a registry file.

    The engine first reads the whole registry with the new entry in it. The file is replaced only if that
    works.

    Parameters
    ----------
    proposal : Proposal
    file : Path
        The registry file; it is created if it does not exist.
    others : sequence of Path
        Further registry files. Their names are taken too.
    replace : bool
        Whether an entry of this name in ``file`` is replaced. Its plug-in, checkpoint, size and the proposed
        parameters are then those of the proposal; its other keys, and comments above it, stay.

    Returns
    -------
    str
        The text that was added.

    Raises
    ------
    UsageError
        If the name is taken, or the models of the file are written in braces.
    """
    own = [file] if file.is_file() else []
    taken = load_registry([*others, *own]).models
    if proposal.name not in taken:
        return add_entries([proposal], file, others)
    if not replace:
        raise UsageError(
            f"the name {proposal.name} is taken, at {taken[proposal.name].where}; give another with --name, "
            "or replace your own entry with --replace"
        )
    return _replace(proposal, file, others)


def _replace(proposal: Proposal, file: Path, others: Sequence[Path]) -> str:
    """Write the proposal over the entry of its name."""
    text = file.read_bytes().decode("utf-8") if file.is_file() else ""
    ending = "\r\n" if "\r\n" in text else "\n"
    key, value = _node(yaml.compose(text, Loader=yaml.SafeLoader), (proposal.section, proposal.name))
    if key is None or value is None or key.start_mark.column == 0:
        raise UsageError(f"{file}: has no entry {proposal.name} on lines of its own: nothing to replace")
    kept = read_yaml(text)[1][proposal.section][proposal.name]
    entry = kept | {name: part for name, part in proposal.entry.items() if name in _OF_WEIGHTS}
    params = {key: value for key, value in kept.get("params", {}).items() if key not in _OF_FILE}
    params |= proposal.entry.get("params", {})
    entry.pop("params", None)
    if params:
        entry["params"] = params
    written = textwrap.indent(_yaml(Proposal(proposal.name, entry)), " " * key.start_mark.column)
    start = text.rfind("\n", 0, key.start_mark.index) + 1
    end = _line_after(text, value.end_mark.index, value)
    _write(text[:start] + written.replace("\n", ending) + text[end:], file, others)
    return written


def _node(root: yaml.Node | None, path: Sequence[str]) -> tuple[yaml.Node | None, yaml.Node | None]:
    """The nodes of the key at ``path`` and of its value; None: it is not there, or in braces."""
    key: yaml.Node | None = None
    for name in path:
        is_block = isinstance(root, yaml.MappingNode) and not root.flow_style
        pairs = root.value if is_block and root is not None else []
        key, root = next(((k, v) for k, v in pairs if k.value == name), (None, None))
    return key, root


def add_entries(proposals: Sequence[Proposal], file: Path, others: Sequence[Path] = ()) -> str:
    """Write entries, each into its section, as :func:`add_entry` does; their names are free.

    Parameters
    ----------
    proposals : sequence of Proposal
    file : Path
    others : sequence of Path
        Further registry files, whose names the entries may use.

    Returns
    -------
    str
        What was written.

    Raises
    ------
    UsageError
        If the file has a section written in braces.
    """
    text = file.read_bytes().decode("utf-8") if file.is_file() else ""
    ending = "\r\n" if "\r\n" in text else "\n"
    written = []
    for proposal in proposals:
        position, indent, text = _place(text, proposal.section, file, ending)
        entry = textwrap.indent(_yaml(proposal), " " * indent).replace("\n", ending)
        text = text[:position] + entry + text[position:]
        written.append(entry.replace(ending, "\n"))
    _write(text, file, others)
    return "".join(written)


def _write(text: str, file: Path, others: Sequence[Path]) -> None:
    """Write a registry file, if the engine can read it beside the ``others``."""
    content = text.encode("utf-8")
    temporary = write_temporary(file.parent, lambda stream: stream.write(content))
    try:
        load_registry([*others, temporary])
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def _place(text: str, section: str, file: Path, ending: str) -> tuple[int, int, str]:
    """Position and indentation of the entry, and the text; ``section:`` is added if it is missing."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if text and not text.endswith("\n"):
        text += ending
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    entries = next((value for key, value in pairs if key.value == section), None)
    if entries is None:
        text += f"{ending if text else ''}{section}:{ending}"
        return len(text), 2, text
    if isinstance(entries, yaml.MappingNode) and not entries.flow_style:
        last = entries.value[-1][1]
        return _line_after(text, last.end_mark.index, last), entries.value[0][0].start_mark.column, text
    raise UsageError(
        f"{file}: the {section} are written in braces; write each on lines of its own, not in braces"
    )


def _line_after(text: str, index: int, node: yaml.Node) -> int:
    """The start of the first line after ``node``; comments after the node stay behind that line."""
    # the mark of a block's end is where the next token begins: go back over empty lines and comments
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        index = _end_of_block(node)
    end = text.find("\n", index)
    return len(text) if end < 0 else end + 1


def _end_of_block(node: yaml.Node) -> int:
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    # the end mark of a scalar or a brace is behind its last character
    return max(node.start_mark.index, node.end_mark.index - 1)


def _yaml(proposal: Proposal) -> str:
    notes = [
        line
        for note in proposal.notes
        for line in textwrap.wrap(
            " ".join(note.split()), _WIDTH - 4, initial_indent="# ", subsequent_indent="#   "
        )
    ]
    # one key a line; a list, or a mapping within, is short enough for one line
    body = [
        yaml.safe_dump(
            {key: value},
            sort_keys=False,
            allow_unicode=True,
            width=_WIDTH,
            default_flow_style=None if isinstance(value, (dict, list)) else False,
        )
        for key, value in proposal.entry.items()
    ]
    return "\n".join([*notes, f"{proposal.name}:\n" + textwrap.indent("".join(body), "  ")])
