"""The hash of a data set that a reader of a user's own made: its content counts, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from benchmark.datasets import RDMTarget, Stimuli
from benchmark.datasets.content import hashed_by_content

READER = {"source": "sha256 of the reader"}


def stimuli() -> Stimuli:
    """A set as a reader makes it in each process: its functions are new objects."""
    return Stimuli(
        name="mine",
        ids=("a", "b"),
        concepts=("cat", "dog"),
        manifest="by the reader's word",
        open_image=lambda _: Image.new("RGB", (4, 4)),
        is_turned=lambda _: False,
        keys={"word": {"cat": ("cat",), "dog": ("dog",)}},
    )


def target() -> RDMTarget:
    rdm = np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 3.0], [2.0, 3.0, 0.0]])
    return RDMTarget(name="mine", ids=("a", "b", "c"), hash="w", rdms=rdm[None], subjects=("one",))


def test_a_set_that_is_read_again_has_the_same_manifest():
    assert hashed_by_content(stimuli(), READER).manifest == hashed_by_content(stimuli(), READER).manifest


def test_a_target_that_is_read_from_another_folder_has_the_same_hash():
    here, there = (hashed_by_content(replace(target(), source=path), READER).hash for path in "xy")
    assert here == there


@pytest.mark.parametrize(
    "change", [{"ids": ("b", "a")}, {"concepts": ("dog", "cat")}, {"manifest": "other"}, {"keys": {}}]
)
def test_what_the_set_holds_counts(change):
    changed = hashed_by_content(replace(stimuli(), **change), READER)
    assert changed.manifest != hashed_by_content(stimuli(), READER).manifest


def test_what_the_target_holds_and_its_reader_count():
    known = hashed_by_content(target(), READER).hash
    assert hashed_by_content(replace(target(), rdms=2 * target().rdms), READER).hash != known
    assert hashed_by_content(replace(target(), ids=("c", "b", "a")), READER).hash != known
    assert hashed_by_content(target(), {"source": "other"}).hash != known
