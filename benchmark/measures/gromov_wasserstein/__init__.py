"""Unsupervised alignment of two RDMs by Gromov-Wasserstein optimal transport (GWOT)."""

from benchmark.measures.gromov_wasserstein.cost import gw_search_seconds
from benchmark.measures.gromov_wasserstein.quantised import QuantisedAlignment, quantised_gromov_wasserstein
from benchmark.measures.gromov_wasserstein.result import GromovWasserstein, GWSolution
from benchmark.measures.gromov_wasserstein.solve import (
    critical_epsilon,
    entropic_gromov_wasserstein,
    gromov_wasserstein,
)

__all__ = [
    "GWSolution",
    "GromovWasserstein",
    "QuantisedAlignment",
    "critical_epsilon",
    "entropic_gromov_wasserstein",
    "gromov_wasserstein",
    "gw_search_seconds",
    "quantised_gromov_wasserstein",
]
