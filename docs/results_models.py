"""A section of the page of the results: which pairs of concepts moved most."""

from __future__ import annotations

import csv
from pathlib import Path

from results_words import table

PAIRS = Path(__file__).parent / "explanation" / "moved-pairs.csv"
#: The command that wrote the file
_COMMAND = (
    "bench pairs --suite human --stimuli swow_assoc_images --model swow_mobilenetv1_classes-frozen-0 "
    "--rule spread --norms swow -k 8 --format csv"
)


def pairs_section() -> str:
    """The pairs of concepts that moved most from the encoder to its association network."""
    with PAIRS.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    body = [
        (
            row["group"],
            "closer" if float(row["change"]) < 0 else "apart",
            f"{row['label_a']} and {row['label_b']}",
            f"{float(row['before']):.3f}",
            f"{float(row['after']):.3f}",
        )
        for row in rows
    ]
    return "\n".join(
        [
            "## Pairs that moved most",
            "",
            "Test images of the training of association networks, of which the network saw none: two of a "
            "cue at most. *Before* is the last features of the encoder, *after* the words of the association "
            "network that was trained from it. A number is the share of the pairs of a group that are more "
            "alike; 0 is the most alike pair. Groups say whether the cues were held out of the training. "
            "These are the most extreme of many pairs, each on few images: they show what happens, and "
            "prove nothing. The manifest of this command was cut to these images.",
            "",
            "```",
            _COMMAND,
            "```",
            "",
            table(("pairs", "", "concepts", "before", "after"), body),
        ]
    )
