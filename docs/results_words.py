"""What the published results say, in sentences that the numbers choose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from benchmark.inference import fdr
from benchmark.leaderboard.board import Board, Column
from benchmark.leaderboard.compare import Difference, compare
from benchmark.leaderboard.markdown import number
from benchmark.results import CellResult, Estimate

#: A layer is above chance where its p-value, adjusted over the layers, is below this
ALPHA = 0.05
#: A p-value below this is not told exactly
_LEAST_P = 0.001
#: What the notes of a result say of a target that is a network, and of one that is the model itself
_NETWORK, _ITSELF = "the target is a network", "the target is made from the model itself"


def score_text(cell: CellResult | None) -> str:
    """A score with its interval, for a table."""
    if cell is None:
        return "-"
    return interval_text(cell.score, cell.ci_low, cell.ci_high, "†" if cell.trained_on else "")


def interval_text(score: float | None, low: float | None, high: float | None, mark: str = "") -> str:
    """A number, a mark on it, and its interval."""
    return f"{number(score)}{mark} [{number(low)}, {number(high)}]"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in lines)


def named(models: Iterable[str]) -> str:
    """Names of models, as code."""
    return _listed(f"`{model}`" for model in models)


def found_section(board: Board) -> str:
    """What the numbers say, in sentences that they choose."""
    lines = [
        "## What was found",
        "",
        *_encoder_lines(board),
        *_first_lines(board),
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


class Beside(NamedTuple):
    """The seeds of an association network on one binding, and the encoder that they were trained from."""

    binding: str
    family: str
    cells: list[CellResult]
    encoder: CellResult
    higher: bool
    differences: list[Difference]


def reading(one: Difference, *, higher: bool = True) -> str:
    """How a model stands to another, by their paired difference."""
    if not np.isfinite(one.p_fdr):
        return "not compared"
    if one.p_fdr >= ALPHA:
        return "not told apart"
    return "better" if (one.difference > 0) == higher else "worse"


def beside_encoders(board: Board) -> list[Beside]:
    """Every association network beside its encoder; p is corrected over all of them."""
    found = [
        Beside(column.binding, family, cells, encoder, _higher(column), _paired(cells, encoder))
        for column in board.columns
        for family, cells in _families(column).items()
        if (encoder := _encoder(cells[0], column)) is not None
        and not _says(encoder, _ITSELF)
        and encoder.task != "rdm_partition"
    ]
    corrected = iter(fdr(np.array([d.p for one in found for d in one.differences])) if found else ())
    return [
        one._replace(differences=[replace(d, p_fdr=float(next(corrected))) for d in one.differences])
        for one in found
    ]


def _paired(cells: Sequence[CellResult], encoder: CellResult) -> list[Difference]:
    return [one for cell in cells for one in compare([cell, encoder], [cell.model, encoder.model])]


def _higher(column: Column) -> bool:
    return column.metric is None or column.metric.higher_is_better


def _encoder_lines(board: Board) -> list[str]:
    """Association networks beside the encoders they came from: a sentence, and a table."""
    found = beside_encoders(board)
    if not found:
        return []
    agreed: dict[str, dict[str, list[str]]] = {}
    rows = []
    for one in found:
        words = [reading(d, higher=one.higher) for d in one.differences]
        changes = " and ".join(dict.fromkeys(_difference_text(d) for d in one.differences))
        p = " and ".join(dict.fromkeys(p_text(d.p_fdr) for d in one.differences))
        scores = " and ".join(score_text(cell) for cell in one.cells)
        names = f"`{one.binding}`", f"`{one.family}`"
        layers = " and ".join(dict.fromkeys(f"`{cell.best_layer}`" for cell in one.cells))
        layers += f"; `{one.encoder.best_layer}`"
        said_here = ", ".join(dict.fromkeys(words))
        rows.append((*names, scores, score_text(one.encoder), layers, changes, p, said_here))
        compared = [word for word in words if word != "not compared"] or words
        if len(set(compared)) == 1:
            agreed.setdefault(one.family, {}).setdefault(compared[0], []).append(f"`{one.binding}`")
    said = {
        "better": "is better than its encoder in",
        "worse": "is worse in",
        "not told apart": "is not told apart from it in",
        "not compared": "has no paired difference in",
    }
    sentences = [
        f"- `{family}` " + "; ".join(f"{said[w]} {_listed(where[w])}" for w in said if w in where) + "."
        for family, where in agreed.items()
    ]
    head = ("binding", "association network", "scores of its seeds", "its encoder")
    return [
        "### Association networks and the encoders they came from",
        "",
        "The layer `output` of an association network is its words; its other layers are those of its "
        "encoder, as training left them. The encoder is compared by its features (for association norms "
        "through a readout). The difference is paired over the same concepts, as by `bench compare`: both "
        "models with their best layer on all concepts, with its 95 % interval, and p corrected over all rows "
        "of the table (false discovery rate). Where the best layer is one of the encoder, words decide "
        "nothing: if training left it as it was and the images have one size, the difference is 0."
        f"{_sizes(found)} In bindings with SWOW the association network was "
        "trained with the target and its encoder was not: a better score is expected there. Where all seeds "
        "that could be compared agree:",
        "",
        *sentences,
        "",
        table((*head, "best layers; of its encoder", "paired difference", "p, corrected", "it is"), rows),
    ]


def _sizes(found: Sequence[Beside]) -> str:
    """Which association networks see images of another size than their encoder."""
    pixels = {one.family: (_pixels(one.cells[0]), _pixels(one.encoder)) for one in found}
    other = [f"`{name}` ({own} and {its} pixels)" for name, (own, its) in pixels.items() if own != its]
    if not other:
        return ""
    return (
        f" Of another size than for their encoder are the images of {_listed(other)}: there a difference may "
        "come from the size."
    )


def _pixels(cell: CellResult) -> str:
    """The side of the images that a network sees."""
    preprocessing = cell.provenance.preprocessing if cell.provenance else ""
    cut = re.search(r"crop=(\d+)", str(preprocessing))
    return cut[1] if cut else "unknown"


def _difference_text(one: Difference) -> str:
    if one.why.startswith("a result holds no changes"):
        return "the results lack what it needs"
    return one.why.partition(":")[0] or interval_text(one.difference, one.low, one.high)


def p_text(p: float | None) -> str:
    """A p-value, for a table."""
    if p is None or not np.isfinite(p):
        return "-"
    return number(p) if p >= _LEAST_P else f"< {number(_LEAST_P)}"


def _families(column: Column) -> dict[str, list[CellResult]]:
    """The cells by the name of the model without the number of its seed, in the order of the seeds."""
    families: dict[str, list[CellResult]] = {}
    for cell in sorted(column.cells, key=lambda cell: cell.model):
        name, _, seed = cell.model.rpartition("-")
        families.setdefault(name if seed.isdigit() else cell.model, []).append(cell)
    return families


def _says(cell: CellResult, note: str) -> bool:
    return any(text.startswith(note) for text in cell.notes)


def _first_lines(board: Board) -> list[str]:
    """For each binding the models that no other is shown to beat."""
    lines = [
        "### Models that no other is shown to beat",
        "",
        "By paired differences of every two models of a binding, corrected over them. Models that were "
        "trained with the target, random ones, and models over other concepts than most take no part:",
        "",
    ]
    for column in board.columns:
        if not column.ranks or _says(column.cells[0], _NETWORK):
            continue
        first = [f"`{c.model}` {score_text(c)}" for c in column.cells if _is_first(c, column)]
        lines.append(f"- `{column.binding}`, {len(first)} of {len(column.ranks)}: {_listed(first)}.")
    return [*lines, ""] if len(lines) > 4 else []


def _is_first(cell: CellResult, column: Column) -> bool:
    return cell.model in column.ranks and column.ranks[cell.model].best == 1


def _unique_lines(board: Board) -> list[str]:
    """For each partition which models have something of their own."""
    lines = ["### What a model explains that its reference does not", ""]
    for column in board.columns:
        if column.cells[0].task != "rdm_partition":
            continue
        own = [cell for cell in column.cells if cell.ci_low is not None and cell.ci_low > 0]
        scores = _listed(f"`{cell.model}` {score_text(cell)}" for cell in own)
        said = f"more than nothing for {scores}" if own else "for no model shown to be more than nothing"
        lines.append(f"- {column.target} (`{column.binding}`), beyond {named(_beyond(column))}: {said}.")
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
        trained = [cell for cell in column.cells if not cell.untrained]
        ends = [_ends(cell) for cell in trained if cell.task in ("two_vs_two", "rdm_correlation")]
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
        below = [f"`{cell.model}`" for cell in column.cells if below_chance(cell)]
        widest = max((c.ci_high or 0.0) - (c.ci_low or 0.0) for c in column.cells)
        layers = [
            f"`{cell.model}` `{layer.name}` {number(layer.metrics[str(cell.metric)].score)}"
            for cell in column.cells
            for layer in cell.layers
            if layer.p_fdr is not None and layer.p_fdr < ALPHA
        ]
        models = "1 model" if len(column.cells) == 1 else f"{len(column.cells)} models"
        lines.append(
            f"- `{column.binding}`: the interval of the score is above chance for {len(told)} of "
            f"{models}{f' ({_listed(told)})' if told else ''}"
            f"{f', and below it for {len(below)} ({_listed(below)})' if below else ''}; the widest spans "
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
        told, below = (sum(map(of, mistakes)) for of in (_above_chance, below_chance))
        lines.append(
            "- They find that the true class of a misclassified image can be recovered in intermediate "
            f"layers (1 vs 2). Here that is shown for {told} of {len(mistakes)} cells, which rest on "
            f"{min(counted)} to {max(counted)} mistakes each. In {below} the score is shown to be below "
            "half: the layer stands nearer to the class that the image was taken for."
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


def below_chance(one: CellResult | Estimate) -> bool:
    """Whether the whole interval of a score lies below chance."""
    return one.ci_high is not None and one.chance is not None and one.ci_high < one.chance
