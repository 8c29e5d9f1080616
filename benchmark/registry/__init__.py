"""Models, datasets, tasks and suites: the engine reads them from registry files and checks them."""

from benchmark.registry.checkpoints import IN_MEMORY, ResolvedCheckpoint, resolve_checkpoint
from benchmark.registry.load import load_registry, read_registry
from benchmark.registry.names import ModelName, expand_seeds, parse_model_name, unknown
from benchmark.registry.registry import Placed, Registry
from benchmark.registry.resolve import PluginCode, is_shipped, load_plugin, plugin_code, plugin_source_hash
from benchmark.registry.schema import (
    AssociationRuleEntry,
    BindingEntry,
    BuiltFrom,
    Checkpoint,
    DatasetEntry,
    ModelEntry,
    SuiteEntry,
    TaskEntry,
)
from benchmark.registry.shipped import shipped_root
from benchmark.registry.source import RegistryError

__all__ = [
    "IN_MEMORY",
    "AssociationRuleEntry",
    "BindingEntry",
    "BuiltFrom",
    "Checkpoint",
    "DatasetEntry",
    "ModelEntry",
    "ModelName",
    "Placed",
    "PluginCode",
    "Registry",
    "RegistryError",
    "ResolvedCheckpoint",
    "SuiteEntry",
    "TaskEntry",
    "expand_seeds",
    "is_shipped",
    "load_plugin",
    "load_registry",
    "parse_model_name",
    "plugin_code",
    "plugin_source_hash",
    "read_registry",
    "resolve_checkpoint",
    "shipped_root",
    "unknown",
]
