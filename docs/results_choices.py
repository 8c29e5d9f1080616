"""Sections of the page of the results: what hangs on the rule for associations, or on an RDM's recipe."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

from results_words import table

from benchmark.leaderboard.board import Board, Column
from benchmark.leaderboard.markdown import number
from benchmark.results import CellResult

RULES = Path(__file__).parent / "explanation" / "association-rules.csv"


def rules_section(board: Board) -> str:
    """The table of rules for association profiles, for people and for association networks."""
    with RULES.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    who = list(dict.fromkeys((row["profiles"], row["concepts"], row["n"]) for row in rows))
    keys = list(dict.fromkeys(_rule(row) for row in rows))
    found = {(_rule(row), (row["profiles"], row["concepts"], row["n"])): row for row in rows}
    body = [(key, *(_of_rule(found.get((key, one))) for one in who)) for key in keys]
    head = ("rule", *(f"{profiles}, {n} {concepts}" for profiles, concepts, n in who))
    best = {
        one: max((r for (_, w), r in found.items() if w == one), key=lambda r: float(r["spearman"]))
        for one in who
    }
    most = Counter(row["rule"] for row in best.values()).most_common(1)[0][0]
    but = [f"`{one[0]}` (`{row['rule']}`)" for one, row in best.items() if row["rule"] != most]
    said = f"The best rule is `{most}` in every column{' but ' + ', '.join(but) if but else ''}."
    return "\n".join(
        [
            "## How associations are compared",
            "",
            "Spearman correlation with the human similarity of the same concepts (SPoSE), by the rule under "
            "which two profiles of words are compared ([the rules](association-geometry.md#the-rules)). "
            f"{said} The rule was chosen on people and on *others*, concepts that no cell scores."
            f"{_without_weights(board, {row['profiles'] for row in rows})}",
            "",
            table(head, body),
        ]
    )


def _without_weights(board: Board, shown: set[str]) -> str:
    """The association networks with published cells that the table lacks."""
    missing = [
        model
        for model in board.models
        if model not in shown and any(_is_association_network(c.by_model.get(model)) for c in board.columns)
    ]
    if not missing:
        return ""
    return (
        f" The table lacks {_named(missing)}: they were trained elsewhere for the bindings of association "
        "norms, and their weights may not be passed on."
    )


def _is_association_network(cell: CellResult | None) -> bool:
    entry = cell.provenance.registry_entry if cell and cell.provenance else {}
    return "SwowAssociation" in str(entry.get("plugin"))


def _rule(row: dict[str, str]) -> str:
    parts = [f"`{row['rule']}`"]
    parts += [f"norms {row['norms']}"] if row["norms"] else []
    parts += [f"decay {row['decay']}"] if row["decay"] else []
    parts += ["centred"] if row["standardise"] == "centre" else []
    return ", ".join(parts)


def _of_rule(row: dict[str, str] | None) -> str:
    if row is None:
        return "-"
    return f"{float(row['spearman']):.3f} [{float(row['low']):.3f}, {float(row['high']):.3f}]"


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
        f"`{model}` scores better than {_named(under.ahead_of)}"
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


def _named(models: Iterable[str]) -> str:
    return ", ".join(f"`{model}`" for model in models)
