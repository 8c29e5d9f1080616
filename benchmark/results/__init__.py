"""Results: their schema, the folder that stores them, and their provenance."""

from benchmark.results.compared import concepts_of, perturbed_of, same_concepts
from benchmark.results.provenance import (
    code_version,
    extraction_version,
    now,
    representation_version,
    versions,
)
from benchmark.results.row import row
from benchmark.results.schema import (
    LEVELS,
    VARIANT,
    CellResult,
    Estimate,
    LayerScore,
    Provenance,
    canonical,
    finite_or_none,
)
from benchmark.results.seeds import TWIN, average_seeds
from benchmark.results.store import ResultStore, Stored, diff_keys

__all__ = [
    "LEVELS",
    "TWIN",
    "VARIANT",
    "CellResult",
    "Estimate",
    "LayerScore",
    "Provenance",
    "ResultStore",
    "Stored",
    "average_seeds",
    "canonical",
    "code_version",
    "concepts_of",
    "diff_keys",
    "extraction_version",
    "finite_or_none",
    "now",
    "perturbed_of",
    "representation_version",
    "row",
    "same_concepts",
    "versions",
]
