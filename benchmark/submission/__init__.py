"""What a user adds: a registry entry for a model, or a working plug-in to start from."""

from benchmark.submission.checkpoint import OwnWeights
from benchmark.submission.new import New, write_new
from benchmark.submission.proposal import UNKNOWN, Proposal
from benchmark.submission.propose import propose
from benchmark.submission.write import add_entries, add_entry

__all__ = ["UNKNOWN", "New", "OwnWeights", "Proposal", "add_entries", "add_entry", "propose", "write_new"]
