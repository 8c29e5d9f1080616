"""Write a registry entry for a model of the user; what a library does not tell is marked to be filled in."""

from benchmark.submission.proposal import UNKNOWN, Proposal
from benchmark.submission.propose import propose
from benchmark.submission.write import add_entry

__all__ = ["UNKNOWN", "Proposal", "add_entry", "propose"]
