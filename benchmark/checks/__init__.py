"""Checks of a model: they look for the field's usual faults before anyone believes a score.

Each module holds one group of checks. Its function ``check`` gets the ``candidate``: the model that is
checked, with a few stimuli.
"""

from benchmark.checks.check import Check, Status
from benchmark.checks.run import check_loaded, check_model

__all__ = ["Check", "Status", "check_loaded", "check_model"]
