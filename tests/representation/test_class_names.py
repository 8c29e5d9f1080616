"""Which classes concepts are, and the rows of a word space that stand for them."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.datasets import Stimuli, VectorTarget, join
from benchmark.datasets.readers.folders import name_variants
from benchmark.datasets.readers.imagenet import imagenet_keys, imagenet_names
from benchmark.representation.classes import class_rows, concept_classes

TENCH, GOLDFISH, SHARK, CRANE_BIRD, CRANE = "n01440764", "n01443537", "n01484850", "n02012849", "n03126707"
WORDS = ("goldfish", "fish", "shark", "crane", "cougar", "laptop", "maillot")


def folders(*names: str) -> Stimuli:
    keys = {name: name_variants([name]) for name in names}
    return Stimuli("photos", names, names, "m", keys={"word": keys})


def rows(stimuli: Stimuli, names: tuple[str, ...], *, cues: bool) -> list[str | None]:
    target = VectorTarget("words", WORDS, "h", vectors=np.eye(len(WORDS)))
    joined = join(stimuli, target, "word", minimum=0)
    found = class_rows(stimuli, joined, names, cues=cues)
    return [None if row < 0 else WORDS[row] for row in found]


def test_a_class_that_the_stimuli_do_not_show_is_looked_up_by_its_own_names() -> None:
    shown = folders("laptop", "shark")
    assert rows(shown, ("laptop", TENCH, GOLDFISH, SHARK), cues=False) == ["laptop", None, "goldfish", None]
    assert rows(shown, ("laptop", TENCH, GOLDFISH, SHARK), cues=True) == [
        "laptop",
        "fish",
        "goldfish",
        "shark",
    ]


def test_a_name_that_means_something_else_to_most_people_stands_for_no_class() -> None:
    assert rows(folders("laptop"), (CRANE_BIRD, CRANE), cues=True) == [None, None]


def test_a_part_or_the_context_of_a_class_is_no_word_for_it() -> None:
    # a minaret is a tower (hypernym); the table has the mosque (part) before that
    target = VectorTarget("words", ("mosque", "tower", "laptop"), "h", vectors=np.eye(3))
    stimuli = folders("minaret", "laptop")
    joined = join(stimuli, target, "word", minimum=1)
    assert class_rows(stimuli, joined, ["minaret"], cues=True).tolist() == [1]


def test_folders_are_the_classes_that_have_their_name() -> None:
    classes = list(imagenet_names())
    found = concept_classes(
        folders("laptop", "cougar", "crane", "no class"), ("laptop", "cougar", "crane"), classes
    )
    named = [sorted(imagenet_names()[classes[i]][0] for i in each) for each in found]
    assert named == [["laptop", "notebook"], ["cougar"], []]


def test_a_concept_with_the_id_of_a_class_is_that_class_alone() -> None:
    stimuli = folders(CRANE, "laptop")
    assert concept_classes(stimuli, (CRANE,), (TENCH, CRANE)) == [frozenset({1})]
    assert concept_classes(folders("a", "b"), ("b", "c"), ("a", "b")) == [frozenset({1}), frozenset()]


def test_the_names_of_all_classes_are_those_of_the_sample(human_data) -> None:
    from benchmark.datasets import DataRoot
    from benchmark.datasets.readers.imagenet import sample

    stimuli = sample(DataRoot(human_data), name="sample")
    assert {key: stimuli.keys[key] for key in ("word", "swow")} == imagenet_keys()


@pytest.mark.parametrize("cues", [False, True])
def test_joined_concepts_have_the_row_that_the_join_gives(cues: bool) -> None:
    stimuli = folders("goldfish", "shark", "laptop", "cougar", "nothing")
    target = VectorTarget("words", WORDS, "h", vectors=np.eye(len(WORDS)))
    joined = join(stimuli, target, "word")
    found = class_rows(stimuli, joined, joined.concepts, cues=cues)
    assert tuple(WORDS[row] for row in found) == joined.target.ids
