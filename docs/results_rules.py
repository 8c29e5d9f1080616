"""The rules under which profiles of associations are compared, side by side, for the pages of results."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from results_words import interval_text, named, table

from benchmark.leaderboard.board import Board
from benchmark.results import CellResult

RULES = Path(__file__).parent / "explanation" / "association-rules.csv"
#: What the rows beside neurons are profiles of
NEURONS = "images"


def rules_section(board: Board) -> str:
    """The table of rules for association profiles, for people and for association networks."""
    rows = [row for row in _rows_of_rules() if row["concepts"] != NEURONS]
    best = _best_of_rules(rows)
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
            _table_of_rules(rows),
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
        f" The table lacks {named(missing)}: they were trained elsewhere for the bindings of association "
        "norms, and their weights may not be passed on."
    )


def _is_association_network(cell: CellResult | None) -> bool:
    entry = cell.provenance.registry_entry if cell and cell.provenance else {}
    return "SwowAssociation" in str(entry.get("plugin"))


def neurons_section() -> str:
    """The same table for association networks beside neurons."""
    rows = [row for row in _rows_of_rules() if row["concepts"] == NEURONS]
    best = [f"{_rule(row)} for `{one[0]}`" for one, row in _best_of_rules(rows).items()]
    return "\n".join(
        [
            "## How associations are compared",
            "",
            "The words of association networks alone, without the layers of their encoders: Spearman "
            "correlation with the RDM of the responses (`v4_210325_rdm`), by the rule under which two "
            "profiles are compared ([the rules](association-geometry.md#the-rules)). "
            f"The best rule is {'; '.join(best)}. The rule of the suite was chosen on people.",
            "",
            _table_of_rules(rows),
        ]
    )


def _rows_of_rules() -> list[dict[str, str]]:
    with RULES.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _profiles(row: dict[str, str]) -> tuple[str, str, str]:
    return row["profiles"], row["concepts"], row["n"]


def _best_of_rules(rows: Sequence[dict[str, str]]) -> dict[tuple[str, str, str], dict[str, str]]:
    """The row of the best rule for each kind of profiles."""
    kinds = dict.fromkeys(map(_profiles, rows))
    return {
        kind: max((r for r in rows if _profiles(r) == kind), key=lambda r: float(r["spearman"]))
        for kind in kinds
    }


def _table_of_rules(rows: Sequence[dict[str, str]]) -> str:
    kinds = list(dict.fromkeys(map(_profiles, rows)))
    found = {(_rule(row), _profiles(row)): row for row in rows}
    body = [
        (key, *(_of_rule(found.get((key, kind))) for kind in kinds))
        for key in dict.fromkeys(map(_rule, rows))
    ]
    return table(("rule", *(f"{profiles}, {n} {concepts}" for profiles, concepts, n in kinds)), body)


def _rule(row: dict[str, str]) -> str:
    parts = [f"`{row['rule']}`"]
    parts += [f"norms {row['norms']}"] if row["norms"] else []
    parts += [f"decay {row['decay']}"] if row["decay"] else []
    parts += ["centred"] if row["standardise"] == "centre" else []
    return ", ".join(parts)


def _of_rule(row: dict[str, str] | None) -> str:
    if row is None:
        return "-"
    return interval_text(float(row["spearman"]), float(row["low"]), float(row["high"]))
