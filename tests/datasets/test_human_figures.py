"""More known figures of real data: similarity of words, properties, categories, and the text of CLIP."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy import sparse
from scipy.stats import spearmanr

from benchmark.datasets import AssociationTarget, DataRoot
from benchmark.datasets.readers.files import read_table
from benchmark.datasets.readers.norms import associations, cslb
from benchmark.datasets.readers.things import unique_ids

pytestmark = pytest.mark.human_data

#: Spearman of the cosine of PPMI with rated similarity, and the number of pairs whose words are both cues
WORD_SIMILARITY = {
    "swow-en/strength.SWOW-EN.R1.csv": {"men": (0.765, 2660), "simlex": (0.586, 989)},
    "eat/strength.EAT.R1.csv": {"men": (0.731, 1898), "simlex": (0.439, 777)},
}


@pytest.fixture(scope="module")
def rated(human_data) -> dict[str, list[tuple[str, str, float]]]:
    men = (human_data / "men" / "MEN_dataset_natural_form_full").read_text(encoding="utf-8").splitlines()
    simlex = read_table(human_data / "simlex999" / "SimLex-999.txt", ("word1", "word2", "SimLex999"), "\t")
    pairs = {
        "men": [line.split() for line in men],
        "simlex": simlex[["word1", "word2", "SimLex999"]].to_numpy().tolist(),
    }
    assert [len(rows) for rows in pairs.values()] == [3000, 999]
    return {name: [(a, b, float(score)) for a, b, score in rows] for name, rows in pairs.items()}


def ppmi(target: AssociationTarget) -> sparse.csr_array:
    """Positive pointwise mutual information of cue and response, by its definition, rows of length 1."""
    joint = sparse.coo_array(target.counts / target.counts.sum())
    cues, responses = joint.sum(axis=1), joint.sum(axis=0)
    information = np.log(joint.data / (cues[joint.row] * responses[joint.col])).clip(min=0)
    matrix = sparse.csr_array((information, (joint.row, joint.col)), shape=joint.shape)
    length = np.sqrt(matrix.power(2).sum(axis=1))
    return sparse.csr_array(sparse.diags_array(1 / np.maximum(length, 1e-12)) @ matrix)


@pytest.mark.slow
@pytest.mark.parametrize("path", WORD_SIMILARITY)
def test_associations_predict_the_similarity_of_words(human_data, rated, path):
    target = associations(DataRoot(human_data), name="norms", path=path)
    rows, matrix = {cue: i for i, cue in enumerate(target.ids)}, ppmi(target)
    for name, (figure, n) in WORD_SIMILARITY[path].items():
        known = [(rows[a], rows[b], score) for a, b, score in rated[name] if a in rows and b in rows]
        first, second, scores = zip(*known, strict=True)
        assert len(known) == n
        cosine = (matrix[list(first)] * matrix[list(second)]).sum(axis=1)
        assert spearmanr(cosine, scores)[0] == pytest.approx(figure, abs=0.02)


def test_properties_that_enough_people_gave(human_data):
    target = cslb(DataRoot(human_data), name="cslb")
    often = target.counts.toarray() >= 5
    assert np.count_nonzero(often.any(axis=0)) == 2725
    assert np.count_nonzero((target.counts.toarray() > 0).sum(axis=0) >= 5) == 832
    kept = often.sum(axis=0) >= 5
    types = Counter(kind for kind, keep in zip(target.types, kept, strict=True) if keep)
    assert types == {
        "taxonomic": 46,
        "visual perceptual": 156,
        "other perceptual": 29,
        "functional": 94,
        "encyclopaedic": 65,
    }
    lists = [(human_data / "derby2020" / name).read_text().split() for name in ("colours.txt", "shapes.txt")]
    names = {name for name, keep in zip(target.columns, kept, strict=True) if keep}
    plain = {name.replace(" ", "_") for name in names}
    assert [len(listed) for listed in lists] == [16, 13]
    assert set(lists[0] + lists[1]) <= names | plain


def test_the_53_categories_of_things(human_data):
    table = read_table(
        human_data / "things" / "category53_longFormat.tsv", ("category", "uniqueID", "Word"), "\t"
    )
    assert len(table) == 2355
    assert table["category"].nunique() == 53
    ids = set(unique_ids(human_data / "things" / "unique_id.txt"))
    named = set(table["uniqueID"])
    assert named - ids == {"bandana"}
    assert len(named) == 1448


def test_clip_knows_the_word_of_an_image(human_data):
    folder = human_data / "things" / "features"
    words = read_table(folder / "clip_vit_b32_text_words.csv", ("row", "word"))["word"].tolist()
    places = {word: i for i, word in enumerate(words)}
    ids = unique_ids(human_data / "things" / "unique_id.txt")
    shared = [i for i, concept in enumerate(ids) if concept in places]
    assert (len(words), len(shared)) == (1413, 245)
    text, images = (
        array / np.linalg.norm(array, axis=1, keepdims=True)
        for array in (
            np.load(folder / "clip_vit_b32_text.npy").astype(float),
            np.load(folder / "clip_vit_b32_openai.npy").astype(float),
        )
    )
    similarity = images[shared] @ text.T
    own = similarity[np.arange(len(shared)), [places[ids[i]] for i in shared]]
    rank = (similarity > own[:, None]).sum(axis=1)
    assert np.mean(rank < 1) == pytest.approx(0.653, abs=0.001)
    assert np.mean(rank < 5) == pytest.approx(0.914, abs=0.001)
