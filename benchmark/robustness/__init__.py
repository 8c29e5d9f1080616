"""Scores and orders of models under every recipe of an RDM."""

from benchmark.robustness.multiverse import Multiverse, Order, Recipe, multiverse

__all__ = ["Multiverse", "Order", "Recipe", "multiverse"]
