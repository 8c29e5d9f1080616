"""The table of a board as Markdown, for documents."""

from __future__ import annotations

from benchmark.common.text import markdown as escaped
from benchmark.common.text import plain
from benchmark.leaderboard.board import Board, Column
from benchmark.leaderboard.charts import number
from benchmark.results import CellResult


def markdown(board: Board) -> str:
    """Make the table of ``board``, with one row for each binding.

    A row has the score of every model with its 95 % interval, then chance and ceiling.
    """
    head = ["binding", "score", *map(escaped, board.models), "chance", "ceiling", "n"]
    lines = [
        _line(head),
        _line(["---"] * len(head)),
        *(_line(_row(board, column)) for column in board.columns),
    ]
    note = "Miniature: a drawn world, simulated people.\n\n" if board.miniature else ""
    seeds = ""
    if any(cell.averaged for column in board.columns for cell in column.cells):
        seeds = (
            "\nFor untrained seeds (`@untrained:0-9`): the mean of the seeds, and in brackets the band from "
            "their 5th to their 95th percentile.\n"
        )
    return f"## {escaped(board.suite)}\n\n{note}" + "\n".join(lines) + "\n" + seeds


def _row(board: Board, column: Column) -> list[str]:
    first = column.cells[0]
    known = first.ceiling_low is not None
    ceiling = f"{number(first.ceiling_low)} to {number(first.ceiling_high)}" if known else "-"
    cells = [_cell(column.by_model.get(model)) for model in board.models]
    return [_code(column.binding), escaped(column.label), *cells, number(first.chance), ceiling, str(first.n)]


def _cell(cell: CellResult | None) -> str:
    if cell is None:
        return "-"
    dagger = "†" if cell.trained_on else ""
    return f"{number(cell.score)}{dagger} [{number(cell.ci_low)}, {number(cell.ci_high)}]"


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _code(name: str) -> str:
    """``name`` as code; a name with a backtick cannot be."""
    return escaped(name) if "`" in name else f"`{plain(name)}`".replace("|", "\\|")
