"""A feature file says which suites its ids fit, and fails if they fit none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmark.datasets import DataRoot, mini


@pytest.fixture
def checked(tmp_path, bench):
    def check(ids, *lines):
        output = np.random.default_rng(0).normal(size=(len(ids), 5))
        np.savez(tmp_path / "f.npz", ids=np.array(ids), output=output)
        entry = ["models:", "  mine:", "    plugin: models/features.py:Features"]
        entry += ["    checkpoint: {file: f.npz}"]
        (tmp_path / "mine.yaml").write_text("\n".join([*entry, *(f"    {line}" for line in lines)]) + "\n")
        done = bench("check-model", "mine", "--registry", tmp_path / "mine.yaml", "--data", tmp_path)
        return done.status, " ".join(done.out.split())

    return check


def test_ids_of_no_suite_fail(checked):
    status, said = checked(["a", "b", "c"])
    assert status == 1
    assert "the ids fit no stimulus set of suite mini or human" in said


def test_ids_of_another_suite_than_the_entry_says_fail(checked):
    ids = mini.images(DataRoot(Path()), name="mini_images").concept_ids
    status, said = checked(ids, "suites: [human]")
    assert status == 1
    assert "fit no stimulus set of suite human" in said


def test_the_suites_that_fit_are_named(checked):
    ids = mini.images(DataRoot(Path()), name="mini_images").concept_ids
    status, said = checked(ids)
    assert status == 0
    assert "the ids fit mini_images of suite mini, and no stimulus set of human" in said
