"""The data set new_name is read, and a model is scored on it: ``pytest test_new_name.py``."""

from pathlib import Path

import benchmark
from benchmark.datasets import DataRoot, RDMTarget
from benchmark.registry import load_registry

REGISTRY = Path(__file__).with_name("registry.yaml")
TABLE = Path(__file__).with_name("new_name.csv")


def read(folder: Path) -> RDMTarget:
    """The data set, its table in ``folder``."""
    reader = load_registry([REGISTRY]).dataset("new_name").load()
    target: RDMTarget = reader(DataRoot(folder), name="new_name", path=TABLE.name)
    return target


def test_a_model_is_scored_on_it(tmp_path: Path) -> None:
    """Concepts of the images are found in the table; ``tmp_path`` is a new folder for the results."""
    cell = benchmark.run(
        "swow_assoc", suite="new_name", data=TABLE.parent, registries=[REGISTRY], output=tmp_path
    )[0]
    assert cell.status == "scored", cell.reason
    assert cell.counts["joined"] == len(read(TABLE.parent).ids)


def test_the_hash_changes_with_the_file(tmp_path: Path) -> None:
    """A change of the table is noticed; ``tmp_path`` holds the changed table."""
    (tmp_path / TABLE.name).write_text(TABLE.read_text(encoding="utf-8").replace("1", "2"), encoding="utf-8")
    assert read(tmp_path).hash != read(TABLE.parent).hash
