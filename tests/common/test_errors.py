"""Whatever a plug-in raises becomes an ordinary exception with one line of text."""

from __future__ import annotations

import pytest

from benchmark.common.errors import (
    DataError,
    PluginStop,
    error_report,
    error_summary,
    error_text,
    plugin_border,
)


class MuteError(Exception):
    def __str__(self) -> str:
        raise SystemExit(0)


class OwnBase(BaseException):
    pass


@pytest.mark.parametrize(
    "raised, text",
    [
        (SystemExit(0), "SystemExit: 0"),
        (SystemExit("bye\nbye"), "SystemExit: bye bye"),
        (GeneratorExit(), "GeneratorExit"),
        (OwnBase("mine"), "OwnBase: mine"),
    ],
)
def test_what_would_end_the_process_becomes_an_exception(raised: BaseException, text: str) -> None:
    with pytest.raises(PluginStop) as stopped, plugin_border():
        raise raised
    assert error_summary(stopped.value) == text
    assert stopped.value.__cause__ is raised
    assert stopped.traceback[-1].path == stopped.traceback[0].path, "the last place is where it was raised"


@pytest.mark.parametrize("kind", [KeyboardInterrupt, ValueError, DataError])
def test_errors_and_ctrl_c_pass(kind: type[BaseException]) -> None:
    with pytest.raises(kind), plugin_border():
        raise kind("as it is")


def test_a_message_is_one_line_that_can_be_printed() -> None:
    assert error_text(ValueError("a\n  b\udce9")) == "a b\\udce9"
    assert error_text(MuteError()) == "(its text cannot be made: SystemExit)"
    assert error_summary(MuteError()) == "MuteError: (its text cannot be made: SystemExit)"
    assert error_summary(DataError("x.csv: empty")) == "x.csv: empty"
    assert error_summary(KeyError("k")) == "KeyError: 'k'"
    assert error_summary(ValueError()) == "ValueError"


def test_the_report_of_an_error_that_is_not_of_the_suite_says_where_and_how_to_see_more() -> None:
    with pytest.raises(KeyError) as raised:
        {}["k"]
    report = error_report(raised.value)
    assert report.startswith("KeyError: 'k' (")
    assert "test_errors.py:" in report
    assert report.endswith("; --debug shows the traceback)")
    assert error_report(DataError("x.csv: empty")) == "x.csv: empty"
