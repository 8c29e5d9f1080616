"""The field's usual faults, looked for before anyone believes a score: one module a group of checks."""

from benchmark.checks.check import Check, Status
from benchmark.checks.run import check_loaded, check_model

__all__ = ["Check", "Status", "check_loaded", "check_model"]
