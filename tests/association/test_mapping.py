"""Classes to cues: how a name is looked up, what the curated tables hold, and what real norms give."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.association.mapping import (
    Match,
    class_cues,
    class_names,
    imagenet_cues,
)
from benchmark.datasets import DataRoot
from benchmark.datasets.readers.class_cues import TABLES, curated_table, decisions
from benchmark.datasets.readers.folders import image_folder
from benchmark.datasets.readers.imagenet import imagenet_names
from benchmark.datasets.readers.norms import read_associations

RELATIONS = {"synonym", "hypernym", "kin", "part", "context"}
CRANE_BIRD, CRANE_MACHINE = "n02012849", "n03126707"


def one(names: list[str], cues: set[str]) -> Match:
    return class_cues({"a class of mine": names}, cues)["a class of mine"]


def test_the_first_name_that_is_a_cue_as_it_is_spelled_wins():
    assert one(["common iguana", "iguana", "lizard"], {"lizard", "iguana"}) == Match(
        "iguana", "direct", "iguana"
    )
    # a later name as it is spelled comes before an earlier one that has to be bent
    assert one(["Hen", "chook"], {"hen", "chook"}).cue == "chook"


@pytest.mark.parametrize(
    "name, cue",
    [
        ("Tench", "tench"),
        ("band aid", "Band-Aid"),
        ("sea_horse", "seahorse"),
        ("hair-spray", "hairspray"),
        ("spider's web", "spiders web"),
        ("sunglass", "sunglasses"),
        ("pajama", "pajamas"),
        ("Motorbikes", "motorbike"),
        ("cherries", "cherry"),
        ("dogs", "dog"),
        ("tv", "TV"),
    ],
)
def test_case_hyphens_spaces_and_the_plural_are_let_go(name, cue):
    assert one([name], {cue, "other"}) == Match(cue, "normalised", name)


@pytest.mark.parametrize("name, cue", [("glass", "glas"), ("bus", "bu"), ("iris", "iri"), ("as", "a")])
def test_an_s_that_is_no_plural_stays(name, cue):
    assert one([name], {cue}).cue is None


def test_of_cues_that_fall_together_the_one_in_lower_case_is_taken():
    assert one(["TURKEY"], {"Turkey", "turkey"}).cue == "turkey"


def test_a_class_without_a_cue_says_why():
    match = one(["axolotl of mine"], {"dog"})
    assert (match.cue, match.how) == (None, "none")
    assert "none of its names" in match.why
    match = imagenet_cues({"dog"})[CRANE_MACHINE]
    assert match.cue is None
    assert "construction" in match.why
    assert "the bird" in match.why


def test_a_name_of_another_sense_is_not_looked_up():
    found = imagenet_cues({"crane", "bird", "construction", "drake", "duck", "mouse", "computer"})
    assert found[CRANE_BIRD] == Match("bird", "curated", "hypernym")
    assert found[CRANE_MACHINE] == Match("construction", "curated", "context")
    assert found["n01847000"].cue == "duck"
    assert found["n03793489"].cue == "computer"


def test_a_later_name_that_alone_means_another_thing_is_not_looked_up():
    found = imagenet_cues({"killer", "whale", "grand", "piano", "ai", "AI", "sloth", "ounce"})
    assert found["n02071294"].cue == "whale"
    assert found["n03452741"].cue == "piano"
    assert found["n02457408"].cue == "sloth"
    assert found["n02128757"].cue is None


def test_the_own_name_comes_before_the_table_and_the_table_has_an_order():
    golden = "n02099601"
    assert str(imagenet_cues({"golden retriever", "retriever", "dog"})[golden]) == "direct"
    assert imagenet_cues({"retriever", "dog"})[golden].cue == "retriever"
    assert str(imagenet_cues({"dog", "cat"})[golden]) == "curated: hypernym"


def test_folders_are_looked_up_by_name_or_by_wordnet_id():
    names = class_names(["n02099601", "sea_horse", "grand_piano", "crane"])
    assert names["n02099601"] == ("golden retriever",)
    assert names["sea_horse"] == ("sea horse",)
    found = class_cues(names, {"dog", "seahorse", "piano", "crane"})
    assert [match.cue for match in found.values()] == ["dog", "seahorse", "piano", "crane"]
    assert found["grand_piano"].how == "curated"


@settings(max_examples=30, deadline=None)
@given(st.sets(st.sampled_from(["dog", "bird", "crane", "Fish", "snake", "T-shirt", "hens", "boxer"])))
def test_only_cues_of_the_norms_are_given_in_any_order_of_them(cues):
    found = imagenet_cues(cues)
    assert list(found) == list(imagenet_names())
    assert {match.cue for match in found.values()} <= cues | {None}
    assert all((match.cue is None) == (match.how == "none") for match in found.values())
    assert found == imagenet_cues(sorted(cues, reverse=True))


def rows(table: str) -> list[dict[str, str]]:
    return curated_table(table).to_dict("records")


def test_every_class_of_imagenet_is_decided_in_class_index_order():
    table = rows("imagenet_cues.csv")
    names = imagenet_names()
    assert list(dict.fromkeys(row["class"] for row in table)) == list(names)
    assert all(row["name"] == names[row["class"]][0] for row in table)
    # a class is decided by a cue, or by the reason why it has none
    assert all(decision.cues or decision.sense for decision in decisions().values())


@pytest.mark.parametrize("table", TABLES)
def test_a_row_is_a_cue_with_what_it_is_or_another_sense_with_which(table):
    for row in rows(table):
        if row["how"] == "sense":
            assert not row["cue"], row
            assert row["note"], row
        else:
            assert row["how"] in RELATIONS, row
            assert row["cue"] == row["cue"].strip() != "", row
    times = Counter((row["class"], row["cue"]) for row in rows(table))
    assert max(times.values()) == 1, times.most_common(3)


@pytest.mark.human_data
def test_every_class_of_imagenet_has_a_cue_of_small_world_of_words(human_data):
    cues = read_associations(human_data / "swow-en/strength.SWOW-EN.R1.csv", name="swow").ids
    found = imagenet_cues(cues)
    how = Counter(match.how for match in found.values())
    assert how["none"] == 0
    assert how["direct"] > 300
    assert how["curated"] > 600
    wnids = list(found)
    breeds = Counter(found[wnid].cue for wnid in wnids[151:269])
    assert breeds["dog"] > 100
    assert set(breeds) == {"dog", "poodle", "bulldog", "beagle", "husky", "dalmatian"}
    assert {found[wnid].cue for wnid in wnids[52:61]} == {"snake"}
    by_name = {names[0]: found[wnid].cue for wnid, names in imagenet_names().items()}
    expected = {
        "golden retriever": "dog",
        "great white shark": "shark",
        "grand piano": "piano",
        "rocking chair": "rocking chair",
        "banana": "banana",
        "boxer": "dog",
        "kite": "hawk",
        "admiral": "butterfly",
        "nipple": "baby",
        "notebook": "laptop",
        "pitcher": "jug",
        "ear": "corn",
        "wing": "airplane",
        "stole": "shawl",
        "carousel": "carnival",
        "sunglass": "sunglasses",
        "space shuttle": "Space Shuttle",
    }
    assert {name: by_name[name] for name in expected} == expected
    assert (found[CRANE_BIRD].cue, found[CRANE_MACHINE].cue) == ("heron", "construction")


@pytest.mark.human_data
def test_other_norms_have_fewer_cues_and_each_class_without_one_says_which_were_tried(human_data):
    cues = read_associations(human_data / "eat/strength.EAT.R1.csv", name="eat").ids
    found = imagenet_cues(cues)
    without = [match for match in found.values() if match.cue is None]
    assert 0 < len(without) < 40
    assert all("these norms have no cue" in match.why for match in without)


@pytest.mark.human_data
def test_every_class_of_caltech_has_a_cue(human_data):
    cues = read_associations(human_data / "swow-en/strength.SWOW-EN.R1.csv", name="swow").ids
    stimuli = image_folder(DataRoot(human_data), name="caltech101", path="caltech101-15")
    found = class_cues(class_names(stimuli.concept_ids), cues)
    assert [name for name, match in found.items() if match.cue is None] == []
    assert found["bass"].cue == "fish"
    assert found["Leopards"].cue == "leopard"
    assert found["electric_guitar"].cue == "guitar"
