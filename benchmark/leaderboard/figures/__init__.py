"""Figures for a paper, from results alone: one style, sized for the column of a journal."""

from benchmark.leaderboard.figures.compare import differences
from benchmark.leaderboard.figures.curve import curves
from benchmark.leaderboard.figures.plan import plans
from benchmark.leaderboard.figures.profile import profiles
from benchmark.leaderboard.figures.rdm import rdms
from benchmark.leaderboard.figures.similarity import similarities

__all__ = ["curves", "differences", "plans", "profiles", "rdms", "similarities"]
