"""The table of a board in LaTeX, with the rules of booktabs."""

from __future__ import annotations

from benchmark.common.text import plain
from benchmark.leaderboard.board import Board, Column
from benchmark.leaderboard.markdown import number
from benchmark.results import CellResult

_HEAD = ("model", "score", r"95\,\% interval", "chance", "ceiling", "$n$", r"$p$, corrected")
_MARKUP = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}


def latex(board: Board) -> str:
    """Make a table of ``board``: for each binding its models, the best first.

    It needs the packages booktabs and longtable. Each row has the score of the chosen layer with its
    interval, its own chance and ceiling, the number of concepts, and the p-value of the best layer, corrected
    over the layers.
    """
    blocks = "\\midrule\n".join(map(_block, board.columns))
    note = (
        r"$\dagger$: trained with this target. Corrected: false discovery rate over layers. For several "
        "untrained seeds the interval goes from their 5th to their 95th percentile."
    )
    miniature = "Miniature: a drawn world, simulated people. " if board.miniature else ""
    return (
        "% \\usepackage{booktabs, longtable}\n"
        "\\begin{longtable}{lrcrcrr}\n"
        f"\\caption{{Suite {escaped(board.suite)}. {miniature}{note}}} \\\\\n"
        f"\\toprule\n{_line(_HEAD)}\\midrule\n\\endhead\n"
        f"{blocks}\\bottomrule\n\\end{{longtable}}\n"
    )


def escaped(text: object) -> str:
    """``text`` in one line of LaTeX: no character of it is markup."""
    return "".join(_MARKUP.get(sign, sign) for sign in plain(text))


def _block(column: Column) -> str:
    head = f"\\multicolumn{{7}}{{l}}{{\\textit{{{escaped(column.binding)}}}: {escaped(column.label)}}} \\\\\n"
    return head + "".join(_line(_row(cell)) for cell in column.cells)


def _row(cell: CellResult) -> tuple[str, ...]:
    best = next((layer for layer in cell.layers if layer.name == cell.best_layer), None)
    dagger = r"$\dagger$" if cell.trained_on else ""
    return (
        escaped(cell.model) + dagger,
        _signed(cell.score),
        f"[{_signed(cell.ci_low)}, {_signed(cell.ci_high)}]",
        _signed(cell.chance),
        "--" if cell.ceiling_low is None else f"{_signed(cell.ceiling_low)}--{_signed(cell.ceiling_high)}",
        "--" if cell.n is None else str(cell.n),
        _signed(best.p_fdr if best else None),
    )


def _signed(value: float | None) -> str:
    """``value`` with a minus sign, not a hyphen; an undefined value is a dash."""
    return "--" if value is None else number(value).replace("-", "$-$")


def _line(cells: tuple[str, ...]) -> str:
    return " & ".join(cells) + " \\\\\n"
