"""Results to one self-contained HTML page, and the same numbers as CSV and Markdown."""

from benchmark.leaderboard.build import build_page

__all__ = ["build_page"]
