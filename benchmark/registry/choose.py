"""The collections of files of a registry: by name, by data set, and what each is used for."""

from __future__ import annotations

from benchmark.common.errors import UsageError
from benchmark.datasets.catalogue import Collection, File
from benchmark.registry.names import unknown
from benchmark.registry.registry import Registry


def collection_of(registry: Registry, name: str) -> Collection:
    """The collection ``name`` of the registry."""
    entry = registry.collections[name].entry
    files = tuple(File(path=path, **file.model_dump()) for path, file in entry.files.items())
    return Collection(name=name, files=files, **entry.model_dump(exclude={"files"}))


def chosen_collections(registry: Registry, name: str | None) -> list[Collection]:
    """The collections that a name means.

    Parameters
    ----------
    registry : Registry
    name : str or None
        A collection, or a data set: the collections that it is read from. None: all.

    Returns
    -------
    list of Collection

    Raises
    ------
    UsageError
        If there is neither, or the data set is read from no collection.
    """
    if name is None:
        return [collection_of(registry, known) for known in registry.collections]
    if name in registry.collections:
        return [collection_of(registry, name)]
    if name not in registry.datasets:
        raise UsageError(
            unknown("collection or dataset", name, dict.fromkeys((*registry.collections, *registry.datasets)))
        )
    names = registry.dataset(name).entry.collections
    if not names:
        how = registry.dataset(name).entry.how or "it needs no files, or its entry names none"
        raise UsageError(f"dataset {name!r} is read from no collection of files: {how}")
    return [collection_of(registry, known) for known in names]


def used_for(registry: Registry, collection: str) -> list[str]:
    """The data sets that are read from a collection, and the models whose files are in it."""
    datasets = [name for name, placed in registry.datasets.items() if collection in placed.entry.collections]
    files = {
        name: placed.entry.checkpoint and placed.entry.checkpoint.file
        for name, placed in registry.models.items()
    }
    return [*datasets, *(name for name, file in files.items() if file and file.startswith(f"{collection}/"))]
