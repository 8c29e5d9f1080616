"""Results to one self-contained HTML page, the same numbers in other forms, and figures."""

from benchmark.leaderboard.build import build_page

__all__ = ["build_page"]
