"""``bench why``: is a stored result current, and if not, what changed."""

from __future__ import annotations

import json
import re
from typing import Any

from rich.console import Console

from benchmark.runner import Options, Session, plan
from benchmark.runner.why import Change, Reason, why

_LONGEST = 120


def show_why(model: str, task: str, suite: str, options: Options) -> int:
    """Print a paragraph for each binding of the task; the exit status is 0 if every result is current."""
    session = Session(options)
    reasons = [why(session, cell) for cell in plan(session.registry, [model], [task], suite)]
    console = Console(highlight=False, soft_wrap=True, markup=False)
    for reason in reasons:
        for line in _lines(reason):
            console.print(line)
    return 0 if all(reason.status == "current" for reason in reasons) else 1


def _lines(reason: Reason) -> list[str]:
    head = f"{reason.cell.model}, {reason.cell.binding}: {reason.status}"
    if reason.why is not None:
        return [f"{head}: {reason.why}"]
    if reason.scored is not None:
        head += f" (scored {reason.scored})"
    lines = [head]
    width = max((len(change.label) for change in reason.changes), default=0)
    lines += [
        f"  {change.label:<{width}}  {_said(change.old)} -> {_said(change.new)}" for change in reason.changes
    ]
    if reason.changes:
        lines.append(f"  {_consequence(reason.changes)}")
    return lines


def _consequence(changes: tuple[Change, ...]) -> str:
    if any(change.of_features for change in changes):
        return "bench run asks the feature store for the new key: what is not there is extracted again"
    return "bench run compares again; the features are as they were"


def _said(value: Any) -> str:
    """A part of a key in a few words: the first digits of a hash, JSON for all else."""
    if value is None:
        return "(none)"
    if isinstance(value, str):
        short = re.fullmatch(r"([0-9a-f]{12})[0-9a-f]{52}", value)
        text = f"{short[1]}…" if short else value
    else:
        text = json.dumps(value, sort_keys=True)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
