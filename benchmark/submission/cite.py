"""BibTeX of everything that results or suites used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.common.errors import UsageError
from benchmark.registry import BindingEntry, Registry, unknown
from benchmark.results import ResultStore

_ENTRY = re.compile(r"^@\w+\{([^,\s]+),", re.MULTILINE)


@dataclass
class Used:
    """Names in the registry of what was used, without repetition and in order.

    Attributes
    ----------
    tasks, datasets, models, collections : dict with str keys
    """

    tasks: dict[str, None] = field(default_factory=dict)
    datasets: dict[str, None] = field(default_factory=dict)
    models: dict[str, None] = field(default_factory=dict)
    collections: dict[str, None] = field(default_factory=dict)

    def add_binding(self, binding: BindingEntry) -> None:
        """Add what ``binding`` names."""
        self.tasks[binding.task] = None
        norms = None if binding.associations is None else binding.associations.norms
        for name in (binding.stimuli, binding.target, norms, *binding.concepts_common_to):
            if name is not None:
                self.datasets[name] = None


def used_by(registry: Registry, names: Sequence[str]) -> Used:
    """What the things of these names used.

    Parameters
    ----------
    registry : Registry
    names : sequence of str
        Suites, data sets, collections, models, or folders of results.

    Returns
    -------
    Used

    Raises
    ------
    UsageError
        If a name is none of these, or a folder holds no result.
    """
    used = Used()
    for name in names:
        if name in registry.suites:
            for binding in registry.bindings(name).values():
                used.add_binding(binding)
        elif name in registry.datasets:
            used.datasets[name] = None
        elif name in registry.collections:
            used.collections[name] = None
        elif name in registry.models:
            used.models[name] = None
        elif Path(name).is_dir():
            _add_results(used, registry, Path(name))
        else:
            known = [*registry.suites, *registry.datasets, *registry.collections, *registry.models]
            what = unknown("suite, dataset, collection or model", name, known)
            raise UsageError(f"{name}: no folder of results, and {what}")
    return used


def _add_results(used: Used, registry: Registry, folder: Path) -> None:
    stored, _ = ResultStore(folder).all()
    if not stored:
        raise UsageError(f"{folder}: no results in it; name a folder that bench run wrote")
    for cell in (one.cell for one in stored):
        used.models[cell.model.partition("@")[0]] = None
        if cell.suite in registry.suites and cell.binding.partition("@")[0] in registry.bindings(cell.suite):
            used.add_binding(registry.binding(cell.suite, cell.binding.partition("@")[0]))
        else:  # of a registry that is not given: what the result itself says
            used.tasks[cell.task] = None


def bibtex(registry: Registry, used: Used) -> list[str]:
    """The BibTeX of what was used, each entry once.

    Parameters
    ----------
    registry : Registry
    used : Used

    Returns
    -------
    list of str
        Entries of tasks first, then those of data. What has no BibTeX (a model, data without files in the
        registry) is named in a comment, with its reference in words.
    """
    datasets = {name: registry.datasets[name].entry for name in used.datasets if name in registry.datasets}
    collections = dict.fromkeys(
        (*used.collections, *(name for entry in datasets.values() for name in entry.collections))
    )
    texts = [str(registry.task(name).load().reference) for name in used.tasks if name in registry.tasks]
    texts += [registry.collections[name].entry.citation for name in collections]
    words = {
        f"dataset {name}": entry.citation for name, entry in datasets.items() if not entry.collections
    } | {
        f"model {name}": registry.models[name].entry.citation
        for name in used.models
        if name in registry.models
    }
    comments = [f"% {what}: {citation}" for what, citation in words.items() if citation]
    return [*_entries(texts), *comments]


def _entries(texts: Iterable[str]) -> list[str]:
    """The entries of several BibTeX texts; of two with one key the first."""
    entries: dict[str, str] = {}
    for text in texts:
        starts = [match.start() for match in _ENTRY.finditer(text)]
        for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
            entry = text[start:end].strip()
            entries.setdefault(_ENTRY.match(entry)[1], entry)  # type: ignore[index]  # it was just found
    return list(entries.values())
