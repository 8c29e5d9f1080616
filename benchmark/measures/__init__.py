"""Measures: pure functions on arrays. They read no files, no networks and no registry."""

from benchmark.measures.alignment import (
    MutualNeighbours,
    linear_cka,
    mutual_nearest_neighbours,
    procrustes_distance,
)
from benchmark.measures.banded import BandedPredictions, BandedRidge, banded_ridge
from benchmark.measures.canonical import mean_cca, pwcca, svcca
from benchmark.measures.category_clustering import (
    CategoryClustering,
    category_clustering,
    category_clustering_permutation,
)
from benchmark.measures.combine import CombinedRDM, combine_rdms, stack_partial_rdms
from benchmark.measures.compare import compare_rdms
from benchmark.measures.decoding import f1_over_folds, stratified_folds
from benchmark.measures.dissimilarities import FeatureDissimilarities, RDMDissimilarities
from benchmark.measures.gromov_wasserstein import (
    GromovWasserstein,
    GWSolution,
    QuantisedAlignment,
    critical_epsilon,
    entropic_gromov_wasserstein,
    gromov_wasserstein,
    gw_search_seconds,
    quantised_gromov_wasserstein,
)
from benchmark.measures.large_rdms import compare_spaces
from benchmark.measures.logistic import BalancedLogistic, LogisticFits
from benchmark.measures.matching import (
    category_matching_hits,
    category_matching_rate,
    matching_hits,
    matching_permutation,
    matching_rate,
)
from benchmark.measures.odd_one_out import (
    TripletCeiling,
    odd_one_out_hits,
    similarities,
    triplet_ceiling,
)
from benchmark.measures.one_vs_two import OneVsTwo, one_vs_two, one_vs_two_permutation
from benchmark.measures.partition import VariancePartition, commonality, variance_partition
from benchmark.measures.permutation import PermutationTest
from benchmark.measures.pls import HeldOutPLS, pls_predictions
from benchmark.measures.rbf import rbf_cka, rbf_kernel
from benchmark.measures.rdm import rdm
from benchmark.measures.regression import RDMRegression
from benchmark.measures.reweighting import ReweightedRDMs, reweighted_rdms
from benchmark.measures.ridge import (
    HeldOutFits,
    HeldOutRidge,
    RidgePredictions,
    cross_validated_ridge,
    ridge_predictions,
)
from benchmark.measures.scaling import ClassicalScaling, classical_mds, similarity_map
from benchmark.measures.spose import spose_rdm
from benchmark.measures.triplet_probe import fit_triplet_probe, probed_hits
from benchmark.measures.two_vs_two import TwoVsTwo, two_vs_two, two_vs_two_permutation, weighted_two_vs_two

__all__ = [
    "BalancedLogistic",
    "BandedPredictions",
    "BandedRidge",
    "CategoryClustering",
    "ClassicalScaling",
    "CombinedRDM",
    "FeatureDissimilarities",
    "GWSolution",
    "GromovWasserstein",
    "HeldOutFits",
    "HeldOutPLS",
    "HeldOutRidge",
    "LogisticFits",
    "MutualNeighbours",
    "OneVsTwo",
    "PermutationTest",
    "QuantisedAlignment",
    "RDMDissimilarities",
    "RDMRegression",
    "ReweightedRDMs",
    "RidgePredictions",
    "TripletCeiling",
    "TwoVsTwo",
    "VariancePartition",
    "banded_ridge",
    "category_clustering",
    "category_clustering_permutation",
    "category_matching_hits",
    "category_matching_rate",
    "classical_mds",
    "combine_rdms",
    "commonality",
    "compare_rdms",
    "compare_spaces",
    "critical_epsilon",
    "cross_validated_ridge",
    "entropic_gromov_wasserstein",
    "f1_over_folds",
    "fit_triplet_probe",
    "gromov_wasserstein",
    "gw_search_seconds",
    "linear_cka",
    "matching_hits",
    "matching_permutation",
    "matching_rate",
    "mean_cca",
    "mutual_nearest_neighbours",
    "odd_one_out_hits",
    "one_vs_two",
    "one_vs_two_permutation",
    "pls_predictions",
    "probed_hits",
    "procrustes_distance",
    "pwcca",
    "quantised_gromov_wasserstein",
    "rbf_cka",
    "rbf_kernel",
    "rdm",
    "reweighted_rdms",
    "ridge_predictions",
    "similarities",
    "similarity_map",
    "spose_rdm",
    "stack_partial_rdms",
    "stratified_folds",
    "svcca",
    "triplet_ceiling",
    "two_vs_two",
    "two_vs_two_permutation",
    "variance_partition",
    "weighted_two_vs_two",
]
