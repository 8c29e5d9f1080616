"""Read the registry files, and check that every name in them exists."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from benchmark.common.did_you_mean import did_you_mean
from benchmark.common.errors import UsageError
from benchmark.registry.content import RegistryFile
from benchmark.registry.family import expand_families, family_error
from benchmark.registry.names import check_name, expand_seeds, parse_model_name, unknown
from benchmark.registry.registry import Placed, Registry
from benchmark.registry.schema import (
    BindingEntry,
    BuiltFrom,
    DatasetEntry,
    ModelEntry,
    ModelVariant,
    SuiteEntry,
)
from benchmark.registry.shipped import shipped_root
from benchmark.registry.source import Key, RegistryError, Source

#: Installed packages add models under this group of entry points: name -> package.module:Class
ENTRY_POINTS = "semantic_benchmark.models"

#: Models of one suite, each seed counted
_MOST_LISTED = 20_000

_SECTIONS = ("models", "datasets", "tasks", "suites", "collections")


def load_registry(extra: Sequence[Path] = ()) -> Registry:
    """Read the shipped registry, the files of ``extra`` and the models of installed packages.

    Parameters
    ----------
    extra : sequence of Path
        The user's own registry files.

    Returns
    -------
    Registry

    Raises
    ------
    RegistryError
        If a file is missing or not YAML, a key is unknown or repeated, a value has the wrong type, a name is
        in two files, or an entry uses a name that does not exist. The message is one line:
        ``FILE:LINE: models.foo.chekpoint: unknown key; did you mean checkpoint?``

    Examples
    --------
    >>> registry = load_registry()
    >>> list(registry.suites)
    ['mini', 'human', 'macaque']
    >>> registry.model("pixels").entry.plugin
    'models/pixels.py:Pixels'
    >>> registry.binding("mini", "people_rdm").target
    'mini_people'
    """
    return read_registry([shipped_root() / "registry.yaml", *extra])


def read_registry(files: Iterable[Path]) -> Registry:
    """Read the registry of ``files`` and the models of installed packages, without the shipped file."""
    collected = _Collected()
    for path in files:
        collected.add_file(Source(Path(path).expanduser()))
    collected.add_installed()
    registry = collected.registry()
    _check_references(collected, registry)
    return registry


@dataclass
class _Collected:
    """The entries of the files read so far, and the place of each."""

    sections: dict[str, dict[str, Any]] = field(default_factory=lambda: {name: {} for name in _SECTIONS})
    origin: dict[tuple[str, str], Source | None] = field(default_factory=dict)
    where: dict[tuple[str, str], str] = field(default_factory=dict)
    families: dict[str, Key] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)

    def add_file(self, source: Source) -> None:
        content, members = _validate(source)
        self.files.append(source.path)
        self.families |= members
        for section in _SECTIONS:
            for name, entry in getattr(content, section).items():
                place = members.get(name, (section, name)) if section == "models" else (section, name)
                if name in self.sections[section]:
                    earlier = self.where[section, name]
                    raise source.error(place, f"this name is taken: it is already at {earlier}")
                self.sections[section][name] = entry
                self.origin[section, name] = source
                self.where[section, name] = source.where(place)

    def add_installed(self) -> None:
        for point in importlib.metadata.entry_points(group=ENTRY_POINTS):
            package = point.dist.name if point.dist else "an installed package"
            where = f"entry point {point.name!r} of {package}"
            try:
                check_name(point.name)
            except ValueError as error:
                raise RegistryError(f"{where}: {error}") from error
            if point.name in self.sections["models"]:
                raise RegistryError(
                    f"{where}: this name is taken: it is already at {self.where['models', point.name]}"
                )
            entry = ModelEntry(plugin=f"{point.module}:{point.attr}", description=f"Installed with {package}")
            self.sections["models"][point.name] = entry
            self.origin["models", point.name] = None
            self.where["models", point.name] = where

    def registry(self) -> Registry:
        return Registry(
            models=self._placed("models"),
            datasets=self._placed("datasets"),
            tasks=self._placed("tasks"),
            collections=self._placed("collections"),
            suites={name: self._extended(name) for name in self.sections["suites"]},
            own_suites=frozenset(
                name for name in self.sections["suites"] if not self._is_of_first_file("suites", name)
            ),
            own_models=frozenset(
                name for name in self.sections["models"] if not self._is_of_first_file("models", name)
            ),
            files=tuple(self.files),
        )

    def _is_of_first_file(self, section: str, name: str) -> bool:
        source = self.origin[section, name]
        return source is not None and source.path == self.files[0]

    def _extended(self, name: str) -> SuiteEntry:
        """The suite with the models and bindings of the suite that it extends."""
        suite = self._with_base(name)
        if suite.extends not in self.sections["suites"]:
            return suite
        base = self._with_base(suite.extends)
        return suite.model_copy(
            update={
                "models": tuple(dict.fromkeys((*base.models, *suite.models))),
                "bindings": {**base.bindings, **suite.bindings},
            }
        )

    def _with_base(self, name: str) -> SuiteEntry:
        """The suite, each of its bindings with the folder of the file in which it is written."""
        suite: SuiteEntry = self.sections["suites"][name]
        source = self.origin["suites", name]
        base = source.path.resolve().parent if source is not None else Path()
        bindings = {binding: entry.placed(base) for binding, entry in suite.bindings.items()}
        return suite.model_copy(update={"bindings": bindings})

    def _placed(self, section: str) -> dict[str, Placed[Any]]:
        placed = {}
        bases: dict[Source | None, Path] = {None: Path()}
        for name, entry in self.sections[section].items():
            source = self.origin[section, name]
            if source is not None and source not in bases:
                bases[source] = source.path.resolve().parent
            placed[name] = Placed(name, entry, bases[source], self.where[section, name])
        return placed


def _validate(source: Source) -> tuple[RegistryFile, dict[str, Key]]:
    """The content of a file with its families expanded, and the key of each member."""
    if not isinstance(source.data, dict):
        raise source.error((), f"a registry is a mapping of {', '.join(_SECTIONS)}")
    content, members = expand_families(source)
    try:
        return RegistryFile.model_validate(content), members
    except ValidationError as error:
        details = sorted(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")
        more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
        # pydantic adds "[key]" where it refuses a key and not its value
        key = tuple(part for part in details[0]["loc"] if part != "[key]")
        raise family_error(source, key, _explain(details[0], key) + more, members) from error


def _explain(detail: Any, key: Key) -> str:
    kind, message = detail["type"], str(detail["msg"])
    if kind == "extra_forbidden":
        return f"unknown key; {did_you_mean(str(key[-1]), _keys_at(key[:-1]))}"
    if kind == "missing":
        return "this key is required"
    message = message.removeprefix("Value error, ").removeprefix("Input ")
    if kind == "value_error":
        return message
    return f"{message}, not {_brief(detail['input'])}"


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"a {type(value).__name__}"


def _keys_at(key: Key) -> list[str]:
    """The keys that the schema allows in the mapping at ``key``."""
    current: Any = RegistryFile
    for part in key:
        if _is_model(current):
            current = _required(current.model_fields[str(part)].annotation)
        else:  # dict[Name, Entry]
            _, current = get_args(current)
    return list(current.model_fields) if _is_model(current) else []


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _required(annotation: Any) -> Any:
    """``Checkpoint`` of ``Checkpoint | None``."""
    arguments = get_args(annotation)
    return arguments[0] if type(None) in arguments else annotation


def _check_references(collected: _Collected, known: Registry) -> None:
    """Check that every name an entry uses exists and is of the right kind."""
    for section, name in collected.where:
        source = collected.origin[section, name]
        if source is None:
            continue
        entry = collected.sections[section][name]
        if section == "models":
            problems = _model_problems(entry, collected.sections)
        elif section == "suites":
            problems = _suite_problems(name, entry, collected.sections, known)
        elif section == "datasets":
            problems = _dataset_problems(entry, collected.sections)
        else:
            continue
        for key, message in problems:
            raise family_error(source, (section, name, *key), message, collected.families)


def _model_problems(entry: ModelEntry, sections: dict[str, dict[str, Any]]) -> Iterator[tuple[Key, str]]:
    for i, suite in enumerate(entry.suites or ()):
        if suite not in sections["suites"]:
            yield ("suites", i), unknown("suite", suite, sections["suites"])
    for suite in entry.variants:
        if suite not in sections["suites"]:
            yield ("variants", suite), unknown("suite", suite, sections["suites"])
    if entry.built_from is not None:
        yield from _built_from_problems(entry.built_from, sections)
    parts: list[tuple[Key, ModelEntry | ModelVariant]] = [((), entry)]
    parts += [(("variants", suite), variant) for suite, variant in entry.variants.items()]
    for key, part in parts:
        if part.encoder is not None and part.encoder not in sections["models"]:
            yield (*key, "encoder"), unknown("model", part.encoder, sections["models"])
        for i, dataset in enumerate(part.trained_on):
            if dataset not in sections["datasets"]:
                yield (*key, "trained_on", i), unknown("dataset", dataset, sections["datasets"])


def _dataset_problems(entry: DatasetEntry, sections: dict[str, dict[str, Any]]) -> Iterator[tuple[Key, str]]:
    for i, name in enumerate(entry.collections):
        if name not in sections["collections"]:
            yield ("collections", i), unknown("collection", name, sections["collections"])


def _built_from_problems(
    built_from: BuiltFrom, sections: dict[str, dict[str, Any]]
) -> Iterator[tuple[Key, str]]:
    model, target = built_from.model, built_from.target
    if model not in sections["models"]:
        yield ("built_from", "model"), unknown("model", model, sections["models"])
    elif sections["models"][model].built_from is not None:
        yield ("built_from", "model"), f"{model!r} is itself built from another model: name that one"
    if target is not None and target not in sections["datasets"]:
        yield ("built_from", "target"), unknown("dataset", target, sections["datasets"])
    elif target is not None and (kind := sections["datasets"][target].kind) != "target":
        yield ("built_from", "target"), f"dataset {target!r} is of kind {kind}, not target"


def _suite_problems(
    name: str, suite: SuiteEntry, sections: dict[str, dict[str, Any]], known: Registry
) -> Iterator[tuple[Key, str]]:
    if suite.extends is not None:
        yield from _extends_problems(suite, sections["suites"])
    yield from _listed_problems(name, suite, known)
    for binding, entry in suite.bindings.items():
        if entry.task not in sections["tasks"]:
            yield ("bindings", binding, "task"), unknown("task", entry.task, sections["tasks"])
        for key, dataset, needed in _datasets_of(entry):
            if dataset not in sections["datasets"]:
                yield ("bindings", binding, *key), unknown("dataset", dataset, sections["datasets"])
            elif (kind := sections["datasets"][dataset].kind) != needed:
                yield ("bindings", binding, *key), f"dataset {dataset!r} is of kind {kind}, not {needed}"


def _datasets_of(entry: BindingEntry) -> Iterator[tuple[Key, str, str]]:
    """Each dataset that a binding names: the key where it stands, its name, and the kind it has to be."""
    yield ("stimuli",), entry.stimuli, "stimuli"
    yield ("target",), entry.target, "target"
    for i, name in enumerate(entry.concepts_common_to):
        yield ("concepts_common_to", i), name, "target"
    if entry.associations is not None and entry.associations.norms is not None:
        yield ("associations", "norms"), entry.associations.norms, "target"


def _extends_problems(suite: SuiteEntry, suites: dict[str, SuiteEntry]) -> Iterator[tuple[Key, str]]:
    name = str(suite.extends)
    if name not in suites:
        yield ("extends",), unknown("suite", name, suites)
        return
    if suites[name].extends is not None:
        yield ("extends",), f"{name!r} itself extends another suite: name that one"
    if suites[name].miniature and not suite.miniature:
        yield (
            ("extends",),
            f"{name!r} is a miniature: write miniature: true, if your bindings are all of the drawn world",
        )
    for binding in suite.bindings:
        if binding in suites[name].bindings:
            yield ("bindings", binding), f"suite {name!r} has a binding of this name: give another"


def _listed_problems(name: str, suite: SuiteEntry, known: Registry) -> Iterator[tuple[Key, str]]:
    before: set[str] = set()
    for i, text in enumerate(suite.models):
        expanded = expand_seeds(text)
        try:
            known.model(expanded[0], name)  # the text is one model and its seeds: the first speaks for all
        except UsageError as error:
            yield ("models", i), str(error)
        if len(before) + len(expanded) > _MOST_LISTED:
            yield ("models", i), f"the suite lists more than {_MOST_LISTED:,} models: leave some out"
        for model in expanded:
            if model in before:
                yield ("models", i), f"model {str(parse_model_name(model))!r} stands twice"
            before.add(model)
