"""Errors that a user can act on: one line that says what is wrong, where, and what to do."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager


class BenchError(Exception):
    """Base of every error whose message is for the user. It is shown without a traceback."""


class UsageError(BenchError):
    """The arguments or the registry cannot be used. Nothing is run, and the exit status is 2."""


class NotPossible(BenchError):  # noqa: N818 - it names the status of a cell, not a fault of the program
    """This cell cannot be scored here: weights, data or ids are missing. The rest of the run continues."""


class DataError(BenchError):
    """A data file or an array is not valid (asymmetric RDM, NaN features, truncated image)."""


class PluginStop(Exception):  # noqa: N818 - it stands for what a plug-in raised, which need not be an error
    """A plug-in raised what would end the process, such as ``SystemExit``. The message says what it was."""


@contextmanager
def plugin_border() -> Iterator[None]:
    """Run the code of a plug-in: whatever it raises is an ``Exception``, except Ctrl-C.

    ``SystemExit``, ``GeneratorExit`` and the like become :class:`PluginStop`, so that they cost what the
    plug-in was needed for, and not the run. Not for the body of a generator, whose own ``GeneratorExit`` must
    pass.
    """
    try:
        yield
    except (Exception, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise PluginStop(_with_kind(error)).with_traceback(error.__traceback__) from error


def error_text(error: BaseException) -> str:
    """The message of ``error`` in one line that can be printed, even if its own text cannot be made."""
    try:
        text = str(error)
    except KeyboardInterrupt:
        raise
    except BaseException as second:  # the error is a plug-in's, and its text may raise anything
        return f"(its text cannot be made: {type(second).__name__})"
    return " ".join(text.encode(errors="backslashreplace").decode().split())


def error_summary(error: BaseException) -> str:
    """The message of ``error`` in one line, after its kind if the error is not one of the suite."""
    return error_text(error) if isinstance(error, (BenchError, PluginStop)) else _with_kind(error)


def error_report(error: BaseException) -> str:
    """:func:`error_summary`, with the place of an error that is not one of the suite, and how to see more."""
    more = "" if isinstance(error, BenchError) else f" ({place_of(error)}; --debug shows the traceback)"
    return f"{error_summary(error)}{more}"


def place_of(error: BaseException) -> str:
    """File and line where ``error`` was raised, ``file.py:3``; the machinery of imports is left out."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith("<frozen")]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown place"


def _with_kind(error: BaseException) -> str:
    return f"{type(error).__name__}: {error_text(error)}".removesuffix(": ")
