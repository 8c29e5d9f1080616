"""Results to one self-contained HTML page, and a CSV of the same numbers."""

from benchmark.leaderboard.build import build_page

__all__ = ["build_page"]
