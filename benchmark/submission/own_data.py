"""Data of a user's own: read as a run will read them, joined with stimuli, and described before any entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmark.common.errors import DataError, NotPossible, UsageError
from benchmark.datasets import DataRoot, Join, ResponseTarget, Stimuli, Target, join
from benchmark.datasets.join import image_name
from benchmark.datasets.readers.rdm_files import is_pattern
from benchmark.inference import Reliability, split_half_reliability
from benchmark.registry import Registry, load_plugin, load_registry
from benchmark.registry.names import check_name
from benchmark.runner import Options, Session
from benchmark.submission.own import relative_to
from benchmark.submission.proposal import Proposal
from benchmark.task import Task

#: The suite whose models see stimuli that no suite has
_REAL = "human"
#: Names that stand for more of them in a message, and concepts without which nothing can be computed
_SHOWN, _FEWEST = 3, 3


@dataclass
class OwnData:
    """Data that were read and are not registered yet.

    Attributes
    ----------
    name : str
        Name of the data set.
    entry : dict
        Its registry entry.
    data : Stimuli or Target
        What a run will read.
    joined : Join or None
        A target with the concepts of its stimuli.
    binding : dict
        Its binding; empty for stimuli.
    extends : str
        The suite whose models are scored.
    miniature : bool
        Whether the stimuli are those of the drawn world.
    taken : frozenset of str
        Names of the bindings of the suite that is extended.
    lines : list of str
        What joined, for the preview.
    """

    name: str
    entry: dict[str, Any]
    data: Stimuli | Target
    joined: Join[Target] | None = None
    binding: dict[str, Any] = field(default_factory=dict)
    extends: str = ""
    miniature: bool = False
    taken: frozenset[str] = frozenset()
    lines: list[str] = field(default_factory=list)

    @cached_property
    def reliability(self) -> Reliability | None:
        """That of each channel of responses, over what joined; None: there are no repeats."""
        target = self.data if self.joined is None else self.joined.target
        if not isinstance(target, ResponseTarget) or target.repeats.shape[2] < 2:
            return None
        return split_half_reliability(target.repeats, 0)

    def proposals(self) -> list[Proposal]:
        """The entry of the data set; for a target also a suite with its binding."""
        proposals = [Proposal(self.name, self.entry, section="datasets")]
        if self.binding:
            named = f"{self.name}_{self.binding['task']}"
            named = f"own_{named}" if named in self.taken else named
            suite = {
                "description": self.entry["description"],
                "extends": self.extends,
                **({"miniature": True} if self.miniature else {}),
                "bindings": {named: self.binding},
            }
            proposals.append(Proposal(self.name, suite, section="suites"))
        return proposals


def own_target(
    name: str,
    plugin: str,
    params: dict[str, Any],
    description: str,
    registries: Sequence[Path],
    *,
    stimuli: str,
    task: str,
    task_params: Mapping[str, Any] | None = None,
    on: str | None = None,
    data: Path | None = None,
) -> OwnData:
    """Read a target of a user's own, join it with stimuli, and ask its task whether it can score what joined.

    Parameters
    ----------
    name : str
        Name of the new data set and of its suite.
    plugin : str
        The reader.
    params : dict
        Parameters of the reader.
    description : str
        One line.
    registries : sequence of Path
        The user's registry files. The first will hold the entry; it may not exist yet.
    stimuli : str
        Name of the stimuli that models will see.
    task : str
        Task of its binding.
    task_params : mapping, optional
        Parameters of the task.
    on : str, optional
        Key of the stimuli to join on. Default: the concept id.
    data : Path, optional
        The data root.

    Returns
    -------
    OwnData

    Raises
    ------
    UsageError
        If the name is taken or no name.
    DataError, NotPossible
        If the data cannot be read in one way only, or fewer than three concepts join. The message says what
        decides it.
    """
    session, own = _read(name, "target", plugin, params, description, registries, data)
    assert isinstance(own.data, Target)
    shown = session.stimuli(stimuli)
    own.joined = _joined(shown, own.data, on)
    own.lines = _what_joined(shown, own.data, own.joined, on)
    own.lines += _refused(session.task(task), shown, own.joined, task_params or {})
    own.binding = {
        "task": task,
        "stimuli": stimuli,
        "target": name,
        **({"on": on} if on else {}),
        **({"params": dict(task_params)} if task_params else {}),
    }
    own.extends = _suite_of(session.registry, stimuli)
    extended = session.registry.suite(own.extends)
    own.miniature, own.taken = extended.miniature, frozenset(extended.bindings)
    return own


def own_stimuli(
    name: str,
    plugin: str,
    params: dict[str, Any],
    description: str,
    registries: Sequence[Path],
    data: Path | None = None,
) -> OwnData:
    """Read stimuli of a user's own.

    Parameters
    ----------
    name, plugin, params, description, registries, data
        As in :func:`own_target`.

    Returns
    -------
    OwnData
    """
    return _read(name, "stimuli", plugin, params, description, registries, data)[1]


def _read(
    name: str,
    kind: str,
    plugin: str,
    params: dict[str, Any],
    description: str,
    registries: Sequence[Path],
    data: Path | None,
) -> tuple[Session, OwnData]:
    existing = tuple(registries if registries[0].is_file() else registries[1:])
    _require_free(name, load_registry(existing))
    session = Session(Options(registries=existing, data=data))
    how = f"a file of your own; a path is relative to the folder of {registries[0].name}"
    entry: dict[str, Any] = {
        "kind": kind,
        "plugin": plugin,
        "params": {key: value for key, value in params.items() if value is not None},
        "description": description,
        "how": how,
    }
    base = registries[0].resolve().parent
    root = DataRoot(session.data.path, {name: how}, base)
    return session, OwnData(name, entry, load_plugin(plugin, base)(root, name=name, **entry["params"]))


def _require_free(name: str, registry: Registry) -> None:
    try:
        check_name(name)
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from error
    if name in registry.datasets:
        raise UsageError(
            f"the name {name} is taken, at {registry.datasets[name].where}; give another, "
            "or take the entries of that name out of your file"
        )
    if name in registry.suites:
        raise UsageError(f"the name {name} is that of a suite; give another")


def own_files(files: Sequence[str], base: Path) -> list[str]:
    """Paths of files as an entry names them: relative to ``base``, the folder of the registry file."""
    named = []
    for text in files:
        path = Path(text).expanduser()
        if not path.exists() and not is_pattern(path.name):
            raise UsageError(f"{text} is not there")
        # a pattern is no file: its folder is
        named.append((Path(relative_to(path.parent, base)) / path.name).as_posix())
    return named


def _suite_of(registry: Registry, stimuli: str) -> str:
    """The suite to extend: the first with models that has these stimuli; for new stimuli the real one.

    Of a suite that itself extends another the other is meant.
    """
    return next(
        (
            suite.extends or name
            for name, suite in registry.suites.items()
            if suite.models and any(binding.stimuli == stimuli for binding in suite.bindings.values())
        ),
        _REAL,
    )


def _joined(stimuli: Stimuli, target: Target, on: str | None) -> Join[Target]:
    try:
        return join(stimuli, target, on)
    except NotPossible as error:
        found = _count(stimuli, target, on)
        if found >= _FEWEST:  # enough join, and what is wrong is another thing
            raise
        better = _joins_by_key(stimuli, target)
        theirs, ours = _some(stimuli.concept_ids), _some(target.ids)
        hint = "".join(f"; --on {key} joins {n}" for key, n in better.items() if n >= _FEWEST)
        key = f"key {on!r}" if on else "the concept id"
        raise DataError(
            f"{len(target.ids)} ids of {target.source or target.name} ({ours}) and "
            f"{len(stimuli.concept_ids)} concepts of {stimuli.name} ({theirs}) do not join on {key}: "
            f"{found} are the same{hint or f'; expected {_expected(stimuli, target)}'}"
        ) from error


def _expected(stimuli: Stimuli, target: Target) -> str:
    concepts = "the names of the concepts"
    if not isinstance(target, ResponseTarget) or stimuli.ids == stimuli.concept_ids:
        return concepts
    seen = set(target.ids)
    shown = {concept for name, concept in zip(stimuli.ids, stimuli.concepts, strict=True) if name in seen}
    few = f"; the images that join are of {len(shown)} concepts, and {_FEWEST} are needed" if shown else ""
    return f"{concepts}, or the ids of the images as bench list ids has them ({_some(stimuli.ids)}){few}"


def _joins_by_key(stimuli: Stimuli, target: Target) -> dict[str, int]:
    return {key: _count(stimuli, target, key) for key in stimuli.keys}


def _count(stimuli: Stimuli, target: Target, on: str | None) -> int:
    known = set(target.ids)
    return sum(not known.isdisjoint(stimuli.candidates(c, on)) for c in stimuli.concept_ids)


def _what_joined(stimuli: Stimuli, target: Target, joined: Join[Target], on: str | None) -> list[str]:
    concepts, ids = stimuli.concept_ids, target.ids
    one, ours, found, key = "concept", concepts, joined.concepts, on or "the concept id"
    more = ""
    taken: set[str] = set()
    if joined.by_stimulus:
        # responses may name images without their folder
        taken = {image_name(name) for name in joined.target.ids}
        one, ours, found, key = "image", stimuli.ids, joined.target.ids, "the id of the image"
        more = f"; they show {len(joined.concepts)} of {len(concepts)} concepts"
    lines = [
        f"joined: {len(found)} of {len(ours)} {one}s of {stimuli.name} and of {len(ids)} ids, on {key}{more}"
    ]
    left = {
        f"{one}s of {stimuli.name} without a row": sorted(set(ours) - set(found)),
        f"ids without {'an' if joined.by_stimulus else 'a'} {one} of {stimuli.name}": sorted(
            set(ids) - {*joined.target.ids, *taken}
        ),
    }
    lines += [f"lost: {len(names)} {what}: {_some(names)}" for what, names in left.items() if names]
    if joined.counts["ambiguous"]:
        lines.append(f"ambiguous: {joined.counts['ambiguous']} concepts share a row; none of them is taken")
    return lines


def _refused(task: Task, stimuli: Stimuli, joined: Join[Target], params: Mapping[str, Any]) -> list[str]:
    """Why the task cannot score what joined, as a run would say it."""
    try:
        task.require(stimuli, joined, params)
    except NotPossible as error:
        return [f"{task.name}: not possible with the params of the binding as they are: {error}"]
    return []


def _some(names: Sequence[str]) -> str:
    more = ", ..." if len(names) > _SHOWN else ""
    return ", ".join(map(repr, names[:_SHOWN])) + more
