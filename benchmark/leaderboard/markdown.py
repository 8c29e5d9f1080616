"""The table of a board as Markdown, for documents."""

from __future__ import annotations

from collections.abc import Iterable

from benchmark.common.text import markdown as escaped
from benchmark.common.text import plain
from benchmark.leaderboard.board import Board, Column
from benchmark.results import CellResult


def number(value: float | None, digits: int = 3) -> str:
    """Format ``value`` with ``digits`` decimals; an undefined value is a dash."""
    return "-" if value is None else f"{value:.{digits}f}"


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
    most = max(cell.n or 0 for cell in column.cells)
    cells = [_cell(column.by_model.get(model), most) for model in board.models]
    chance = _range([cell.chance for cell in column.cells])
    ceiling = _range([level for cell in column.cells for level in (cell.ceiling_low, cell.ceiling_high)])
    n = _range([cell.n for cell in column.cells], 0)
    return [_code(column.binding), escaped(column.label), *cells, chance, ceiling, n]


def _range(values: Iterable[float | None], digits: int = 3) -> str:
    """The one value that all cells have, or the least and the greatest."""
    known = sorted(
        {number(value, digits): value for value in values if value is not None}.items(), key=_value
    )
    return " to ".join([known[0][0], *([known[-1][0]] if len(known) > 1 else [])]) if known else "-"


def _value(item: tuple[str, float]) -> float:
    return item[1]


def _cell(cell: CellResult | None, most: int) -> str:
    """A score with its interval; that of fewer concepts than others of the row says how many."""
    if cell is None:
        return "-"
    dagger = "†" if cell.trained_on else ""
    fewer = f" (n {cell.n})" if (cell.n or 0) < most else ""
    return f"{number(cell.score)}{dagger} [{number(cell.ci_low)}, {number(cell.ci_high)}]{fewer}"


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _code(name: str) -> str:
    """``name`` as code; a name with a backtick cannot be."""
    return escaped(name) if "`" in name else f"`{plain(name)}`".replace("|", "\\|")
