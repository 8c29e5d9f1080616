"""Similarity encoding: 2 vs 2 of two spaces (Dharmaretnam & Fyshe 2018; Xu et al. 2016)."""

from benchmark.measures.two_vs_two.accuracy import TwoVsTwo, two_vs_two, two_vs_two_permutation
from benchmark.measures.two_vs_two.weighted import weighted_two_vs_two

__all__ = ["TwoVsTwo", "two_vs_two", "two_vs_two_permutation", "weighted_two_vs_two"]
