"""Inference: bootstrap, permutation test, noise ceiling, false discovery rate, paired comparison."""

from benchmark.inference.bootstrap import (
    Estimate,
    PairedDifference,
    Selected,
    bootstrap_weights,
    estimate,
    paired_difference,
    select_layer,
)
from benchmark.inference.dual_bootstrap import (
    DualBootstrap,
    ModelTests,
    Population,
    dual_bootstrap,
    model_tests,
)
from benchmark.inference.kernels import cka_statistic, u_centred
from benchmark.inference.noise_ceiling import NoiseCeiling, noise_ceiling
from benchmark.inference.permutation import fdr, permutation_test_rdm
from benchmark.inference.rdm_comparison import (
    RDMBootstrap,
    RDMPermutation,
    bootstrap_compare,
    permutation_compare,
)
from benchmark.inference.statistics import (
    Statistic,
    grouped_mean_statistic,
    mean_statistic,
    pair_statistic,
    rdm_statistic,
)
from benchmark.measures.permutation import PermutationTest

__all__ = [
    "DualBootstrap",
    "Estimate",
    "ModelTests",
    "NoiseCeiling",
    "PairedDifference",
    "PermutationTest",
    "Population",
    "RDMBootstrap",
    "RDMPermutation",
    "Selected",
    "Statistic",
    "bootstrap_compare",
    "bootstrap_weights",
    "cka_statistic",
    "dual_bootstrap",
    "estimate",
    "fdr",
    "grouped_mean_statistic",
    "mean_statistic",
    "model_tests",
    "noise_ceiling",
    "pair_statistic",
    "paired_difference",
    "permutation_compare",
    "permutation_test_rdm",
    "rdm_statistic",
    "select_layer",
    "u_centred",
]
