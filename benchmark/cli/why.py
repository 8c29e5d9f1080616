"""``bench why``: print whether stored results are current, and if not, what has changed."""

from __future__ import annotations

import json
import re
from typing import Any

from benchmark.cli.console import say
from benchmark.extraction.fingerprint import is_fingerprint
from benchmark.runner import Options, Session, plan
from benchmark.runner.why import Change, Reason, why

_LONGEST = 120


def show_why(model: str, task: str, suite: str, options: Options) -> int:
    """Print a paragraph for each binding of a task.

    Parameters
    ----------
    model, task : str
        Names.
    suite : str
        The suite.
    options : Options
        Those that ``bench run`` had.

    Returns
    -------
    int
        Exit status: 0 if every result is current, else 1.
    """
    session = Session(options)
    reasons = [why(session, cell) for cell in plan(session.registry, [model], [task], suite)]
    for reason in reasons:
        say(*_lines(reason))
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
        f"  {change.label:<{width}}  {short(change.old)} -> {short(change.new)}" for change in reason.changes
    ]
    if reason.changes:
        lines.append(f"  {_consequence(reason.changes)}")
    return lines


def _consequence(changes: tuple[Change, ...]) -> str:
    if any(change.of_features for change in changes):
        return "bench run looks for features of the new key in the cache; what is missing is extracted again"
    return "bench run compares again; it uses the same features"


def short(value: Any) -> str:
    """``value``, a part of a key, as a short text: the first digits of a hash, the start of anything else."""
    if value is None:
        return "(none)"
    if is_fingerprint(value):
        return f"{value[0]:.0f} values, norm {value[1]:.5g}, first sum {value[2]:.5g}"
    if isinstance(value, str):
        digest = re.fullmatch(r"([0-9a-f]{12})[0-9a-f]{52}", value)
        text = f"{digest[1]}…" if digest else value
    else:
        text = json.dumps(value, sort_keys=True)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
