"""Property norms on the page of the results: the tables and figures of Derby, Miller & Devereux (2020)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from results_figures import profiles
from results_words import ALPHA, interval_text, p_text, table

from benchmark.inference import fdr
from benchmark.leaderboard.board import Board, Column
from benchmark.leaderboard.compare import Difference, compare
from benchmark.leaderboard.markdown import number
from benchmark.results import CellResult, Estimate

#: Types of properties, in the order of their F1 in the paper; and finer kinds
TYPES = ("taxonomic", "visual_perceptual", "other_perceptual", "functional", "encyclopaedic")
FINER = ("colour", "shape_and_size", "is", "has", "does", "made_of")
#: Learners of the mapping, and the numbers of concepts looked at
LEARNERS = {"ridge": "ridge", "knn": "5 nearest neighbours", "network": "network"}
HITS = (1, 5, 10, 20)
#: Meta-embeddings METHOD_REST, of which the baseline is last_REST: of the same network and the same words
METHODS = ("svd", "1ton", "1ton_trained")
#: What stands in a name between the method and the network for word vectors beside it
WORD_VECTORS = ("_glove_840b", "_glove")
FIGURES = {"properties-types": TYPES, "properties-finer": FINER}

ABOUT = """\
## Properties by type

The tables and figures of Derby, Miller & Devereux (2020) for the networks of this page. `last` is the last
convolution; `svd` and `1ton` are all convolutions as one embedding of size 300, and `1ton_trained` is the
latter trained as in the paper. `cslb_decoding` has all images of a concept, but too few concepts to fit an
embedding of size 300 to. `cslb_decoding_imagenet` has one image of each, and the embedding is fitted to all
1,000 classes of ImageNet.
"""


class Step(NamedTuple):
    """The difference of F1 between two types of properties of a model, with its 95 % interval."""

    difference: float
    low: float
    high: float

    @property
    def reading(self) -> str:
        """How the first type stands to the second."""
        if self.low > 0:
            return "above"
        return "below" if self.high < 0 else "not told apart"


def semantics_section(board: Board) -> str:
    """Tables 1, 2 and 4 of the paper, its figures, and whether its orderings hold."""
    decoding, mapping = (_columns(board, f"property_{task}") for task in ("decoding", "mapping"))
    if not decoding:
        return ""
    parts = [
        ABOUT,
        _types("### F1 by type of property (Table 1)", decoding, ("f1", *TYPES)),
        _types("### F1 by finer kind (Table 4)", decoding, FINER),
        *(f"![F1 layer by layer](figures/{name}.svg)\n" for name in semantics_figures(board)),
        _depth(decoding),
        _hits(mapping),
        "### Does the ordering of the paper hold?\n",
        _order(decoding),
        _baselines([*decoding, *mapping]),
        _joined([*decoding, *mapping]),
    ]
    return "\n".join(part for part in parts if part)


def semantics_figures(board: Board) -> dict[str, str]:
    """F1 over the layers of each network, a line for each type (Figure 1) and each finer kind (Figure 2)."""
    cells = [cell for column in _columns(board, "property_decoding") for cell in column.cells]
    layered = [cell for cell in cells if len(cell.layers) > 1]
    drawn = {name: profiles([_by_kind(cell, kinds) for cell in layered]) for name, kinds in FIGURES.items()}
    return {name: figure for name, figure in drawn.items() if figure}


def _columns(board: Board, task: str) -> list[Column]:
    return [column for column in board.columns if column.cells[0].task == task]


def _by_kind(cell: CellResult, kinds: Sequence[str]) -> Column:
    """A cell as a column with a line for each kind, under the name of the kind."""
    known = [kind for kind in kinds if any(kind in layer.metrics for layer in cell.layers)]
    lines = tuple(cell.model_copy(update={"model": kind.replace("_", " "), "metric": kind}) for kind in known)
    return Column(f"{cell.model}, {cell.binding}", "", "", "", None, lines)


def _best(cell: CellResult) -> Mapping[str, Estimate]:
    """The metrics of the layer that is best over all properties."""
    return next((layer.metrics for layer in cell.layers if layer.name == cell.best_layer), {})


def place(model: str) -> tuple[int, str, int]:
    """Where a model stands in a table: without words first, then its network, then its method.

    The network alone is the first of its rows, then the last layer and the meta-embeddings.
    """
    method = max((name for name in ("last", *METHODS) if model.startswith(f"{name}_")), key=len, default="")
    rest = f"_{model.removeprefix(f'{method}_')}" if method else f"_{model}"
    words = next((words for words in WORD_VECTORS if method and rest.startswith(f"{words}_")), "")
    order = ("", *reversed(WORD_VECTORS)).index(words)
    return order, rest.removeprefix(words), ("", "last", *METHODS).index(method)


def _types(title: str, columns: Iterable[Column], kinds: Sequence[str]) -> str:
    head = ("model", "layer", *(kind.replace("_", " ") for kind in kinds))
    said = (
        "F1 of the layer that is best over all properties, with the 95 % interval over properties; in round "
        "brackets the chance level, by permuted concepts. The rows of one network stand together."
    )
    parts = [title, "", said, ""]
    for column in columns:
        rows = [
            (
                f"`{cell.model}`",
                f"`{cell.best_layer}`",
                *(_with_chance(_best(cell).get(kind)) for kind in kinds),
            )
            for cell in sorted(column.cells, key=lambda cell: place(cell.model))
        ]
        parts += [f"`{column.binding}`:", "", table(head, rows)]
    return "\n".join(parts)


def _with_chance(found: Estimate | None) -> str:
    if found is None or found.score is None:
        return "-"
    return f"{_with_interval(found)} ({number(found.chance)})"


def _with_interval(found: Estimate | None) -> str:
    if found is None or found.score is None:
        return "-"
    return interval_text(found.score, found.ci_low, found.ci_high)


def _depth(columns: Iterable[Column]) -> str:
    """From which layer on colour, and taxonomic properties, are told from chance."""
    kinds = ("colour", "taxonomic")
    layered = [cell for column in columns for cell in column.cells if len(cell.layers) > 1]
    rows = []
    for cell in layered:
        shown: list[str] = []
        for kind in kinds:
            known = [(layer.name, layer.metrics[kind]) for layer in cell.layers if kind in layer.metrics]
            known = [(name, found) for name, found in known if found.score is not None]
            first = next((i for i, (_, found) in enumerate(known) if _above_chance(found)), None)
            shown += [
                "none" if first is None else f"`{known[first][0]}` ({first + 1} of {len(known)})",
                _with_chance(known[0][1]) if known else "-",
                _with_chance(known[-1][1]) if known else "-",
            ]
        rows.append((f"`{cell.binding}`", f"`{cell.model}`", *shown))
    head = [
        f"{kind}: {what}" for kind in kinds for what in ("first above chance", "first layer", "last layer")
    ]
    said = (
        "The first layer, from the input on, of which the 95 % interval is above its chance level; and F1 in "
        "the first and in the last layer:"
    )
    return "\n".join([said, "", table(("binding", "network", *head), rows)]) if rows else ""


def _above_chance(found: Estimate) -> bool:
    return found.ci_low is not None and found.chance is not None and found.ci_low > found.chance


def _hits(columns: Sequence[Column]) -> str:
    """Hit@k of each learner (Table 2)."""
    parts = [
        "### Concepts never seen: hit@k (Table 2)\n",
        "How often a concept is among the k nearest to its prediction, of all concepts. Chance is "
        "k / concepts. The popularity baseline predicts the mean frequencies for every concept.\n",
    ]
    for column in columns:
        rows = [
            (f"`{cell.model}`", words, *(_with_interval(_best(cell).get(f"{learner}_hit_{k}")) for k in HITS))
            for cell in column.cells
            for learner, words in LEARNERS.items()
            if f"{learner}_hit_5" in _best(cell)
        ]
        chance = [_best(column.cells[0]).get(f"ridge_hit_{k}") for k in HITS]
        rows.append(("*chance*", "", *(number(None if of is None else of.chance) for of in chance)))
        notes = (note for note in column.cells[0].notes if note.startswith("popularity baseline"))
        said = f"`{column.binding}`; {next(notes, 'no baseline')}:\n"
        parts += [said, table(("model", "learner", *(f"hit@{k}" for k in HITS)), rows)]
    return "\n".join(parts) if columns else ""


# Whether the orderings of the paper hold


def step_between(first: Estimate | CellResult, second: Estimate | CellResult) -> Step | None:
    """The difference of two scores over different properties, from their intervals.

    The properties of two types are not the same, so the scores are taken for independent. The interval is
    that of Zou & Donner (2008), Statistics in Medicine 27, 1693-1702.
    """
    values = (first.score, first.ci_low, first.ci_high, second.score, second.ci_low, second.ci_high)
    if any(value is None for value in values):
        return None
    a, a_low, a_high, b, b_low, b_high = (float(value) for value in values if value is not None)
    difference = a - b
    low = difference - np.hypot(a - a_low, b_high - b)
    high = difference + np.hypot(a_high - a, b - b_low)
    return Step(difference, float(low), float(high))


def _order(columns: Iterable[Column]) -> str:
    """The steps of the paper's ordering of types, for each model."""
    steps = list(pairwise(TYPES))
    rows: list[tuple[str, ...]] = []
    counted: dict[tuple[str, str], Counter[str]] = {step: Counter() for step in steps}
    whole: Counter[bool] = Counter()
    for cell in (c for column in columns for c in sorted(column.cells, key=lambda c: place(c.model))):
        found = _best(cell)
        scores = [s for s in (found[kind].score for kind in TYPES if kind in found) if s is not None]
        if len(scores) == len(TYPES):
            whole[all(a > b for a, b in pairwise(scores))] += 1
        cells = []
        for first, second in steps:
            step = step_between(found[first], found[second]) if {first, second} <= found.keys() else None
            cells.append("-" if step is None else interval_text(step.difference, step.low, step.high))
            if step is not None:
                counted[first, second][step.reading] += 1
        rows.append((f"`{cell.binding}`", f"`{cell.model}`", *cells))
    names = [f"{first} less {second}".replace("_", " ") for first, second in steps]
    said = [
        f"- {name}: above in {count['above']} of {count.total()} cells, below in {count['below']}, not told "
        f"apart in {count['not told apart']}."
        for name, count in zip(names, counted.values(), strict=True)
    ]
    return "\n".join(
        [
            "The paper reports that taxonomic properties are decoded best, then visual perceptual, other "
            "perceptual, functional and encyclopaedic ones. Step by step, by the 95 % interval of the "
            "difference (over properties; the two types have different ones):",
            "",
            *said,
            f"- All four steps at once, by the scores alone: {whole[True]} of {whole.total()} cells.",
            "",
            table(("binding", "model", *names), rows),
        ]
    )


def _baselines(columns: Sequence[Column]) -> str:
    """Meta-embeddings beside the last layer of the same network: paired differences."""
    found = [one for column in columns for one in _pairs(column)]
    if not found:
        return ""
    corrected = fdr(np.array([one.p for one in found]))
    rows: list[tuple[str, ...]] = []
    counted: Counter[tuple[str, str]] = Counter()
    for one, p in zip(found, corrected, strict=True):
        word = _told(one, float(p))
        counted[one.binding, word] += 1
        shown = (number(one.difference), f"[{number(one.low)}, {number(one.high)}]", p_text(float(p)))
        rows.append((f"`{one.binding}`", f"`{one.first}`", f"`{one.second}`", *shown, word))
    return "\n".join(
        [
            "The paper reports meta-embeddings above the last layer. Paired differences over the same "
            "properties or concepts (with other concepts, properties may differ more), p corrected over all "
            "of this table:",
            "",
            *_counts(counted),
            "",
            table(
                (
                    "binding",
                    "meta-embedding",
                    "baseline",
                    "difference",
                    "95 % interval",
                    "p, corrected",
                    "reading",
                ),
                rows,
            ),
        ]
    )


WORDS = ("above", "below", "not told apart")


def _told(one: Difference, p: float) -> str:
    if not p < ALPHA:
        return WORDS[2]
    return WORDS[0] if one.difference > 0 else WORDS[1]


def _pairs(column: Column) -> list[Difference]:
    """Each meta-embedding of a binding less its baseline, where both are there."""
    pairs = [
        (model, f"last_{model.removeprefix(f'{method}_')}")
        for model in column.by_model
        for method in METHODS
        if model.startswith(f"{method}_")
    ]
    return [one for pair in pairs if pair[1] in column.by_model for one in compare(column.cells, pair)]


def _joined(columns: Sequence[Column]) -> str:
    """Models beside word vectors less the same without them, which cover other concepts: by intervals."""
    rows: list[tuple[str, ...]] = []
    counted: Counter[tuple[str, str]] = Counter()
    for column in columns:
        for model, cell in column.by_model.items():
            words = next((words for words in WORD_VECTORS if words in model), None)
            alone = column.by_model.get(model.replace(words, "")) if words else None
            step = step_between(cell, alone) if alone else None
            if alone is not None and step is not None:
                counted[column.binding, step.reading] += 1
                shown = (number(step.difference), f"[{number(step.low)}, {number(step.high)}]", step.reading)
                rows.append((f"`{column.binding}`", f"`{model}`", f"`{alone.model}`", *shown))
    if not rows:
        return ""
    return "\n".join(
        [
            "The paper reports models beside word vectors above those without. A model with words covers the "
            "concepts that have a word vector alone, so there is no paired difference, and the interval is "
            "that of two independent scores:",
            "",
            *_counts(counted),
            "",
            table(("binding", "with words", "without", "difference", "95 % interval", "reading"), rows),
        ]
    )


def _counts(counted: Counter[tuple[str, str]]) -> list[str]:
    """How often each reading was found, a line for each binding."""
    return [
        f"- `{binding}`: " + ", ".join(f"{word} {counted[binding, word]}" for word in WORDS) + "."
        for binding in dict.fromkeys(binding for binding, _ in counted)
    ]
