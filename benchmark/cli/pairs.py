"""``bench pairs``: which pairs of concepts come closer or move apart from one network to another."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from benchmark.cli.console import console, progress_bars, say
from benchmark.cli.run import WorkBar
from benchmark.cli.tables import number, write_csv
from benchmark.registry import AssociationRuleEntry
from benchmark.runner import Options, Session

if TYPE_CHECKING:
    from benchmark.model_similarity import Moved


def show_pairs(
    model: str,
    reference: str,
    suite: str,
    options: Options,
    *,
    layer: str | None,
    reference_layer: str | None,
    stimuli: str | None,
    metric: str,
    rule: AssociationRuleEntry | None,
    k: int,
    form: str,
    html: Path | None,
) -> None:
    """Print the pairs that moved most.

    Parameters
    ----------
    model : str
        Name of a model.
    reference : str
        Name of another, or "encoder".
    suite : str
        Suite whose weights are used.
    options : Options
        Registries, data root and device.
    layer, reference_layer : str or None
        Layers of the two; None: as in :func:`benchmark.model_similarity.moved_pairs`.
    stimuli : str or None
        Name of a stimulus set, or a folder of images; None: the stimuli of the suite's first binding.
    metric : str
        Dissimilarity of two concepts.
    rule : AssociationRuleEntry or None
        How association profiles are compared; None: as tasks do by default.
    k : int
        Number of pairs of each group in each direction.
    form : {"table", "json", "csv"}
        How the pairs are printed.
    html : Path or None
        File for the page with pictures; None: it is not written.

    Raises
    ------
    BenchError
        If a model, a layer or the stimuli cannot be used, or the page cannot be written.
    """
    session = Session(options)
    session.registry.model(model, suite)  # an unknown name is refused before anything is imported
    from benchmark.model_similarity import moved_pairs

    with progress_bars() as bars:
        found = moved_pairs(
            session,
            model,
            reference,
            suite,
            layer=layer,
            reference_layer=reference_layer,
            stimuli=stimuli,
            metric=metric,
            rule=rule,
            bars=lambda label: WorkBar(bars, label),
        )
    rows = [pair.row() for pair in found.most(k)]
    if form == "json":
        whole = {"concepts": found.concepts, "groups": found.summary(), **found.provenance, "pairs": rows}
        sys.stdout.write(json.dumps(whole, indent=1, allow_nan=False) + "\n")
    elif form == "csv":
        write_csv(rows)
    else:
        _print(found, k)
    if html is not None:
        from benchmark.model_similarity.moved_page import save_moved_page

        save_moved_page(html, found, k)
        say(f"page: {html.resolve()}", error=form != "table")


def _print(found: Moved, k: int) -> None:
    """One line for each pair; then what the numbers are."""
    out = console()
    if found.provenance["miniature"]:
        out.print("MINIATURE: networks made for drawn images; it says nothing about people", style="bold")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("pairs", "", "concepts"):
        table.add_column(heading)
    for heading in ("before", "after"):
        table.add_column(heading, justify="right")
    for pair in found.most(k):
        table.add_row(
            pair.group,
            "closer" if pair.change < 0 else "apart",
            " and ".join(pair.labels),
            number(pair.before),
            number(pair.after),
        )
    out.print(table)
    say(f"before: {found.reference_layer}; after: {found.layer}; {len(found.concepts)} concepts")
    say("a number is the share of the pairs of a group that are more alike; 0 is the most alike pair")
    for group, about in found.summary().items():
        say(f"{group}: {about['pairs']} pairs, Spearman of before and after {number(about['spearman'])}")
    if not found.stimuli.held_out:
        say("these stimuli name no held-out concepts: some may have been trained on")
    for name, about in found.provenance["models"].items():
        if about["untrained"]:
            say(f"{name}: untrained: random weights")
