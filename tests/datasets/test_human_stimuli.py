"""Real image sets: ids, order, and what joins with what."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmark.datasets import DataRoot, join
from benchmark.datasets.readers.caltech import caltech101
from benchmark.datasets.readers.folders import image_folder
from benchmark.datasets.readers.imagenet import sample, tiny_validation
from benchmark.datasets.readers.neural import human_it, images
from benchmark.datasets.readers.norms import associations
from benchmark.datasets.readers.things import groups
from benchmark.datasets.readers.words import vectors

pytestmark = pytest.mark.human_data


@pytest.fixture(scope="module")
def root(human_data):
    return DataRoot(human_data)


@pytest.fixture(scope="module")
def imagenet(root):
    return sample(root, name="imagenet_sample")


def test_imagenet_sample(imagenet):
    assert len(imagenet) == 1000
    assert imagenet.ids[0] == "n01440764"
    assert imagenet.ids == tuple(sorted(imagenet.ids))
    assert imagenet.labels[imagenet.ids[134]] == imagenet.labels[imagenet.ids[517]] == "crane"
    image = imagenet.image(517)
    assert image.mode == "RGB"
    assert min(image.size) == 288


def test_imagenet_joins_things_on_334_concepts(root, imagenet):
    joined = join(imagenet, groups(root, name="groups"), on="things")
    assert joined.counts == {"joined": 334, "missing": 666, "ambiguous": 0}
    pairs = dict(zip(joined.concepts, joined.target.ids, strict=True))
    assert pairs["n02666196"] == "abacus"


def test_imagenet_joins_word_vectors_by_name(root, imagenet):
    target = vectors(root, name="glove", path="wordvectors/glove.6B.300d.subset.txt.gz")
    joined = join(imagenet, target, on="word")
    assert joined.counts["joined"] > 150
    pairs = dict(zip(joined.concepts, joined.target.ids, strict=True))
    assert pairs["n01677366"] == "iguana", "its first name is common iguana"
    assert all(word in imagenet.candidates(wnid, "word") for wnid, word in pairs.items())
    assert not {imagenet.ids[134], imagenet.ids[517]} & set(pairs), "a crane is two things"


def test_imagenet_joins_swow_cues(root, imagenet):
    target = associations(root, name="swow", path="swow-en/strength.SWOW-EN.R1.csv")
    joined = join(imagenet, target, on="swow")
    assert joined.counts["joined"] > 330
    pairs = dict(zip(joined.concepts, joined.target.ids, strict=True))
    assert pairs["n01443537"] == "goldfish"
    assert not {"killer", "ounce", "grand", "bullet"} & set(joined.target.ids)
    assert not {"organ", "mouse", "chest", "monarch", "plane"} & set(joined.target.ids), (
        "other things to most"
    )
    assert pairs["n02930766"] == "taxi", "the words that mean a cab stand for it"


def test_tiny_imagenet(root):
    stimuli = tiny_validation(root, name="tiny")
    assert len(stimuli) == 6000
    assert set(Counter(stimuli.concepts).values()) == {30}
    assert Counter(stimuli.splits) == {"train": 3000, "test": 3000}
    assert stimuli.image(0).size == (64, 64)


def test_caltech(root):
    stimuli = caltech101(root, name="caltech", path="caltech101-15")
    assert stimuli.ids == image_folder(root, name="caltech", path="caltech101-15").ids
    assert len(stimuli.concept_ids) == 100
    assert set(Counter(stimuli.concepts).values()) == {15}
    assert stimuli.candidates("sea_horse", "word")[0] == "sea horse"
    assert "rhinoceros" in stimuli.candidates("rhino", "word")


def test_the_92_images_are_in_the_order_of_the_rdms(root):
    stimuli = images(root, name="kriegeskorte92")
    assert stimuli.ids == human_it(root, name="hit").ids
    assert stimuli.image(0).size == (175, 175)
    assert stimuli.image(91).getpixel((0, 0)) == (128, 128, 128)
