"""What the published results say, in sentences that the numbers choose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmark.leaderboard.board import Board, Column
from benchmark.leaderboard.markdown import number
from benchmark.results import CellResult

#: A layer is above chance where its p-value, adjusted over the layers, is below this
ALPHA = 0.05
#: What the notes of a result say of a target that is a network, and of one that is the model itself
_NETWORK, _ITSELF = "the target is a network", "the target is made from the model itself"


def score_text(cell: CellResult | None) -> str:
    """A score with its interval, for a table."""
    if cell is None:
        return "-"
    mark = "†" if cell.trained_on else ""
    return f"{number(cell.score)}{mark} [{number(cell.ci_low)}, {number(cell.ci_high)}]"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in lines)


def found_section(board: Board) -> str:
    """What the numbers say, in sentences that they choose."""
    lines = [
        "## What was found",
        "",
        *_encoder_lines(board),
        *_unique_lines(board),
        *_ceiling_lines(board),
        *_growth_lines(board),
        *_chance_lines(board, "one_vs_two", "1 vs 2, told from chance"),
        *_chance_lines(board, "gwot_matching", "Matching without labels, told from chance"),
    ]
    return "\n".join([*lines, ""])


def _encoder(cell: CellResult, column: Column) -> CellResult | None:
    """The cell of the network from which the model was trained."""
    entry = cell.provenance.registry_entry if cell.provenance else {}
    return column.by_model.get(str(entry.get("encoder")))


def reading(cell: CellResult, other: CellResult) -> str:
    """How one score stands to another, by their intervals."""
    bounds = cell.ci_low, cell.ci_high, other.ci_low, other.ci_high
    if None in bounds:
        return "not comparable"
    if cell.ci_low > other.ci_high:  # type: ignore[operator]
        return "higher"
    if cell.ci_high < other.ci_low:  # type: ignore[operator]
        return "lower"
    return "overlap"


def _encoder_lines(board: Board) -> list[str]:
    """Association networks beside the encoders they came from: a sentence, and a table."""
    rows: list[tuple[str, ...]] = []
    agreed: dict[str, dict[str, list[str]]] = {}
    for column in board.columns:
        for family, cells in _families(column).items():
            encoder = _encoder(cells[0], column)
            if encoder is None or _says(encoder, _ITSELF) or encoder.task == "rdm_partition":
                continue
            words = dict.fromkeys(reading(cell, encoder) for cell in cells)
            scores = " and ".join(score_text(cell) for cell in cells)
            names = f"`{column.binding}`", f"`{family}`"
            rows.append((*names, scores, score_text(encoder), ", ".join(words)))
            if len(words) == 1:
                of_family = agreed.setdefault(family, {})
                of_family.setdefault(next(iter(words)), []).append(f"`{column.binding}`")
    if not rows:
        return []
    said = {"higher": "is above its encoder", "overlap": "is not told apart", "lower": "is below it"}
    sentences = [
        f"- `{family}` "
        + "; ".join(f"{said[word]} in {_listed(found[word])}" for word in said if word in found)
        + "."
        for family, found in agreed.items()
    ]
    return [
        "### Association networks and the encoders they came from",
        "",
        "An association network is compared by its words, the encoder by its features (for association norms "
        "through a readout). Where all seeds agree, by their intervals:",
        "",
        *sentences,
        "",
        table(("binding", "association network", "scores of its seeds", "its encoder", "intervals"), rows),
    ]


def _families(column: Column) -> dict[str, list[CellResult]]:
    """The cells by the name of the model without the number of its seed, in the order of the seeds."""
    families: dict[str, list[CellResult]] = {}
    for cell in sorted(column.cells, key=lambda cell: cell.model):
        name, _, seed = cell.model.rpartition("-")
        families.setdefault(name if seed.isdigit() else cell.model, []).append(cell)
    return families


def _says(cell: CellResult, note: str) -> bool:
    return any(text.startswith(note) for text in cell.notes)


def _unique_lines(board: Board) -> list[str]:
    """For each partition which models have something of their own."""
    lines = ["### What a model explains that its reference does not", ""]
    for column in board.columns:
        if column.cells[0].task != "rdm_partition":
            continue
        own = [cell for cell in column.cells if cell.ci_low is not None and cell.ci_low > 0]
        named = ", ".join(f"`{cell.model}` {score_text(cell)}" for cell in own)
        said = f"more than nothing for {named}" if own else "for no model shown to be more than nothing"
        beyond = ", ".join(f"`{name}`" for name in _beyond(column))
        lines.append(f"- {column.target} (`{column.binding}`), beyond {beyond}: {said}.")
    return [*lines, ""] if len(lines) > 2 else []


def _beyond(column: Column) -> list[str]:
    provenance = column.cells[0].provenance
    named = provenance.params.get("beyond", []) if provenance else []
    return [named] if isinstance(named, str) else list(named)


def _ceiling_lines(board: Board) -> list[str]:
    """How far the best model is below what people reach."""
    lines = [
        "### Of what people reach",
        "",
        "The best model, beside the lower bound of the noise ceiling:",
        "",
    ]
    for column in board.columns:
        best = column.cells[0]
        if best.task == "rdm_correlation" and best.ceiling_low and best.score is not None:
            share = best.score / best.ceiling_low
            lines.append(
                f"- `{column.binding}`: `{best.model}` {score_text(best)}, {100 * share:.0f} % of "
                f"{number(best.ceiling_low)}{'' if share < 1 else ': at the ceiling'}."
            )
    return [*lines, ""] if len(lines) > 4 else []


def _growth_lines(board: Board) -> list[str]:
    """Where the profiles of 2 vs 2 and of the RDM correlations end above where they begin."""
    lines = ["### From the first layer to the last", ""]
    for column in board.columns:
        ends = [_ends(cell) for cell in column.cells if cell.task in ("two_vs_two", "rdm_correlation")]
        known = [end for end in ends if end is not None]
        if known and not _says(column.cells[0], _NETWORK):
            grown = sum(last > first for first, last in known)
            lines.append(
                f"- `{column.binding}`: the last layer is above the first in {grown} of {len(known)} "
                "networks."
            )
    return [*lines, ""] if len(lines) > 2 else []


def _ends(cell: CellResult) -> tuple[float, float] | None:
    """Score of the first and of the last layer; None for a model with one layer."""
    scores = [layer.metrics[str(cell.metric)].score for layer in cell.layers if layer.metrics]
    known = [score for score in scores if score is not None]
    return (known[0], known[-1]) if len(known) > 1 else None


def _chance_lines(board: Board, task: str, name: str) -> list[str]:
    """Whether the scores of a task are told from chance."""
    lines = [f"### {name}", ""]
    for column in board.columns:
        if column.cells[0].task != task:
            continue
        told = [f"`{cell.model}`" for cell in column.cells if _above_chance(cell)]
        widest = max((c.ci_high or 0.0) - (c.ci_low or 0.0) for c in column.cells)
        layers = [
            f"`{cell.model}` `{layer.name}` {number(layer.metrics[str(cell.metric)].score)}"
            for cell in column.cells
            for layer in cell.layers
            if layer.p_fdr is not None and layer.p_fdr < ALPHA
        ]
        lines.append(
            f"- `{column.binding}`: the interval of the score is above chance for {len(told)} of "
            f"{len(column.cells)} models{f' ({_listed(told)})' if told else ''}; the widest spans "
            f"{number(widest)}. Single layers above chance, after correction over layers: "
            f"{_listed(layers) or 'none'}."
        )
    return [*lines, ""] if len(lines) > 2 else []


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def differences(board: Board) -> list[str]:
    """What the sources find, and whether it is seen here."""
    by_task: dict[str, list[CellResult]] = {}
    for column in board.columns:
        by_task.setdefault(column.cells[0].task, []).extend(column.cells)
    ends = [end for cell in by_task.get("two_vs_two", []) if (end := _ends(cell))]
    grown = sum(last > first for first, last in ends)
    lines = []
    if ends:
        agrees = "So it is here" if grown == len(ends) else "Here it is not so in every network"
        lines.append(
            "- **Dharmaretnam & Fyshe (2018)** find that semantic information grows over the layers "
            f"(2 vs 2). {agrees}: {grown} of {len(ends)} profiles end above where they begin."
        )
    mistakes = by_task.get("one_vs_two", [])
    if mistakes:
        counted = [cell.counts.get("misclassified_joined", 0) for cell in mistakes]
        told = sum(_above_chance(cell) for cell in mistakes)
        lines.append(
            "- They find that the true class of a misclassified image can be recovered in intermediate "
            f"layers (1 vs 2). Here that is shown for {told} of {len(mistakes)} cells, which rest on "
            f"{min(counted)} to {max(counted)} mistakes each."
        )
    matched = by_task.get("gwot_matching", [])
    if matched:
        told = sum(_above_chance(cell) for cell in matched)
        clip = any("clip" in cell.model for cell in matched)
        lines.append(
            "- **Takahashi et al. (2025)** report that CLIP matches human similarity without labels, and "
            "self-supervised networks only to a limited degree. "
            + ("" if clip else "Neither kind is among the published cells of this task. ")
            + f"The cells here are above chance in {told} of {len(matched)}."
        )
    return lines


def _above_chance(cell: CellResult) -> bool:
    return cell.ci_low is not None and cell.chance is not None and cell.ci_low > cell.chance
