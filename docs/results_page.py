"""The page ``explanation/results.md`` and its figures, made from the published results.

``python docs/generate.py`` writes them. No number on the page is typed, and where a result is missing the
page says nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from results_curves import mistakes_section, pooling_section
from results_figures import bars, profiles
from results_macaque import macaque_figure, macaque_page
from results_map import map_figure, map_section
from results_models import pairs_section
from results_recipes import recipes_section
from results_rules import rules_section
from results_semantics import semantics_figures, semantics_section
from results_tables import GAIN, beside, score_tables
from results_words import differences, found_section

from benchmark.leaderboard.board import Board, Column, boards
from benchmark.registry import Registry
from benchmark.results import ResultStore

DOCS = Path(__file__).parent
FIGURES = DOCS / "explanation" / "figures"
SUITE, MACAQUE = "human", "macaque"


class Section(NamedTuple):
    """A part of the page: the bindings of its table, what it asks, its figure."""

    title: str
    about: str
    holds: Callable[[Column], bool]
    figure: str | None = None
    draw: Callable[[Sequence[Column]], str] = profiles


def _task(name: str, *targets: str) -> Callable[[Column], bool]:
    """Whether a column is of this task and, if targets are named, its binding begins with one of them."""
    return lambda column: column.cells[0].task == name and (not targets or column.binding.startswith(targets))


SECTIONS = (
    Section(
        "Human similarity and human associations",
        "The RDM of each model, correlated with that of people's similarity judgements (THINGS), or of the "
        "words that people associate (Small World of Words, Edinburgh).",
        _task("rdm_correlation", "things", "swow", "eat"),
        "rdm-people",
    ),
    Section(
        "The brain",
        "The RDM of each model, correlated with those of inferior temporal cortex (IT) and early visual "
        "cortex (EVC), subject by subject.",
        _task("rdm_correlation", "hit", "cichy"),
        "rdm-brain",
    ),
    Section(
        "Beyond the encoder: unique variance",
        "What a model explains of a target's RDM that the reference of the binding does not: "
        "`mobilenetv1_100`, by its best layer, chosen on other concepts. It is the encoder of the networks "
        "`swow_mobilenetv1`; to all other models it is another network. Layers of an association network "
        "that sees images of another size than its encoder may explain more for that reason alone.",
        _task("rdm_partition"),
        "unique",
        bars,
    ),
    Section(
        "2 vs 2: word vectors",
        "For two concepts: do images and word vectors match better than crosswise? Half of the pairs by "
        "chance.",
        _task("two_vs_two"),
        "two-vs-two",
    ),
    Section(
        "1 vs 2: mistakes",
        "For a mistake of the network: does a layer still know the true class? Half of the mistakes by "
        "chance. Below half, the layer stands nearer to the class that the image was taken for.",
        _task("one_vs_two"),
        "one-vs-two",
    ),
    Section(
        "Association norms",
        "The words that a model predicts for images, against those that people gave.",
        _task("association_topk"),
    ),
    Section(
        "Properties that people name",
        "Can a linear classifier read out of a layer which concepts have a property that people name (CSLB)? "
        "The score is F1, averaged over properties.",
        _task("property_decoding"),
        "properties",
    ),
    Section(
        "Properties of concepts never seen",
        "The properties of a concept are predicted by a rule that was learned on other concepts. It is a hit "
        "if the concept's own properties are among the five nearest to the prediction.",
        _task("property_mapping"),
    ),
    Section(
        "Ratings of word pairs",
        "How alike two words are to people (MEN: related; SimLex: alike), against the cosine of the model's "
        "two concepts.",
        _task("word_similarity"),
    ),
    Section("Matching without labels", "Gromov-Wasserstein matching of concepts.", _task("gwot_matching")),
    Section("Other bindings", "The other published bindings of the suite.", lambda _: True),
)

HEAD = """\
# Results

<!-- generated: python docs/generate.py -->

This page reports the published results of the [suite](../reference/glossary.md#suite) `human`: {cells}
cells, {models} models, {bindings} bindings. `python docs/generate.py` makes all of it from
`leaderboard/results/human`; no number is typed. Those files hold every
[layer](../reference/glossary.md#layer) and metric, p-values, counts and
[provenance](../reference/glossary.md#provenance). [methodology.md](../reference/methodology.md) defines the
numbers.

{contents}

A table has the score of each model with its 95 %
[bootstrap](../reference/glossary.md#bootstrap-over-concepts) interval over concepts. Where a model has
several layers, the layer is chosen on one half of the concepts and scored on the other. "-" is a cell that
is not published. † marks a model that was trained with the target. A figure shows, layer by layer, the
models that are best in its first chart, eight at most; dashed is chance, green the [noise
ceiling](../reference/glossary.md#noise-ceiling).
"""

SOURCES = """\
## Beside the sources

{differences}

The tables name the networks of this page. The weights of some networks of the source papers could not be
had, and two of the four kinds of word vectors of Dharmaretnam & Fyshe (recurrent and cross-lingual). The
page says nothing about these. What each paper reports stands in its own document, and no
figure of theirs is repeated here.
"""

LIMITS = """\
## What it cannot say

- **Not told apart is not equal.** Models are compared by paired differences over the same concepts, with p
  corrected; against chance, and of unique variance against nothing, the readings go by intervals.
- **One image per concept.** In most bindings a score is about that picture as much as about the concept.
  The interval is over concepts, not over pictures.
- **Easy images.** Images of the ImageNet sample are easy, or networks were trained on them, so networks make
  few mistakes on it.
- **Mostly small networks, quantised.** Their weights were available. They are not the networks that the
  papers compared.
- **One recipe of an RDM.** Orders of models are those under the recipe of the binding. Under another, models
  that stand close may [change places](#under-every-recipe-of-an-rdm).
- **Other pictures for CLIP.** Its features are of THINGS photographs. The networks saw ImageNet
  photographs.
- **No ceiling for SPoSE.** It is one geometry fitted to many people. A ceiling needs the data of single
  people; that of `things_groups_1854` is over geometries fitted to groups of people.
- **Word joins.** Only some classes have a word vector or a [cue](../reference/glossary.md#cue): the row *n*.
- **The rule `spread` brings people's associations with it.** Most of the scored concepts have cues that
  association networks were trained on ([held-out cues](association-geometry.md#what-to-know-about-spread)).
- **The map of the models is of 92 pictures.** `bench similarity` makes one over any others.
"""


def results_pages(registry: Registry) -> dict[Path, str]:
    """The page and its figures, by their path, from the published results."""
    found = published(registry)
    board = found[SUITE]
    shown = [(section, columns) for section, columns in sorted_columns(board) if columns]
    drawn = {section.figure: section.draw(columns) for section, columns in shown if section.figure}
    sections = [_section(section, columns, board, drawn) for section, columns in shown]
    return {
        DOCS / "explanation" / "results.md": _page(board, sections),
        **(
            {
                DOCS / "explanation" / "results-macaque.md": macaque_page(found[MACAQUE]),
                FIGURES / "macaque.svg": macaque_figure(found[MACAQUE]),
            }
            if MACAQUE in found
            else {}
        ),
        **{FIGURES / f"{name}.svg": figure for name, figure in drawn.items() if figure},
        **{FIGURES / f"{name}.svg": figure for name, figure in semantics_figures(board).items()},
        FIGURES / "models.svg": map_figure(),
    }


def _page(board: Board, sections: list[str]) -> str:
    cells = [cell for column in board.columns for cell in column.cells]
    parts = [found_section(board), *sections, mistakes_section(board), pairs_section()]
    parts += [semantics_section(board), map_section(), rules_section(board), recipes_section(board)]
    parts += [pooling_section(), SOURCES.format(differences="\n".join(differences(board))), LIMITS]
    kept = [part for part in parts if part]
    head = HEAD.format(
        cells=len(cells),
        models=len({cell.model for cell in cells}),
        bindings=len(board.columns),
        contents="\n".join(_link(part) for part in kept),
    )
    return "\n".join([head, *kept])


def published(registry: Registry) -> dict[str, Board]:
    """The boards of the published results, by their suite."""
    stored, _ = ResultStore(DOCS.parent / "leaderboard" / "results").all()
    return {board.suite: board for board in boards([one.cell for one in stored], registry)}


def sorted_columns(board: Board) -> list[tuple[Section, list[Column]]]:
    """The columns of each section; a column is in the first that holds it."""
    by_section: list[tuple[Section, list[Column]]] = [(section, []) for section in SECTIONS]
    for column in board.columns:
        next(columns for section, columns in by_section if section.holds(column)).append(column)
    return by_section


def _link(part: str) -> str:
    title = part.splitlines()[0].removeprefix("## ")
    anchor = "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c == "-")
    return f"- [{title}](#{anchor})"


def _section(
    section: Section, columns: Sequence[Column], board: Board, drawn: Mapping[str | None, str]
) -> str:
    lines = [f"## {section.title}", "", section.about, "", score_tables(columns, board)]
    gains = beside(columns, board, "gain", GAIN)
    lines += [gains] if gains else []
    if drawn.get(section.figure):
        kind = "Bars" if section.figure == "unique" else "Scores layer by layer"
        lines += [f"![{kind}: {section.title}](figures/{section.figure}.svg)", ""]
    return "\n".join(lines)
