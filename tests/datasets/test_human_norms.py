"""Association norms, property norms and word vectors as measured in people: known figures."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr

from benchmark.datasets import DataRoot
from benchmark.datasets.readers.files import read_array
from benchmark.datasets.readers.norms import associations, cslb
from benchmark.datasets.readers.things import unique_ids
from benchmark.datasets.readers.words import vectors

pytestmark = pytest.mark.human_data


@pytest.fixture(scope="module")
def swow(human_data):
    return associations(DataRoot(human_data), name="swow", path="swow-en/strength.SWOW-EN.R1.csv")


@pytest.fixture(scope="module")
def eat(human_data):
    return associations(DataRoot(human_data), name="eat", path="eat/strength.EAT.R1.csv")


@pytest.fixture(scope="module")
def things_ids(human_data):
    return unique_ids(human_data / "things" / "unique_id.txt")


def strength(target, cue, response):
    row = target.ids.index(cue)
    return target.counts[row, target.columns.index(response)] / target.respondents[row]


def test_swow(swow, things_ids):
    assert swow.counts.shape == (12217, 64631)
    assert swow.counts.nnz == 483636
    np.testing.assert_array_equal(swow.counts.sum(axis=1), swow.respondents)
    assert strength(swow, "dog", "cat") == pytest.approx(0.455, abs=0.001)
    assert strength(swow, "dog", "pet") == pytest.approx(0.081, abs=0.001)
    assert len(set(things_ids) & set(swow.ids)) == 1142
    assert {"null", "true", "false", "Africa"} <= set(swow.ids)
    assert {"nan", "na", "null"} <= set(swow.columns)


def test_eat(eat, swow):
    assert eat.counts.shape == (8190, 22663)
    assert eat.counts.nnz == 324739
    np.testing.assert_array_equal(eat.counts.sum(axis=1), eat.respondents)
    assert strength(eat, "dog", "cat") == pytest.approx(0.582, abs=0.001)
    assert strength(eat, "dog", "collar") == pytest.approx(0.051, abs=0.001)
    assert len(set(eat.ids) & set(swow.ids)) == 5867


def test_cslb(human_data, things_ids):
    target = cslb(DataRoot(human_data), name="cslb")
    assert target.counts.shape == (638, 5929)
    assert target.counts.nnz == 22667 - 4
    assert set(target.types) == {
        "encyclopaedic",
        "functional",
        "other perceptual",
        "taxonomic",
        "visual perceptual",
    }
    repeated = [("hamster", "has fur_hair"), ("leopard", "is big_large"), ("tarantula", "has fur_hair")]
    for concept, name in [*repeated, ("poison", "made of chemicals")]:
        assert target.counts[target.ids.index(concept), target.columns.index(name)] <= 30
    common = target.cut()  # the figures of Derby et al. 2020
    assert [common.types.count(kind) for kind in sorted(set(common.types))] == [65, 94, 29, 46, 156]
    assert (common.finer.count("colour"), common.finer.count("shape and size")) == (16, 13)
    assert target.counts.max() <= 30
    assert np.median(target.respondents) == 30
    shared = [concept for concept in things_ids if concept in set(target.ids)]
    assert len(shared) == 441  # three of them by a name whose sense in brackets is left out
    embedding = read_array(human_data / "things" / "spose_embedding_66d_sorted.txt")
    embedding = embedding[[things_ids.index(concept) for concept in shared]]
    upper = np.triu_indices(len(shared), 1)
    properties = np.corrcoef(target.select(shared).counts.toarray())[upper]
    assert spearmanr(properties, (embedding @ embedding.T)[upper])[0] == pytest.approx(0.606, abs=0.02)


@pytest.mark.parametrize(
    ("file", "men"), [("glove.6B", 0.780), ("glove.840B", 0.776), ("word2vec.googlenews", 0.769)]
)
def test_word_vectors(human_data, file, men, things_ids, swow):
    target = vectors(DataRoot(human_data), name=file, path=f"wordvectors/{file}.300d.subset.txt.gz")
    assert target.vectors.shape == (731, 300)
    assert target.ids == tuple(sorted(target.ids))
    assert len(set(things_ids) & set(target.ids)) == 491
    assert len(set(swow.ids) & set(target.ids)) == 672
    similarity = 1 - cdist(target.vectors, target.vectors, "cosine")
    index = {word: i for i, word in enumerate(target.ids)}
    lines = (human_data / "men" / "MEN_dataset_natural_form_full").read_text(encoding="utf-8").splitlines()
    pairs = [line.split(" ") for line in lines]
    known = [(index[a], index[b], float(score)) for a, b, score in pairs if a in index and b in index]
    assert len(known) == 152
    rated = [score for _, _, score in known]
    assert spearmanr([similarity[a, b] for a, b, _ in known], rated)[0] == pytest.approx(men, abs=0.02)


def test_neighbours_of_guitar(human_data):
    root = DataRoot(human_data)
    target = vectors(root, name="glove", path="wordvectors/glove.6B.300d.subset.txt.gz")
    target = target.select([concept for concept in cslb(root, name="cslb").ids if concept in target.ids])
    row = target.ids.index("guitar")
    order = np.argsort(cdist(target.vectors[row : row + 1], target.vectors, "cosine")[0], kind="stable")
    nearest = [target.ids[i] for i in order[1:5]]
    assert nearest == ["piano", "saxophone", "harmonica", "banjo"]
