"""A plug-in that works as it is written, with its registry entry and its test: something to edit."""

from __future__ import annotations

import importlib.util
import keyword
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.common.errors import UsageError
from benchmark.registry import load_registry
from benchmark.submission.proposal import Proposal
from benchmark.submission.write import add_entries

_TEMPLATES = Path(__file__).with_name("templates")
#: What stands for the name, and for the class, in the templates
_NAME, _CLASS = "new_name", "NewName"
#: Kind of plug-in -> the files that are written, as template and suffix of ``NAME``
_FILES = {
    "model": {"model.py": ".py"},
    "task": {"task.py": ".py"},
    "dataset": {"dataset.py": ".py", "dataset.csv": ".csv"},
}


@dataclass(frozen=True)
class New:
    """What was written, and what to do with it.

    Attributes
    ----------
    files : tuple of Path
        The registry file last.
    commands : tuple of str
        To paste into a shell; each ends without a fault.
    """

    files: tuple[Path, ...]
    commands: tuple[str, ...]


def write_new(kind: str, name: str, folder: Path) -> New:
    """Write a plug-in and its test, and add its entry to ``registry.yaml``.

    Parameters
    ----------
    kind : str
        "model", "task" or "dataset".
    name : str
        Of the plug-in, of its file and of its entry; its class has the same name in CamelCase.
    folder : Path
        Where the files go; made if it is not there.

    Returns
    -------
    New

    Raises
    ------
    UsageError
        If the name cannot be used or is taken, or a file is there already. Nothing is written then.
    """
    registry = folder / "registry.yaml"
    files = {folder / f"{name}{suffix}": template for template, suffix in _FILES[kind].items()}
    files[folder / f"test_{name}.py"] = f"test_{kind}.py"
    texts = {path: (_TEMPLATES / template).read_text(encoding="utf-8") for path, template in files.items()}
    class_name = "".join(word.capitalize() for word in name.split("_"))
    _check_name(name, class_name, texts[folder / f"{name}.py"] if name.isidentifier() else "")
    for path in files:
        if path.exists():
            raise UsageError(f"{path} is there already; give another name, or another folder with --folder")
    _check_free(name, registry)
    filled = {path: text.replace(_NAME, name).replace(_CLASS, class_name) for path, text in texts.items()}
    try:
        _write(filled, _entries(kind, name, class_name), registry)
    except OSError as error:
        raise UsageError(f"cannot write in {folder}: {error.strerror or error}") from error
    return New((*files, registry), _commands(kind, name, folder))


def _write(texts: Mapping[Path, str], entries: Sequence[Proposal], registry: Path) -> None:
    """Write the files, then their entries; if anything fails, no file that was written here stays."""
    written: list[Path] = []
    try:
        registry.parent.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            with path.open("x", encoding="utf-8") as stream:
                written.append(path)
                stream.write(text)
        add_entries(entries, registry)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise


def _check_name(name: str, class_name: str, template: str) -> None:
    """Refuse what cannot name a file that Python imports, and a class beside those of the template."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{,99}", name) or keyword.iskeyword(name):
        raise UsageError(
            f"{name[:100]!r} is no name for a Python file; write small letters, digits and '_', a letter "
            "first, at most 100"
        )
    if class_name in re.findall(r"\w+", template):
        raise UsageError(f"the name {name} is used in the file itself, as {class_name}; give another name")


def _check_free(name: str, registry: Path) -> None:
    known = load_registry([registry] if registry.is_file() else [])
    for section in (known.models, known.datasets, known.tasks):
        if name in section:
            raise UsageError(f"the name {name} is taken, at {section[name].where}; give another name")
    bindings = [binding for suite in known.suites.values() for binding in suite.bindings]
    if name in known.suites or name in bindings:
        raise UsageError(f"the name {name} is taken by a suite or a binding; give another name")
    if importlib.util.find_spec(name) is not None:
        raise UsageError(f"the name {name} is taken by a Python module; give another name")


def _entries(kind: str, name: str, class_name: str) -> list[Proposal]:
    plugin = f"{name}.py:{class_name}"
    if kind == "model":
        return [
            Proposal(name, {"plugin": plugin, "description": "Mean colours of the image, on three grids"})
        ]
    if kind == "task":
        question = "Are the nearest concepts in the model among the nearest for people?"
        task = Proposal(name, {"plugin": plugin, "description": question}, section="tasks")
        return [task, _suite(name, {"task": name, "stimuli": "mini_images", "target": "mini_people"})]
    dataset = {
        "kind": "target",
        "plugin": f"{name}.py:read",
        "params": {"path": f"{name}.csv"},
        "description": "Ratings of the drawn concepts; an example, made up, not measured in people",
        "how": f"{name}.csv is beside {name}.py; name their folder with --data",
    }
    binding = {"task": "rdm_correlation", "stimuli": "mini_images", "target": name}
    return [Proposal(name, dataset, section="datasets"), _suite(name, binding)]


def _suite(name: str, binding: dict[str, Any]) -> Proposal:
    """A suite of one binding: none can be added to those that are shipped."""
    entry = {
        "description": f"{name} on the drawn world; a calibration, not a claim about people",
        "miniature": True,
        "models": ["swow_assoc", "pixels"],
        "bindings": {f"mini_{name}": binding},
    }
    return Proposal(name, entry, section="suites")


def _commands(kind: str, name: str, folder: Path) -> tuple[str, ...]:
    registry = f"--registry {shlex.quote(str(folder / 'registry.yaml'))}"
    test = f"pytest {shlex.quote(str(folder / f'test_{name}.py'))}"
    if kind == "model":
        return (test, f"bench run {registry} --model {name} --task rdm_correlation")
    run = f"bench run {registry} --suite {name} --model all --task all"
    if kind == "task":
        return (test, run, f"bench calibrate {registry} --suite {name} --task {name}")
    return (test, f"{run} --data {shlex.quote(str(folder))}")
