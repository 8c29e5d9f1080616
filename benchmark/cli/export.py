"""``bench export``: what other programs read."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.text import Text

from benchmark.cli.run import WorkBar, progress_bars
from benchmark.export import model_rdms, write
from benchmark.runner import Options, Session


def export_rdms(
    model: str,
    layers: tuple[str, ...] | None,
    stimuli: str,
    suite: str,
    options: Options,
    *,
    by: str,
    metric: str,
    form: str,
    output: Path | None,
) -> None:
    """Write the RDMs of ``layers``, and say where they are."""
    session = Session(options)
    with progress_bars() as bars:
        found = model_rdms(
            session,
            model,
            suite,
            layers,
            stimuli,
            by=by,
            metric=metric,
            progress=WorkBar(bars, f"features of {model}"),
        )
    console = Console()
    if found.provenance["miniature"]:
        console.print(Text("MINIATURE: a network of a drawn world; it says nothing about people", "bold"))
    for path in write(found, form, output):
        what = "stimuli" if by == "stimulus" else "concepts"
        console.print(
            Text(f"{len(found.ids)} {what}, {metric}: {path.resolve()}, and {path.name}.json"), soft_wrap=True
        )
