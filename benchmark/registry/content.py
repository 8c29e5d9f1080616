"""The content of one registry file: its sections."""

from __future__ import annotations

from pydantic import Field

from benchmark.registry.collections import CollectionEntry
from benchmark.registry.schema import DatasetEntry, Entry, ModelEntry, Name, SuiteEntry, TaskEntry


class RegistryFile(Entry):
    """The content of one registry file."""

    models: dict[Name, ModelEntry] = Field(default_factory=dict)
    datasets: dict[Name, DatasetEntry] = Field(default_factory=dict)
    tasks: dict[Name, TaskEntry] = Field(default_factory=dict)
    suites: dict[Name, SuiteEntry] = Field(default_factory=dict)
    collections: dict[Name, CollectionEntry] = Field(default_factory=dict)
