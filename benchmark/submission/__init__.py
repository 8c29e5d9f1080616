"""A registry entry for a model, written for the user: what can be found out is, what cannot is said."""

from benchmark.submission.proposal import UNKNOWN, Proposal
from benchmark.submission.propose import propose
from benchmark.submission.write import add_entry

__all__ = ["UNKNOWN", "Proposal", "add_entry", "propose"]
