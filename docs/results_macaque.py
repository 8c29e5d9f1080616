"""The page ``explanation/results-macaque.md`` and its figure, made from the published results."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from results_figures import profiles
from results_rules import neurons_section
from results_tables import GAIN, at_best_layer, beside, score_tables
from results_words import reading

from benchmark.leaderboard.board import Board, Column
from benchmark.leaderboard.compare import compare
from benchmark.leaderboard.markdown import number

#: A network, its twin with random weights, and what both should exceed
STEPS = ("squeezenet1_0", "squeezenet1_0@untrained:0", "pixels")
HEAD = """\
# Results: neurons of macaque V4

Suite `macaque`: responses of area V4 of three animals to natural images, in four sessions
([the data](../how-to/getting-the-data.md)). They are not people: no score here stands beside one of
[the page of results](results.md).

This page is made from the published results by `python docs/generate.py`. A table has the score of each model
with its 95 % interval over images. Networks keep 6 x 6 positions of their maps. A frozen association network
has the layers of its encoder too: where its best layer is one of them, both have the same score. Only session
210325 has its repeats, so only there a ceiling is known. "-" is a cell that is not published.
"""
FIGURE = "![Scores layer by layer: how well each layer predicts single channels](figures/macaque.svg)"


class Section(NamedTuple):
    """A part of the page: the tasks of its tables, what they ask, and another metric to show beside."""

    title: str
    about: str
    tasks: tuple[str, ...]
    beside: str = ""
    about_beside: str = ""
    figure: str = ""


SECTIONS = (
    Section(
        "How well each layer predicts single channels",
        "Ridge predicts the responses of each channel to images that it was not fitted on. The score is the "
        "correlation of prediction and response, the median over channels.",
        ("encoding",),
        "normalised",
        "The same divided by the ceiling of each channel, then the median, at the best layer:",
        FIGURE,
    ),
    Section(
        "What a network explains beyond pixels",
        "Banded ridge predicts the responses from a network and the pixels together, with a penalty each. "
        "The score is the share of the variance that only the network explains, the mean over channels.",
        ("encoding_partition",),
    ),
    Section(
        "RDMs of the responses",
        "The RDM of each model, correlated with that of the responses: correlation distance, or crossnobis "
        "over the repeats.",
        ("rdm_correlation",),
    ),
    Section(
        "RDMs after a fit",
        "The RDM of predicted responses (`versa`), and of features weighted to resemble the target "
        "(`reweighted_rdm`), both on images that were not fitted on.",
        ("versa", "reweighted_rdm"),
        "gain",
        GAIN,
    ),
)


def macaque_page(board: Board) -> str:
    """The page of a suite of its own: its scores stand beside no score of people."""
    parts = [HEAD, found_on_macaque(board)]
    for section in SECTIONS:
        columns = _of(board, section.tasks)
        if columns:
            parts += [f"## {section.title}", section.about, score_tables(columns, board)]
            parts += [beside(columns, board, section.beside, section.about_beside), section.figure]
    parts.append(neurons_section())
    return "\n\n".join(part.rstrip() for part in parts if part) + "\n"


def macaque_figure(board: Board) -> str:
    """The scores of all layers, session by session, as an SVG file."""
    return profiles(_of(board, ("encoding",)))


def found_on_macaque(board: Board) -> str:
    """What the numbers say, in sentences that they choose; empty where the models are not published."""
    lines = _step_lines(_of(board, ("encoding",))) + _gain_lines(_of(board, ("versa", "reweighted_rdm")))
    return "\n".join(["## What was found", "", *lines]) if lines else ""


def _of(board: Board, tasks: Sequence[str]) -> list[Column]:
    return [column for column in board.columns if column.cells[0].task in tasks]


def _step_lines(columns: Sequence[Column]) -> list[str]:
    """The network, its twin and pixels, told apart by paired differences over the sessions that have them."""
    shown = [column for column in columns if all(model in column.by_model for model in STEPS)]
    if not shown:
        return []
    cells = [column.by_model[model] for column in shown for model in STEPS]
    found = {(one.binding, one.first, one.second): one for one in compare(cells, STEPS)}
    better = [
        sum(reading(found[column.binding, first, second]) == "better" for column in shown)
        for first, second in pairwise(STEPS)
    ]
    ranges = [_between([column.by_model[model].score for column in shown]) for model in STEPS]
    n = len(shown)
    return [
        f"- **Single channels.** `{STEPS[0]}` predicts the median channel at {ranges[0]}, its untrained twin "
        f"at {ranges[1]}, pixels at {ranges[2]}. By paired differences the network is better than its twin "
        f"in {better[0]} of {n} sessions, and the twin better than pixels in {better[1]} of {n}."
    ]


def _gain_lines(columns: Sequence[Column]) -> list[str]:
    """What a fit gains with each of the three."""
    return [
        f"- **The fit of `{column.binding}`** gains "
        + ", ".join(
            f"{number(at_best_layer(column.by_model[model], 'gain').score)} with `{model}`" for model in STEPS
        )
        + "."
        for column in columns
        if all(model in column.by_model for model in STEPS)
    ]


def _between(scores: Sequence[float | None]) -> str:
    known = [score for score in scores if score is not None]
    return f"{number(min(known))} to {number(max(known))}"
