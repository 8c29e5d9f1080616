"""``bench check-model``: run the checks of a model and print them as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from benchmark.cli.console import console, styled
from benchmark.runner import Options, Session

if TYPE_CHECKING:
    from benchmark.checks import Check

_STYLES = {"pass": "green", "fail": "bold red", "note": "yellow", "skip": "dim"}


def show_checks(name: str, suite: str | None, options: Options) -> int:
    """Check a model and print a table of the checks.

    Parameters
    ----------
    name : str
        Name of the model.
    suite : str or None
        Suite whose version of the model is checked; None: the first suite that the model takes part in.
    options : Options
        Registries, data root and device.

    Returns
    -------
    int
        Exit status: 1 if a check failed, else 0.
    """
    session = Session(options)
    session.registry.model(name, suite)  # an unknown name is refused before torch is imported
    from benchmark.checks import Status, check_model

    checks = check_model(session, name, suite)
    out = console()
    out.print(name, style="bold")
    out.print(_table(checks))
    failed = sum(check.status is Status.failed for check in checks)
    passed = sum(check.status is Status.passed for check in checks)
    out.print(f"{passed} passed, {failed} failed", style="bold red" if failed else "")
    return 1 if failed else 0


def _table(checks: list[Check]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("check", "result", "detail"):
        table.add_column(column, no_wrap=column != "detail", overflow="fold")
    for check in checks:
        table.add_row(check.name, styled(check.status.value, _STYLES[check.status.value]), check.detail)
    return table
