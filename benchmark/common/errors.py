"""Errors a user can act on: one line that says what, where, and what to do."""


class BenchError(Exception):
    """Base of every error whose message is meant for the user; shown without a traceback."""


class UsageError(BenchError):
    """The arguments or the registry cannot be used: nothing is run, exit status 2."""


class NotPossible(BenchError):  # noqa: N818 - it names the status of a cell, not a fault of the program
    """This cell cannot be scored here (weights, data or ids are missing); the rest of the run goes on."""


class DataError(BenchError):
    """A data file or an array is not what it must be (asymmetric RDM, NaN features, truncated image)."""
