"""What hangs on the recipe of an RDM: a section of the page of the results."""

from __future__ import annotations

from itertools import combinations

from results_words import named, table

from benchmark.leaderboard.board import Board, Column
from benchmark.leaderboard.markdown import number


def recipes_section(board: Board) -> str:
    """Scores and ranks under every recipe of an RDM, of the bindings that were published so."""
    columns = [column for column in board.columns if column.recipes]
    if not columns:
        return ""
    return "\n".join(
        [
            "## Under every recipe of an RDM",
            "",
            "Score, and rank in round brackets, of each model under every recipe of an RDM (`bench "
            "robustness`): the distance, and what is done to each feature before. A conclusion that hangs on "
            "the recipe is one about the recipe.",
            "",
            *(part for column in columns for part in _recipes(column)),
        ]
    )


def _recipes(column: Column) -> list[str]:
    """The table of one binding, and which orders of two models hold under all recipes."""
    recipes = list(next(iter(column.recipes.values())).scores)
    rows = [
        (f"`{model}`", *(f"{number(under.scores[recipe])} ({under.ranks[recipe]})" for recipe in recipes))
        for model, under in column.recipes.items()
    ]
    firm = [
        f"`{model}` scores better than {named(under.ahead_of)}"
        for model, under in column.recipes.items()
        if under.ahead_of
    ]
    open_ = [
        f"`{one}` and `{other}`"
        for one, other in combinations(column.recipes, 2)
        if other not in column.recipes[one].ahead_of and one not in column.recipes[other].ahead_of
    ]
    head = ("model", *(recipe.replace(".none", "").replace(".", ", ") for recipe in recipes))
    return [
        f"`{column.binding}`:",
        "",
        table(head, rows),
        f"Under all {len(recipes)} recipes {'; '.join(firm) or 'no order of two models holds'}."
        + (f" The order hangs on the recipe for {'; '.join(open_)}." if open_ else ""),
        "",
    ]
