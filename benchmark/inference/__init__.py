"""Inference: bootstrap, permutation test, noise ceiling, false discovery rate, paired comparison."""

from benchmark.inference.axis_tests import (
    AxisTest,
    agreement_p,
    concept_permutation_test,
    sign_flip_test,
)
from benchmark.inference.bootstrap import (
    Estimate,
    Selected,
    bootstrap_weights,
    estimate,
    estimates,
    select_layer,
)
from benchmark.inference.category_clustering import category_pair_statistic, category_statistic
from benchmark.inference.cost import rdm_scoring_cost
from benchmark.inference.dual_bootstrap import (
    DualBootstrap,
    ModelTests,
    Population,
    dual_bootstrap,
    model_tests,
)
from benchmark.inference.encoding import (
    FoldedPredictions,
    encoding_interval,
    encoding_statistic,
    permutation_test_encoding,
)
from benchmark.inference.explained import (
    ExplainedVariance,
    explained_statistic,
    permuted_residuals,
)
from benchmark.inference.folded_rdms import (
    FittedScores,
    FoldedRDMs,
    fitted_scores,
    folded_rdm_pair_statistic,
    folded_rdm_statistic,
    permutation_test_folded,
)
from benchmark.inference.kernels import SubjectKernels, cka_statistic, u_centred
from benchmark.inference.noise_ceiling import (
    NoiseCeiling,
    SubjectCeilings,
    noise_ceiling,
    subject_ceilings,
)
from benchmark.inference.odd_one_out import (
    permutation_test_triplets,
    triplet_interval,
    triplet_pair_statistic,
    triplet_statistic,
)
from benchmark.inference.paired import (
    PairedDifference,
    PairedDifferences,
    Perturbed,
    paired_difference,
    paired_differences,
    perturbed,
)
from benchmark.inference.partition import (
    part_ceilings,
    part_pair_statistic,
    part_statistic,
    permutation_test_unique,
)
from benchmark.inference.permutation import fdr, permutation_test_rdm, permutations_for
from benchmark.inference.rdm_comparison import (
    RDMBootstrap,
    RDMPermutation,
    bootstrap_compare,
    permutation_compare,
)
from benchmark.inference.rdm_statistics import SubjectRDMs, rdm_pair_statistic, rdm_statistic
from benchmark.inference.reliability import Reliability, split_half_reliability
from benchmark.inference.series import (
    Latencies,
    SeriesScores,
    curve_interval,
    latencies,
    mean_rdms,
    series_concept_draws,
    series_scores,
    stretched,
)
from benchmark.inference.series_partition import series_partition
from benchmark.inference.statistics import (
    PairStatistic,
    SharedStatistic,
    Statistic,
    grouped_mean_statistic,
    mean_statistic,
    pair_statistic,
    values_of,
)
from benchmark.inference.word_similarity import (
    word_similarity_pair_statistic,
    word_similarity_permutation,
    word_similarity_statistic,
)
from benchmark.measures.permutation import PermutationTest

__all__ = [
    "AxisTest",
    "DualBootstrap",
    "Estimate",
    "ExplainedVariance",
    "FittedScores",
    "FoldedPredictions",
    "FoldedRDMs",
    "Latencies",
    "ModelTests",
    "NoiseCeiling",
    "PairStatistic",
    "PairedDifference",
    "PairedDifferences",
    "PermutationTest",
    "Perturbed",
    "Population",
    "RDMBootstrap",
    "RDMPermutation",
    "Reliability",
    "Selected",
    "SeriesScores",
    "SharedStatistic",
    "Statistic",
    "SubjectCeilings",
    "SubjectKernels",
    "SubjectRDMs",
    "agreement_p",
    "bootstrap_compare",
    "bootstrap_weights",
    "category_pair_statistic",
    "category_statistic",
    "cka_statistic",
    "concept_permutation_test",
    "curve_interval",
    "dual_bootstrap",
    "encoding_interval",
    "encoding_statistic",
    "estimate",
    "estimates",
    "explained_statistic",
    "fdr",
    "fitted_scores",
    "folded_rdm_pair_statistic",
    "folded_rdm_statistic",
    "grouped_mean_statistic",
    "latencies",
    "mean_rdms",
    "mean_statistic",
    "model_tests",
    "noise_ceiling",
    "pair_statistic",
    "paired_difference",
    "paired_differences",
    "part_ceilings",
    "part_pair_statistic",
    "part_statistic",
    "permutation_compare",
    "permutation_test_encoding",
    "permutation_test_folded",
    "permutation_test_rdm",
    "permutation_test_triplets",
    "permutation_test_unique",
    "permutations_for",
    "permuted_residuals",
    "perturbed",
    "rdm_pair_statistic",
    "rdm_scoring_cost",
    "rdm_statistic",
    "select_layer",
    "series_concept_draws",
    "series_partition",
    "series_scores",
    "sign_flip_test",
    "split_half_reliability",
    "stretched",
    "subject_ceilings",
    "triplet_interval",
    "triplet_pair_statistic",
    "triplet_statistic",
    "u_centred",
    "values_of",
    "word_similarity_pair_statistic",
    "word_similarity_permutation",
    "word_similarity_statistic",
]
