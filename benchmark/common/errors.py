"""Errors that a user can act on: one line that says what is wrong, where, and what to do."""


class BenchError(Exception):
    """Base of every error whose message is for the user. It is shown without a traceback."""


class UsageError(BenchError):
    """The arguments or the registry cannot be used. Nothing is run, and the exit status is 2."""


class NotPossible(BenchError):  # noqa: N818 - it names the status of a cell, not a fault of the program
    """This cell cannot be scored here: weights, data or ids are missing. The rest of the run continues."""


class DataError(BenchError):
    """A data file or an array is not valid (asymmetric RDM, NaN features, truncated image)."""
