"""The model new_name is scored as ``bench run`` scores it: ``pytest test_new_name.py``."""

from pathlib import Path

import benchmark

REGISTRY = Path(__file__).with_name("registry.yaml")


def test_is_scored(tmp_path: Path) -> None:
    """It has a score where it should have one; ``tmp_path`` is a new folder for the results."""
    cell = benchmark.run("new_name", "area_early_rdm", registries=[REGISTRY], output=tmp_path)[0]
    assert cell.status == "scored", cell.reason
    assert cell.ci_low > cell.chance


def test_has_no_known_fault() -> None:
    """The checks of ``bench check-model`` pass."""
    checks = benchmark.check("new_name", registries=[REGISTRY])
    assert checks.passed, checks.to_frame()
