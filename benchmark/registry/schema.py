"""The schema of a registry file. Unknown keys are refused."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from benchmark.common.errors import UsageError
from benchmark.registry.names import check_name, first_of_seeds, parse_model_name


def _plugin(text: str) -> str:
    where, _, attribute = text.rpartition(":")
    if where and attribute.isidentifier() and text.isprintable():
        return _inside(where) and text
    raise ValueError(f"{text!r} names no class: write path/file.py:Class or package.module:Class")


def _inside(text: str) -> str:
    """``text``, if as a path it does not lead out of the folder to which it is relative.

    A path with ``..`` is refused even where it comes back: behind a link it leads elsewhere. An absolute path
    says openly where it leads, and a link in a folder was put there by the owner of the folder.
    """
    path = PurePosixPath(text)
    if ".." in path.parts and not path.is_absolute():
        raise ValueError(
            f"{text!r} leaves its folder: write a path without '..', or the whole path from the root"
        )
    return text


def _params(value: Any) -> Any:
    """``value``, if JSON can hold it as it is, and no text in it is a path that leaves its folder.

    Which texts name files only the plug-in knows, so each of them is checked.
    """
    if isinstance(value, str):
        _inside(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                # pydantic shows a ValueError as a fault of the file, and no TypeError
                raise ValueError(f"the key {key!r} is not a text: write it in quotes")  # noqa: TRY004
            _params(item)
    elif isinstance(value, list):
        for item in value:
            _params(item)
    return value


def _sha256(text: str) -> str:
    if re.fullmatch(r"[0-9a-fA-F]{8,64}", text):
        return text.lower()
    raise ValueError(f"{text!r} is no sha256: write 64 hexadecimal digits")


def _model_name(text: str) -> str:
    try:
        check_name(parse_model_name(first_of_seeds(text)).name)
    except UsageError as error:
        raise ValueError(str(error)) from error
    return text


def _package(text: str) -> str:
    if text.isidentifier():
        return text
    raise ValueError(f"{text!r} is no package: write the name with which it is imported, without a dot")


def _pooling(text: str) -> str:
    if re.fullmatch(r"average|max|grid:[1-9][0-9]*", text):
        return text
    raise ValueError(f"{text!r} is no pooling of a binding: write average, max or grid:SIZE (grid:6)")


Name = Annotated[str, AfterValidator(check_name)]
#: ``NAME``, ``NAME@untrained:SEED`` or ``NAME@untrained:FIRST-LAST``
ListedModel = Annotated[str, AfterValidator(_model_name)]
#: A path relative to the folder of the registry file or to the data root
RelativePath = Annotated[str, AfterValidator(_inside)]
Params = Annotated[dict[str, Any], AfterValidator(_params)]
Plugin = Annotated[str, AfterValidator(_plugin)]
Package = Annotated[str, AfterValidator(_package)]
Sha256 = Annotated[str, AfterValidator(_sha256)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]


class Entry(BaseModel):
    """An entry, or a part of one: unknown keys are refused, and nothing is changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Checkpoint(Entry):
    """Where a model's weights are: exactly one of ``file``, ``package``, ``url``, ``hub``, ``untrained``.

    Attributes
    ----------
    file : str, optional
        Path relative to the folder of the registry file, else to the data root. With ``package``: relative to
        the folder of the package.
    package : str, optional
        An installed package that holds the weights as its ``file``, which needs ``sha256``. The package is
        found by the name with which it is imported. It is not imported: none of its code is run.
    url : str, optional
        The engine downloads it into the cache. It needs ``sha256``.
    sha256 : str, optional
        sha256 of the weights file; a file with another sha256 is refused. For hub weights the first digits
        are enough: eight or more, as torch.hub writes them into a file's name.
    hub : str, optional
        Name of the weights in the model's own library, which downloads them itself.
    revision : str, optional
        With ``hub``: the commit of the Hugging Face repository that holds the weights; None: not pinned.
    untrained : int, optional
        Seed of random weights.
    settings_of : str, optional
        With ``untrained``: the hub weights whose settings (input size, activation) the network has. For the
        untrained twin of a model with hub weights it is set to those.
    how : str, optional
        One line that says how to get the file.
    """

    file: RelativePath | None = None
    package: Package | None = None
    url: str | None = None
    sha256: Sha256 | None = None
    hub: str | None = None
    revision: str | None = None
    untrained: Seed | None = None
    settings_of: str | None = None
    how: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Checkpoint:
        sources = ("file", "package", "url", "hub", "untrained")
        named = [key for key in sources if getattr(self, key) is not None]
        if self.package is not None:
            self._require_a_file_in_the_package()
            named.remove("file")
        if len(named) != 1:
            raise ValueError(f"needs exactly one of {', '.join(sources)}; has {', '.join(named) or 'none'}")
        if self.url is not None and self.sha256 is None:
            raise ValueError("a url needs the sha256 of its file")
        if self.sha256 is not None and named[0] == "untrained":
            raise ValueError("sha256 belongs to file, package, url or hub, not to untrained: leave it out")
        if self.sha256 is not None and named[0] != "hub" and len(self.sha256) != 64:
            raise ValueError(f"{self.sha256!r} is no sha256: write 64 hexadecimal digits")
        if self.revision is not None and named[0] != "hub":
            raise ValueError(f"revision belongs to hub, not to {named[0]}: leave it out")
        if self.settings_of is not None and named[0] != "untrained":
            raise ValueError(f"settings_of belongs to untrained, not to {named[0]}: leave it out")
        return self

    def _require_a_file_in_the_package(self) -> None:
        if self.file is None or self.sha256 is None:
            raise ValueError("a package needs the file of the weights in it, and the sha256 of that file")
        if PurePosixPath(self.file).is_absolute():
            raise ValueError(f"{self.file!r} leaves the package: write the path relative to its folder")


class _Described(Entry):
    description: str = ""
    licence: str | None = None
    citation: str | None = None
    url: str | None = None


class BuiltFrom(Entry):
    """What a model is built from, instead of weights of its own.

    Attributes
    ----------
    model : str
        Another model of the registry. The plug-in gets its features.
    params : dict
        Override that model's own ``params``, key by key.
    target : str, optional
        A target of the registry that the plug-in gets too (word vectors).
    on : str, optional
        Key of the stimuli on which the target is joined; None: the concept id.
    """

    model: Name
    params: Params = Field(default_factory=dict)
    target: Name | None = None
    on: str | None = None


class ModelVariant(Entry):
    """The keys of a model that differ in one suite. Each key that is written replaces the entry's."""

    plugin: Plugin | None = None
    description: str = ""
    params: Params = Field(default_factory=dict)
    checkpoint: Checkpoint | None = None
    encoder: Name | None = None
    trained_on: tuple[Name, ...] = ()
    licence: str | None = None
    citation: str | None = None
    url: str | None = None
    parameters: int | None = Field(default=None, ge=0)


class ModelEntry(_Described):
    """A model under test.

    Attributes
    ----------
    plugin : str
        ``path/file.py:Class`` relative to the registry file, or ``package.module:Class``.
    params : dict
        Parameters of the plug-in.
    checkpoint : Checkpoint, optional
        Where the weights are; None: the model has no weights.
    trained_on : tuple of str
        Datasets the model was trained with. A cell whose target is among them is marked.
    parameters : int, optional
        How many parameters the network has.
    top1 : float, optional
        Share of images that the network classifies correctly: images of ``imagenet_sample``, or of
        ``mini_images`` where its concepts are the classes. ``bench check-model`` compares with it.
    suites : tuple of str, optional
        The suites in which the model may take part; None: every suite.
    variants : dict of str to ModelVariant
        By suite.
    encoder : str, optional
        Another model of the registry, from whose weights the training of this one started.
    built_from : BuiltFrom, optional
        Another model from whose features this model is made. Such a model has no checkpoint.
    members : dict of str to dict of str to str
        Makes the entry a family: each member becomes one model ``NAME_MEMBER``
        (:func:`benchmark.registry.family.expand_families`). Empty in an expanded entry.
    """

    plugin: Plugin
    params: Params = Field(default_factory=dict)
    checkpoint: Checkpoint | None = None
    encoder: Name | None = None
    built_from: BuiltFrom | None = None
    members: dict[Name, dict[str, str]] = Field(default_factory=dict)
    trained_on: tuple[Name, ...] = ()
    parameters: int | None = Field(default=None, ge=0)
    top1: float | None = Field(default=None, ge=0, le=1)
    suites: tuple[Name, ...] | None = None
    variants: dict[Name, ModelVariant] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_origin(self) -> ModelEntry:
        if self.built_from is not None and self.checkpoint is not None:
            raise ValueError("has a checkpoint and is built_from another model: leave out one of the two")
        return self

    def in_suite(self, suite: str | None) -> ModelEntry:
        """The entry in ``suite``: each key of that suite's variant replaces the entry's key."""
        variant = self.variants.get(suite) if suite else None
        changed = {key: getattr(variant, key) for key in variant.model_fields_set} if variant else {}
        return self.model_copy(update={**changed, "variants": {}})


class DatasetEntry(_Described):
    """A stimulus set, a target, or the name of training data.

    Attributes
    ----------
    kind : "stimuli", "target" or "training"
        A dataset of kind "training" is only a name that ``trained_on`` may use. The suite never reads it.
    plugin : str or None
        A function ``f(root, *, name, **params)`` that reads the data. None for "training", and only there.
    params : dict
        Parameters of the plug-in.
    how : str, optional
        One line that says how to get the files.
    collections : tuple of str
        The collections of files that it is read from.
    """

    kind: Literal["stimuli", "target", "training"]
    plugin: Plugin | None = None
    params: Params = Field(default_factory=dict)
    how: str | None = None
    collections: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _read_or_not(self) -> DatasetEntry:
        if (self.plugin is None) != (self.kind == "training"):
            needs = "has no plugin" if self.kind == "training" else "needs a plugin"
            raise ValueError(f"a dataset of kind {self.kind} {needs}")
        return self


class TaskEntry(_Described):
    """A task: one way to compare models with people."""

    plugin: Plugin


class AssociationRuleEntry(Entry):
    """How the association profiles of a network are compared.

    Attributes
    ----------
    rule : str
        One of the rules of :class:`benchmark.representation.associations.AssociationRule`.
    norms : str, optional
        Association norms of the registry, for the rules "ppmi" and "spread".
    decay : float, optional
        Weight of each further step of "spread"; None: its default.
    """

    rule: Literal["logits", "strengths", "hellinger", "ppmi", "spread"]
    norms: Name | None = None
    decay: float | None = Field(default=None, gt=0, lt=1)

    @model_validator(mode="after")
    def _norms_where_needed(self) -> AssociationRuleEntry:
        needed = self.rule in ("ppmi", "spread")
        if needed and self.norms is None:
            raise ValueError(f"rule {self.rule} needs norms: the name of a target of association norms")
        if not needed and self.norms is not None:
            raise ValueError(f"rule {self.rule} needs no norms: leave them out")
        if self.decay is not None and self.rule != "spread":
            raise ValueError(f"decay belongs to rule spread, not to {self.rule}: leave it out")
        return self


class BindingEntry(Entry):
    """A binding: a task with its stimuli, target and parameters.

    Attributes
    ----------
    task, stimuli, target : str
        Names in the registry.
    on : str, optional
        Key of the stimuli on which the target is joined; None: the concept id.
    concepts_common_to : tuple of str
        Targets of the registry. A concept is kept only where all of them have it too, by the same name.
    params : dict
        Parameters of the task.
    associations : AssociationRuleEntry, optional
        How a network with an association head is compared: what its layer "output" is. None: the default of
        the task (:attr:`benchmark.task.Task.association_rule`).
    pooling : "average", "max" or "grid:SIZE", optional
        How every network is pooled over positions for this binding, in all layers. A model without positions,
        or one that is built from another model, stays as it is. None: as the entry of the model says.
    """

    task: Name
    stimuli: Name
    target: Name
    on: str | None = None
    concepts_common_to: tuple[Name, ...] = ()
    params: Params = Field(default_factory=dict)
    associations: AssociationRuleEntry | None = None
    pooling: Annotated[str, AfterValidator(_pooling)] | None = None
    _base: Path = PrivateAttr(default_factory=Path)

    @property
    def base(self) -> Path:
        """Folder of the registry file. Functions that ``params`` name are relative to it."""
        return self._base

    def placed(self, base: Path) -> BindingEntry:
        """The same binding, as one of a registry file in the folder ``base``."""
        placed = self.model_copy()
        placed._base = base
        return placed


class SuiteEntry(Entry):
    """A suite: bindings that are reported together.

    Attributes
    ----------
    description : str
    miniature : bool
        Whether all stimuli and targets are the drawn world that ships with the package.
    models : tuple of str
        The models that ``--model all`` means: ``NAME``, ``NAME@untrained:SEED`` or
        ``NAME@untrained:FIRST-LAST``.
    bindings : dict of str to BindingEntry
    extends : str, optional
        Another suite, whose models and bindings this one has too. A model whose weights differ between suites
        has those of that suite.
    """

    description: str = ""
    miniature: bool = False
    models: tuple[ListedModel, ...] = ()
    bindings: dict[Name, BindingEntry] = Field(default_factory=dict)
    extends: Name | None = None
